import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { expect, test } from 'vitest'
import * as ofPages from './ed25519-keys.ts'

test('an Ed25519 key has the same bytes and PeerId as in the package', async () => {
  const { publicKey } = await generateKeyPair('Ed25519')
  const bytes = publicKeyToProtobuf(publicKey)
  const read = ofPages.publicKeyFromProtobuf(bytes)
  expect(read.toString()).toBe(publicKey.toString())
  expect(ofPages.publicKeyToProtobuf(read)).toEqual(bytes)
  expect(ofPages.publicKeyFromMultihash(publicKey.toMultihash()).toString()).toBe(publicKey.toString())
  expect(ofPages.publicKeyFromRaw(publicKey.raw).toString()).toBe(publicKey.toString())
})

test.each(['secp256k1', 'ECDSA', 'RSA'] as const)('a key of %s is refused by its name', async (kind) => {
  const bytes = publicKeyToProtobuf((await generateKeyPair(kind as 'ECDSA')).publicKey)
  expect(() => ofPages.publicKeyFromProtobuf(bytes)).toThrow(`of the kind ${kind}; a page knows peers by Ed25519 keys`)
})
