import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ENGINE_ID, engineId } from './engine-id.ts'
import { wasmBytes } from './fixture.ts'
import { WASM_ENGINE_ID, wasmEngineId } from './wasm/engine-id.ts'

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

test('ENGINE_ID is that of this build', () => {
  expect(ENGINE_ID).toBe(engineId(hash, wasmBytes))
})

test('another binary is another engine', () => {
  expect(engineId(hash, wasmBytes.slice(1))).not.toBe(ENGINE_ID)
})

test('WASM_ENGINE_ID is that of this build, and with another one ENGINE_ID is another too', () => {
  expect(WASM_ENGINE_ID).toBe(wasmEngineId(hash))
  const otherTier = (bytes: Uint8Array) => (bytes.length > wasmBytes.length ? hash(bytes) : new Uint8Array(32))
  expect(engineId(otherTier, wasmBytes)).not.toBe(ENGINE_ID)
})
