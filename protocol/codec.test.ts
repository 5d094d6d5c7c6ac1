import * as library from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID as LibraryCid } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { cids, values } from '../scripts/protocol/arbitraries.ts'
import { mutate, type Sample, sampleOf } from '../scripts/protocol/mutate.ts'
import { TARGETS } from '../scripts/protocol/targets.ts'
import { readList } from '../scripts/protocol/vector-files.ts'
import { checkProperty, randomFor } from '../scripts/test/seed.ts'
import { cidFromBytes } from './cid.ts'
import { decodeCanonical, encodeCanonical } from './codec.ts'
import { MeshError } from './errors.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const refusal = (message: RegExp | string) =>
  expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringMatching(message) })

const nested = (levels: number, head: string, leaf: string) => hex(head.repeat(levels) + leaf)

describe('decodeCanonical refuses', () => {
  test.each(readList('cbor_invalid.txt'))('%s: %s', (text) => {
    expect(() => decodeCanonical(hex(text))).toThrow(refusal(/^bytes: not canonical DAG-CBOR, byte \d+: ./))
  })

  test.each([
    ['', 'byte 0: it ends early'],
    ['0000', 'byte 1: bytes after the end'],
    ['821817', 'byte 3: an integer or a length in more bytes than it needs'],
    ['1b0020000000000000', 'byte 9: an integer past 2^53'],
    ['a2616200616100', 'byte 6: the key "a" twice or out of order'],
    ['c000', 'byte 1: tag 0'],
  ])('%s, naming the place and the rule', (text, message) => {
    expect(() => decodeCanonical(hex(text))).toThrow(`bytes: not canonical DAG-CBOR, ${message}`)
  })

  test.each(['81', 'a16161'])('nesting over 130 levels of %s, at once', (head) => {
    expect(encodeCanonical(decodeCanonical(nested(130, head, '00')))).toEqual(nested(130, head, '00'))
    expect(() => decodeCanonical(nested(131, head, '00'))).toThrow(refusal('over 130 levels'))
    expect(() => decodeCanonical(nested(1_000_000, head, '00'))).toThrow(refusal('over 130 levels'))
  })
})

