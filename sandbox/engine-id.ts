/** The engine ID: which exact sandbox build gave an outcome. */
import {
  GLUE_REVISION,
  GROWTH_BYTES_MIN,
  GROWTH_SHARE,
  INSTANT_MS,
  LOAD_FUEL_MAX,
  MODULE_NAME,
  PRELUDE_NAME,
  STACK_BYTES_MAX,
} from './constants.ts'
import { PRELUDE } from './guest/prelude.ts'

/** `engineId` of this build, written down so that it can be imported; a test compares. */
export const ENGINE_ID = 'quickjs:0248543eaf70dc65775c36aa9512264d1ab4dad86138f4ad71c07b23c235c733'

/**
 * `quickjs:` and the SHA-256, in hex, of: the bytes of the engine's wasm, the UTF-8 of the prelude, and the JSON of
 * the glue's revision and its constants in the order below. `hash` is SHA-256.
 */
export const engineId = (hash: (bytes: Uint8Array) => Uint8Array, wasm: Uint8Array): string => {
  const glue = {
    GLUE_REVISION,
    STACK_BYTES_MAX,
    INSTANT_MS,
    LOAD_FUEL_MAX,
    GROWTH_BYTES_MIN,
    GROWTH_SHARE,
    MODULE_NAME,
    PRELUDE_NAME,
  }
  const text = new TextEncoder().encode(PRELUDE + JSON.stringify(glue))
  const build = new Uint8Array(wasm.length + text.length)
  build.set(wasm)
  build.set(text, wasm.length)
  return `quickjs:${Array.from(hash(build), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
