import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ENGINE_ID, engineId } from './engine-id.ts'
import { wasmBytes } from './fixture.ts'

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

test('ENGINE_ID is that of this build', () => {
  expect(ENGINE_ID).toBe(engineId(hash, wasmBytes))
})

test('another binary is another engine', () => {
  expect(engineId(hash, wasmBytes.slice(1))).not.toBe(ENGINE_ID)
})
