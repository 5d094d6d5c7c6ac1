/** The bundler (`wayside/bundle`, Node only): a TypeScript or JavaScript file with its packages, as one module. */

export { functionFile } from '../function-file.ts'
export { type Bundle, bundle } from './bundle.ts'
export type { ProjectLimits } from './project-file.ts'
export { createStackReader, type StackReader } from './stack.ts'
export { parseDuration, parseSize } from './units.ts'
export { type Metered, meterModule } from './wasm/meter.ts'
