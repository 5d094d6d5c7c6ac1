/** The compiled encoders against `encodeCanonical`, which they replace. */
import fc from 'fast-check'
import { CID as LibraryCid } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { arbitraryOf } from '../scripts/protocol/arbitraries.ts'
import { limitCases } from '../scripts/protocol/limit-cases.ts'
import { MESSAGE_CASES } from '../scripts/protocol/targets.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { encodeCanonical } from './codec.ts'
import { compileEncoder } from './compiled-encoder.ts'
import type { Schema } from './compiled-layout.ts'
import { PeerFrame } from './frames.ts'
import { Membership } from './mesh.ts'

describe.each(MESSAGE_CASES)('$name', ({ name, message, schema }) => {
  test('has the canonical bytes, and is written by its schema', () =>
    checkProperty(
      `bytes of ${name}`,
      fc.property(arbitraryOf(schema), (x) => {
        expect(message.encode(x)).toEqual(encodeCanonical(x))
        // What is written without the schema is written whatever its prototype.
        expect(message.encode(Object.assign(Object.create(null), x))).toEqual(encodeCanonical(x))
      }),
    ))

  test('is written as it is where it does not fit', () => {
    for (const { good, bad } of limitCases(schema))
      for (const x of [...good, ...bad]) expect(Buffer.compare(message.encode(x), encodeCanonical(x))).toBe(0)
  })
})

const membership = fc.sample(arbitraryOf(Membership.schema as never), { seed: 1, numRuns: 1 })[0] as Membership

test.each<[string, unknown, string]>([
  ['undefined', { ...membership, v: undefined }, 'a undefined'],
  ['NaN', { ...membership, expires_ms: Number.NaN }, 'the number NaN'],
  ['a bigint', { ...membership, expires_ms: 1n }, 'a bigint'],
  ['an instance of a class', Object.assign(new (class Point {})(), membership), 'an object of class Point'],
  [
    'a CID of version 0',
    { ...membership, mesh: LibraryCid.parse('QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n') },
    'an object of class CID',
  ],
])('refuses %s, and writes the next as if nothing had been', (_name, x, why) => {
  expect(() => Membership.encode(x as Membership)).toThrow(
    expect.objectContaining({ code: 'E_INTERNAL', message: expect.stringContaining(why) }),
  )
  expect(Membership.encode(membership)).toEqual(encodeCanonical(membership))
})

test('has bytes of its own, whatever is written after', () => {
  const lengths = Array.from({ length: 1500 }, (_, i) => i)
  const outcome = (length: number) => ({
    t: 'answers' as const,
    items: [{ id: 1, outcome: new Uint8Array(length).fill(length) }],
  })
  const written = lengths.map((length) => PeerFrame.encode(outcome(length)))
  for (const length of lengths)
    expect(Buffer.compare(written[length] as Uint8Array, encodeCanonical(outcome(length)))).toBe(0)
})

test('a name that changes is written anew', () => {
  const others = fc.sample(arbitraryOf(Membership.schema as never), { seed: 2, numRuns: 20 }) as Membership[]
  for (const one of [...others, ...others]) expect(Membership.encode(one)).toEqual(encodeCanonical(one))
})

test('a schema of a kind that no message holds is refused at once', () => {
  for (const schema of [
    { type: 'date' },
    { type: 'custom', check: () => true },
    { type: 'strict_object', entries: { a: { type: 'any' } } },
  ] as Schema[])
    expect(() => compileEncoder(schema)).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }))
})
