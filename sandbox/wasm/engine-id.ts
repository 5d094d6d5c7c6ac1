/** The engine ID of the WebAssembly tier: which rules of metering, checking and linking gave an outcome. */
import {
  GAS_PER_FUEL,
  IMPORT_GAS,
  IMPORT_GAS_A_BYTE,
  INSTANCE_GAS,
  IO_VECTORS_MAX,
  STACK_BYTES_MAX,
  WASM_GLUE_REVISION,
} from './constants.ts'
import { IMPORTS } from './imports.ts'
import { INSTRUCTIONS } from './opcodes.ts'

/** `wasmEngineId` of this build, written down so that it can be imported; a test compares. */
export const WASM_ENGINE_ID = 'wasm:cdc0dbf32701d58b0cd7727ee6658ff451bb9257298b3aaca30bf0b3035456ee'

/**
 * `wasm:` and the SHA-256, in hex, of the JSON of: the glue's revision and its constants in the order below, what may be
 * imported, and the instructions that there are with their gas. `hash` is SHA-256.
 */
export const wasmEngineId = (hash: (bytes: Uint8Array) => Uint8Array): string => {
  const glue = {
    WASM_GLUE_REVISION,
    GAS_PER_FUEL,
    STACK_BYTES_MAX,
    INSTANCE_GAS,
    IMPORT_GAS,
    IMPORT_GAS_A_BYTE,
    IO_VECTORS_MAX,
  }
  const text = JSON.stringify([glue, [...IMPORTS], [...INSTRUCTIONS]])
  return `wasm:${Array.from(hash(new TextEncoder().encode(text)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
