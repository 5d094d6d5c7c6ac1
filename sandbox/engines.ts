/** Every engine that a sandbox of this version runs, the newest of its tier first. */
import { ENGINE_ID } from './engine-id.ts'
import { WASM_ENGINE_ID } from './wasm/engine-id.ts'

export const ENGINES: readonly string[] = [ENGINE_ID, WASM_ENGINE_ID]
