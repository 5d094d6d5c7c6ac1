/** The engine ID: which exact sandbox build gave an outcome. */
import {
  GLUE_REVISION,
  GROWTH_BYTES_MIN,
  GROWTH_SHARE,
  INSTANT_MS,
  LOAD_FUEL_MAX,
  MODULE_CALL_STACK_BYTES_MAX,
  MODULE_NAME,
  PRELUDE_NAME,
  STACK_BYTES_MAX,
} from './constants.ts'
import { GROUP_SOURCES, PRELUDE } from './guest/built.ts'
import { wasmEngineId } from './wasm/engine-id.ts'

/** `engineId` of this build, written down so that it can be imported; a test compares. */
export const ENGINE_ID = 'quickjs:dd5179a304f1374a634c0f33d97ba858c03892f744e122d7caa2e08dc2c8268a'

/**
 * `quickjs:` and the SHA-256, in hex, of: the bytes of the engine's wasm, the UTF-8 of the prelude, the JSON of the groups
 * of the web's interfaces, and that of the glue's revision and its constants in the order below, and of the tier of the
 * modules that a function may import. `hash` is SHA-256.
 */
export const engineId = (hash: (bytes: Uint8Array) => Uint8Array, wasm: Uint8Array): string => {
  const glue = {
    GLUE_REVISION,
    STACK_BYTES_MAX,
    MODULE_CALL_STACK_BYTES_MAX,
    INSTANT_MS,
    LOAD_FUEL_MAX,
    GROWTH_BYTES_MIN,
    GROWTH_SHARE,
    MODULE_NAME,
    PRELUDE_NAME,
    WASM_ENGINE: wasmEngineId(hash),
  }
  const text = new TextEncoder().encode(PRELUDE + JSON.stringify(GROUP_SOURCES) + JSON.stringify(glue))
  const build = new Uint8Array(wasm.length + text.length)
  build.set(wasm)
  build.set(text, wasm.length)
  return `quickjs:${Array.from(hash(build), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
