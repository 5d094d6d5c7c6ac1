import { expect, test } from 'vitest'
import { machine } from '../scripts/test/world.ts'
import { withKeyedHashes } from './keyed-hash.ts'

const key = (first: number) => Uint8Array.from({ length: 32 }, (_, i) => first + i)
const bytes = Uint8Array.of(1, 2, 3)

test('what a signer signed is its own, to the bit', async () => {
  const { crypto, createSigner } = withKeyedHashes(machine)
  const [one, other] = [createSigner(key(1)), createSigner(key(2))]
  const signature = await one.sign(bytes)
  expect(crypto.verify(one.publicKey, bytes, signature)).toBe(true)
  expect(crypto.verify(other.publicKey, bytes, signature)).toBe(false)
  expect(crypto.verify(one.publicKey, Uint8Array.of(1, 2, 3, 0), signature)).toBe(false)
  for (let i = 0; i < signature.length; i++) {
    const changed = signature.slice()
    changed[i]! ^= 1
    expect(crypto.verify(one.publicKey, bytes, changed)).toBe(false)
  }
})

test('a key of another world, or too short a signature, is not believed', async () => {
  const [here, there] = [withKeyedHashes(machine), withKeyedHashes(machine)]
  const { publicKey, sign } = there.createSigner(key(1))
  const signature = await sign(bytes)
  expect(here.crypto.verify(publicKey, bytes, signature)).toBe(false)
  expect(there.crypto.verify(publicKey, bytes, signature.subarray(0, 32))).toBe(false)
})
