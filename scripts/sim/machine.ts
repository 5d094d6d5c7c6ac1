/** What worlds take from this machine. */
import { readFileSync } from 'node:fs'
import { createCrypto, createSigner } from '../../node/crypto.ts'
import type { Machine } from '../../simulations/world.ts'
import { ENGINE_FILE } from '../engine/source.ts'

export const machine: Machine = {
  crypto: createCrypto(),
  createSigner,
  wasm: new WebAssembly.Module(new Uint8Array(readFileSync(ENGINE_FILE))),
}