describe('encodeCanonical', () => {
  test.each<[unknown, string]>([
    [0, '00'],
    [-0, '00'],
    [23, '17'],
    [24, '1818'],
    [256, '190100'],
    [65_536, '1a00010000'],
    [2 ** 32, '1b0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [-1, '20'],
    [Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
    [1.5, 'fb3ff8000000000000'],
    [2 ** 53, 'fb4340000000000000'],
    [null, 'f6'],
    [true, 'f5'],
    [false, 'f4'],
    ['', '60'],
    ['\u{feff}a', '64efbbbf61'],
    ['😀', '64f09f9880'],
    ['\ud800', '63efbfbd'],
    [new Uint8Array(0), '40'],
    [Uint8Array.of(1, 2), '420102'],
    [[], '80'],
    [{}, 'a0'],
    [Object.create(null), 'a0'],
    [{ bb: 1, a: 2, b: 3 }, 'a3616102616203626262 01'],
    // U+FF61 sorts after U+1F600 in UTF-16 and before it in UTF-8; equal lengths need the pair below.
    [{ '｡a': 1, '😀': 2 }, 'a264efbda16101 64f09f9880 02'],
    [{ '/': 1, bytes: 1 }, 'a2 612f 01 656279746573 01'],
    [JSON.parse('{"__proto__":1}'), 'a1695f5f70726f746f5f5f01'],
  ])('writes %j', (x, expected) => {
    expect(hexOf(encodeCanonical(x))).toBe(expected.replaceAll(' ', ''))
  })

  class Point {
    x = 1
  }
  const cycle: unknown[] = []
  cycle.push(cycle)

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['a property that is undefined', { a: undefined }, 'undefined'],
    ['NaN', Number.NaN, 'NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['a bigint', 1n, 'bigint'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('x'), 'symbol'],
    ['an instance of a class', new Point(), 'Point'],
    ['a Map', new Map(), 'Map'],
    ['a Float64Array', new Float64Array(1), 'Float64Array'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'ArrayBuffer'],
    ['a cycle', cycle, 'over 130 levels'],
    [
      'a CID of version 0',
      LibraryCid.parse('QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'),
      'an object of class CID',
    ],
  ])('refuses %s', (_name, x, why) => {
    expect(() => encodeCanonical(x)).toThrow(
      expect.objectContaining({ code: 'E_INTERNAL', message: expect.stringContaining(why) }),
    )
    expect(hexOf(encodeCanonical(['after', 1]))).toBe('8265616674657201')
  })

  test('gives bytes of their own, whatever is written after', () => {
    const first = encodeCanonical('first')
    const large = encodeCanonical(new Uint8Array(100_000).fill(7))
    encodeCanonical('other')
    expect(decodeCanonical(first)).toBe('first')
    expect(decodeCanonical(large)).toEqual(new Uint8Array(100_000).fill(7))
    expect(first.buffer.byteLength).toBe(first.length)
  })
})

test('what is read shares no memory with its message, even where that is a Buffer', () => {
  const message = Buffer.from(encodeCanonical([Uint8Array.of(1, 2, 3)]))
  const [read] = decodeCanonical(message) as [Uint8Array]
  message.fill(0)
  expect(read).toEqual(Uint8Array.of(1, 2, 3))
  expect(read).not.toBeInstanceOf(Buffer)
})

test('keys that are something on every object are keys like others', () => {
  const read = decodeCanonical(encodeCanonical(JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":3}')))
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  expect(Object.entries(read as object)).toEqual([
    ['toString', 3],
    ['__proto__', { x: 1 }],
    ['constructor', 2],
  ])
})

test('keys that fall on one place of the cache stay apart', () => {
  const keys = Array.from({ length: 2000 }, (_, i) => `k${i * 7919}`)
  for (const key of [...keys, ...keys.reverse()])
    expect(decodeCanonical(encodeCanonical({ [key]: 1 }))).toEqual({ [key]: 1 })
})

/** Throws for what no message may hold, though the library reads and writes it, and for what it cannot write. */
const ensureWithin = (x: unknown): void => {
  if (typeof x === 'bigint') throw new Error('an integer past 2^53')
  if (typeof x !== 'object' || x === null || x instanceof Uint8Array) return
  if (x instanceof LibraryCid && !cidFromBytes(x.bytes)) throw new Error('a CID not in use')
  if (!(x instanceof LibraryCid)) for (const inside of Object.values(x)) ensureWithin(inside)
}

/** By the library: it reads `bytes`, and what it read it writes to the same bytes. */
const libraryAccepts = (bytes: Uint8Array): boolean => {
  try {
    const read = library.decode(bytes)
    ensureWithin(read)
    return Buffer.compare(library.encode(read), bytes) === 0
  } catch {
    return false
  }
}

const weAccept = (bytes: Uint8Array): boolean => {
  try {
    return Buffer.compare(library.encode(decodeCanonical(bytes)), bytes) === 0
  } catch (error) {
    if (error instanceof MeshError) return false
    throw error
  }
}

/** The library drops a U+FEFF that begins a text, and trips over a map whose "/" equals its "bytes". */
const libraryErrs = (bytes: Uint8Array): boolean => {
  const buffer = Buffer.from(bytes)
  return ['efbbbf', '612f'].some((part) => buffer.includes(part, 'hex'))
}

test('accepts what @ipld/dag-cbor reads and writes back, and nothing else', () => {
  const random = randomFor('library')
  const samples = TARGETS.filter(({ isText }) => !isText).flatMap(({ valid }) =>
    fc.sample(valid, { seed: random.below(2 ** 31), numRuns: 10 }).map((bytes) => sampleOf(bytes, false)),
  )
  const draw = () => samples[random.below(samples.length)] as Sample
  let accepted = 0
  for (let i = 0; i < 30_000; i++) {
    const bytes = mutate(random, draw(), draw())
    if (libraryErrs(bytes)) continue
    if (weAccept(bytes)) accepted++
    if (weAccept(bytes) !== libraryAccepts(bytes)) expect.unreachable(`they differ on ${hexOf(bytes)}`)
  }
  expect(accepted).toBeGreaterThan(3000)
})

test('reads what it wrote, and writes what it read', async () => {
  const things = fc.oneof(
    cids,
    values.filter((x) => !holdsBigint(x)),
  )
  await checkProperty(
    'round trip',
    fc.property(things, (x) => {
      const bytes = encodeCanonical(x)
      const read = decodeCanonical(bytes)
      expect(read).toEqual(x)
      expect(encodeCanonical(read)).toEqual(bytes)
    }),
    { runs: 1000 },
  )
})

const holdsBigint = (x: unknown): boolean =>
  typeof x === 'bigint' || (typeof x === 'object' && x !== null && Object.values(x).some(holdsBigint))
