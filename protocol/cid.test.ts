import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { create } from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { cids } from '../scripts/protocol/arbitraries.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { CID, cidDigest, cidFromBytes, cidMatches, ensureCid, isCidText, isMeshCid, rawCid, recordCid } from './cid.ts'
import { encodeCanonical } from './codec.ts'

const crypto = createCrypto()
const bytes = new TextEncoder().encode('hello')
const digest = new Uint8Array(createHash('sha256').update(bytes).digest())

test('names bytes and records by their SHA-256', () => {
  // Computed by other tools: `ipfs add --cid-version 1` gives the first, the second differs in its codec.
  expect(rawCid(crypto, bytes).toString()).toBe('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
  expect(recordCid(crypto, encodeCanonical({})).toString()).toBe(
    'bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua',
  )
  expect(cidDigest(rawCid(crypto, bytes))).toEqual(digest)
})

test('cidMatches tells whether bytes are those of a CID', () => {
  expect(cidMatches(crypto, rawCid(crypto, bytes), bytes)).toBe(true)
  expect(cidMatches(crypto, recordCid(crypto, bytes), bytes)).toBe(true)
  expect(cidMatches(crypto, rawCid(crypto, bytes), bytes.subarray(1))).toBe(false)
  expect(cidMatches(crypto, rawCid(crypto, bytes.subarray(1)), bytes)).toBe(false)
})

describe('cidFromBytes', () => {
  test('gives the CID that the library reads', () =>
    checkProperty(
      'bytes',
      fc.property(cids, (cid) => {
        expect(CID.decode(cid.bytes)).toEqual(cid)
        expect(CID.parse(cid.toString()).equals(cid)).toBe(true)
      }),
    ))

  const good = rawCid(crypto, bytes).bytes
  test.each([
    ['too short', good.subarray(0, 35)],
    ['too long', Uint8Array.of(...good, 0)],
    ['empty', new Uint8Array(0)],
    ['version 2', Uint8Array.of(2, ...good.subarray(1))],
    ['dag-pb', Uint8Array.of(1, 0x70, ...good.subarray(2))],
    ['SHA-512', Uint8Array.of(1, 0x55, 0x13, ...good.subarray(3))],
    ['31 bytes of hash', Uint8Array.of(1, 0x55, 0x12, 31, ...good.subarray(4))],
  ])('gives nothing for one that is %s', (_name, other) => {
    expect(cidFromBytes(other)).toBeUndefined()
    expect(cidFromBytes(good)?.equals(rawCid(crypto, bytes))).toBe(true)
  })
})

test('isMeshCid takes CIDs in use only, and no look-alikes', () => {
  const cid = rawCid(crypto, bytes)
  expect(isMeshCid(cid)).toBe(true)
  const { code, version, multihash } = cid
  for (const x of [null, undefined, 'bafk', cid.bytes, { code, version, multihash, bytes: 1, '/': 1 }, cid.toJSON()])
    expect(isMeshCid(x)).toBe(false)
  const others = [
    CID.createV0(create(0x12, digest)),
    CID.createV1(0x70, multihash),
    CID.createV1(0x55, create(0x13, digest)),
    CID.createV1(0x55, create(0x12, digest.subarray(1))),
  ]
  for (const other of others) expect([other.toString(), isMeshCid(other)]).toEqual([other.toString(), false])
})

test('ensureCid and isCidText agree, and take one text for each CID', () =>
  checkProperty(
    'text',
    fc.property(cids, fc.nat(58), fc.constantFrom('a', '7', '=', 'A', '1', ' '), (cid, at, letter) => {
      const text = cid.toString()
      expect(ensureCid(text).equals(cid)).toBe(true)
      const changed = text.slice(0, at) + letter + text.slice(at + 1)
      if (isCidText(changed)) expect(ensureCid(changed).toString()).toBe(changed)
      else expect(() => ensureCid(changed)).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
      for (const longer of [`${text}=`, `${text}a`, ` ${text}`, `${text}\n`]) expect(isCidText(longer)).toBe(false)
    }),
  ))
