/** The engine ID of the WebAssembly tier: which rules of metering, checking and linking gave an outcome. */
import { WASM_GLUE_REVISION } from './constants.ts'

/** `wasmEngineId` of this build, written down so that it can be imported; a test compares. */
export const WASM_ENGINE_ID = 'wasm:0000000000000000000000000000000000000000000000000000000000000000'

/** `wasm:` and the SHA-256, in hex, of the JSON of the constants in the order below. `hash` is SHA-256. */
export const wasmEngineId = (hash: (bytes: Uint8Array) => Uint8Array): string => {
  const glue = { WASM_GLUE_REVISION }
  const text = new TextEncoder().encode(JSON.stringify(glue))
  return `wasm:${Array.from(hash(text), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
