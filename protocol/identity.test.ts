import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey as libraryPeerId, peerIdFromString } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSigner } from '../node/crypto.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { isPeerId, peerIdFromPublicKey, publicKeyOf } from './identity.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** RFC 8032, 7.1: secret and public keys of TEST 1 to TEST 3. */
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
  ],
] as const

test.each(RFC_8032)('the key of RFC 8032 has the PeerId that libp2p gives it: %s', (secret, publicKey) => {
  expect(createSigner(hex(secret)).publicKey).toEqual(hex(publicKey))
  const peerId = peerIdFromPublicKey(hex(publicKey))
  expect(peerId).toBe(libraryPeerId(publicKeyFromRaw(hex(publicKey))).toString())
  expect(publicKeyOf(peerId)).toEqual(hex(publicKey))
})

test('every key has one PeerId, and libp2p reads the key from it', () =>
  checkProperty(
    'keys',
    fc.property(keys, (key) => {
      const peerId = peerIdFromPublicKey(key)
      expect(isPeerId(peerId)).toBe(true)
      expect(publicKeyOf(peerId)).toEqual(key)
      expect(peerIdFromString(peerId).publicKey?.raw).toEqual(key)
    }),
    { runs: 300 },
  ))

test('a key has 32 bytes', () => {
  for (const length of [0, 31, 33])
    expect(() => peerIdFromPublicKey(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }))
})

describe('texts that look like PeerIds', () => {
  const letters = [...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz']
  const lookAlikes = fc
    .array(fc.constantFrom(...letters), { minLength: 44, maxLength: 44 })
    .map((rest) => `12D3KooW${rest.join('')}`)

  /** By libp2p: an Ed25519 PeerId that is written so. */
  const libraryAccepts = (text: string): boolean => {
    try {
      const peerId = peerIdFromString(text)
      return peerId.type === 'Ed25519' && peerId.toString() === text && peerId.publicKey.raw.length === 32
    } catch {
      return false
    }
  }

  test('are PeerIds if libp2p says so', async () => {
    let real = 0
    await checkProperty(
      'look-alikes',
      fc.property(lookAlikes, (text) => {
        expect(isPeerId(text)).toBe(libraryAccepts(text))
        if (isPeerId(text)) real++
      }),
      { runs: 1000 },
    )
    expect(real).toBeGreaterThan(100)
    expect(real).toBeLessThan(900)
  })

  test('are refused on both sides of the first and the last', () => {
    const first = peerIdFromPublicKey(new Uint8Array(32))
    const last = peerIdFromPublicKey(new Uint8Array(32).fill(255))
    const next = (text: string, step: number) =>
      text.slice(0, -1) + letters[letters.indexOf(text.at(-1) as string) + step]
    expect([isPeerId(first), isPeerId(next(first, 1)), isPeerId(next(first, -1))]).toEqual([true, true, false])
    expect([isPeerId(last), isPeerId(next(last, -1)), isPeerId(next(last, 1))]).toEqual([true, true, false])
  })

  test('make publicKeyOf say what was wrong', () => {
    expect(() => publicKeyOf('12D3KooW')).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE', message: 'not an Ed25519 PeerId: 12D3KooW' }),
    )
  })
})
