/** The engine ID of the WebAssembly tier: which rules of metering, checking and linking gave an outcome. */
import {
  GAS_PER_FUEL,
  IMPORT_GAS,
  IMPORT_GAS_A_BYTE,
  INSTANCE_GAS,
  IO_VECTORS_MAX,
  PAGE_GAS,
  STACK_BYTES_MAX,
  WASM_GLUE_REVISION,
} from './constants.ts'
import { FRAME } from './frame.ts'
import { IMPORTS } from './imports.ts'
import * as limits from './limits.ts'
import { INSTRUCTIONS } from './opcodes.ts'
import * as patterns from './patterns.ts'

/** `wasmEngineId` of this build, written down so that it can be imported; a test compares. */
export const WASM_ENGINE_ID = 'wasm:9b98fbb04fcb380fca6210dd8e49179ac4941546e35a8f78dcc1b39e5eab5f39'

/**
 * `wasm:` and the SHA-256, in hex, of the JSON of: the glue's revision and its constants in the order below, what may be
 * imported, and the metered form: the instructions that there are with their gas, the patterns, figures and limits of its
 * specification. `hash` is SHA-256.
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
    PAGE_GAS,
  }
  const { CHARGE, ENTER, LEAVE, CANONICAL_F32, CANONICAL_F64, SIZED } = patterns
  const form = [
    CHARGE,
    ENTER,
    LEAVE,
    CANONICAL_F32,
    CANONICAL_F64,
    [...SIZED],
    FRAME,
    Object.entries(limits).toSorted(),
  ]
  const text = JSON.stringify([glue, [...IMPORTS], [...INSTRUCTIONS], ...form])
  return `wasm:${Array.from(hash(new TextEncoder().encode(text)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
