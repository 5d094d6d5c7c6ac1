import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { CID as LibraryCid } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { cids } from '../scripts/protocol/arbitraries.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import {
  type CID,
  cidDigest,
  cidFromBytes,
  cidMatches,
  ensureCid,
  isCidText,
  isMeshCid,
  rawCid,
  recordCid,
} from './cid.ts'
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
  test('gives the CID that the library reads, and knows as one', () =>
    checkProperty(
      'bytes',
      fc.property(cids, (cid) => {
        const read = LibraryCid.decode(cid.bytes)
        const parts = (x: CID | LibraryCid) => [x.version, x.code, x.bytes, x['/'], Object.prototype.toString.call(x)]
        const texts = (x: CID | LibraryCid) => [x.toString(), x.toString(), `${x}`, JSON.stringify(x)]
        expect([parts(cid), texts(cid)]).toEqual([parts(read), texts(read)])
        expect({ ...cid.multihash }).toEqual({ ...read.multihash })
        expect(LibraryCid.asCID(cid)?.equals(read)).toBe(true)
        expect(cid.equals(cidFromBytes(cid.bytes.slice()))).toBe(true)
        expect(cidDigest(cid)).toEqual(read.multihash.digest)
      }),
    ))

  test('differs from another in any byte, and from what is none', () =>
    checkProperty(
      'others',
      fc.property(cids, cids, (cid, other) => {
        const same = Buffer.compare(cid.bytes, other.bytes) === 0
        expect(cid.equals(other)).toBe(same)
        const hash = cid.bytes.slice()
        hash[4] = (hash[4] as number) ^ 1
        const near = cidFromBytes(hash) as CID
        const far = cidFromBytes(Uint8Array.of(1, cid.code ^ 0x55 ^ 0x71, ...cid.bytes.subarray(2))) as CID
        for (const x of [near, far, undefined, null, cid.toString(), cid.bytes])
          expect(cid.equals(x as CID)).toBe(false)
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

test('isMeshCid takes CIDs of our own making only, and no look-alikes', () => {
  const cid = rawCid(crypto, bytes)
  expect(isMeshCid(cid)).toBe(true)
  const { code, version, multihash } = cid
  for (const x of [null, undefined, 'bafk', cid.bytes, { code, version, multihash, bytes: 1, '/': 1 }, cid.toJSON()])
    expect(isMeshCid(x)).toBe(false)
  const others = [
    LibraryCid.createV0(create(0x12, digest)),
    LibraryCid.createV1(0x70, create(0x12, digest)),
    LibraryCid.createV1(0x55, create(0x13, digest)),
    LibraryCid.createV1(0x55, create(0x12, digest.subarray(1))),
    LibraryCid.createV1(0x55, create(0x12, digest)),
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
