/** The compiled decoders against the slow way, which says what a message is: read, then check with the schema. */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { arbitraryOf } from '../scripts/protocol/arbitraries.ts'
import { limitCases } from '../scripts/protocol/limit-cases.ts'
import { mutate, type Sample, sampleOf } from '../scripts/protocol/mutate.ts'
import { MESSAGE_CASES, type MessageCase } from '../scripts/protocol/targets.ts'
import { checkProperty, randomFor } from '../scripts/test/seed.ts'
import { decodeMessage, encodeCanonical } from './codec.ts'
import { compileDecoder } from './compiled-decoder.ts'
import type { Schema } from './compiled-layout.ts'
import { MeshError } from './errors.ts'
import { type FrameOf, PeerFrame } from './frames.ts'
import { MESSAGE_ITEMS_MAX } from './limits.ts'
import { ensureShape, integer, list } from './schema.ts'

/** What the slow way makes of `bytes`: undefined where it refuses them. */
const readSlowly = ({ message }: MessageCase, bytes: Uint8Array): unknown => {
  try {
    return ensureShape(message.name, message.schema, decodeMessage(bytes, message.name))
  } catch (error) {
    if (error instanceof MeshError) return undefined
    throw error
  }
}

const MUTATIONS = 2000
const ACCEPTED_MIN = MUTATIONS / 100

describe.each(MESSAGE_CASES)('$name', (one) => {
  const { name, message, schema } = one
  const read = compileDecoder(message.schema as unknown as Schema)

  test('is read whenever it is valid, as the slow way reads it', () =>
    checkProperty(
      `valid ${name}`,
      fc.property(arbitraryOf(schema), (x) => {
        const bytes = encodeCanonical(x)
        expect(read(bytes)).toEqual(x)
        expect(read(Buffer.from(bytes))).toEqual(x)
      }),
    ))

  test('is read at each limit and not past it, as the slow way does', () => {
    for (const x of [...limitCases(schema)].flatMap(({ good, bad }) => [...good, ...bad])) {
      const bytes = encodeCanonical(x)
      if (bytes.length > message.bytesMax) continue
      const [fast, slow] = [read(bytes), readSlowly(one, bytes)]
      expect(fast === undefined).toBe(slow === undefined)
      if (fast) expect(Buffer.compare(encodeCanonical(fast), bytes)).toBe(0)
    }
  })

  test('is read or not as the slow way does, however it is changed', () => {
    const random = randomFor(name)
    const samples = fc
      .sample(arbitraryOf(schema), { seed: random.below(2 ** 31), numRuns: 20 })
      .map((x) => sampleOf(encodeCanonical(x), false))
    const draw = () => samples[random.below(samples.length)] as Sample
    const seen = { accepted: 0, refused: 0 }
    // Where a message is hardly more than structure, one change in sixty leaves it valid.
    for (let i = 0; i < MUTATIONS || (seen.accepted < ACCEPTED_MIN && i < 5 * MUTATIONS); i++) {
      const bytes = mutate(random, draw(), draw())
      const slowly = readSlowly(one, bytes)
      const fast = read(bytes)
      if (slowly || fast) expect(fast).toEqual(slowly)
      seen[slowly ? 'accepted' : 'refused']++
    }
    // Both ends are reached.
    expect(seen.accepted).toBeGreaterThanOrEqual(ACCEPTED_MIN)
    expect(seen.refused).toBeGreaterThan(MUTATIONS / 10)
  })
})

test('what is read shares no memory with its message', () => {
  const lengths = [0, 1, 64, 65, 1000, 1024, 1025, 50_000]
  const frame: PeerFrame = {
    t: 'answers',
    items: lengths.map((length, id) => ({ id, outcome: new Uint8Array(length).fill(id + 1) })),
  }
  const bytes = PeerFrame.encode(frame)
  for (const given of [bytes.slice(), Buffer.from(bytes)]) {
    const read = PeerFrame.decode(given)
    given.fill(0)
    expect(read).toEqual(frame)
  }
})

test('who keeps a short byte string of a long message keeps little else', () => {
  const items = Array.from({ length: 1000 }, (_, id) => ({ id, outcome: new Uint8Array(id).fill(id) }))
  const bytes = PeerFrame.encode({ t: 'answers', items })
  expect(bytes.length).toBeGreaterThan(400_000)
  const read = PeerFrame.decode(bytes) as FrameOf<'answers'>
  for (const { outcome } of read.items) expect(outcome.buffer.byteLength).toBeLessThanOrEqual(8192)
  expect(read.items).toEqual(items)
})

test('no more items are read than a message may hold', () => {
  const digits = list(integer(0, 9), 2 * MESSAGE_ITEMS_MAX)
  const records = list(v.strictObject({ digit: integer(0, 9) }), MESSAGE_ITEMS_MAX)
  const half = MESSAGE_ITEMS_MAX / 2
  for (const [schema, item, longest] of [
    [digits, 0, MESSAGE_ITEMS_MAX - 1],
    [records, { digit: 0 }, half - 1],
  ] as const) {
    const read = compileDecoder(schema as unknown as Schema)
    const good = encodeCanonical(Array(longest).fill(item))
    expect(read(good)).toHaveLength(longest)
    expect(decodeMessage(good, 'good')).toHaveLength(longest)
    const bad = encodeCanonical(Array(longest + 1).fill(item))
    expect(read(bad)).toBeUndefined()
    expect(() => decodeMessage(bad, 'bad')).toThrow('over 262144 items')
  }
})

test('all that a pipe sets holds, not what it sets last', () => {
  const narrow = v.pipe(
    v.string(),
    v.minLength(2),
    v.minLength(1),
    v.maxLength(3),
    v.maxLength(4),
    v.check((text) => text.startsWith('a')),
    v.regex(/z$/),
  )
  const read = compileDecoder(narrow as unknown as Schema)
  const texts = ['az', 'abz', 'a', 'z', 'abbz', 'ab', 'bz']
  expect(texts.filter((text) => read(encodeCanonical(text)) !== undefined)).toEqual(['az', 'abz'])
  expect(texts.filter((text) => v.is(narrow, text))).toEqual(['az', 'abz'])
})

test('a schema of a kind that no message holds is refused at once', () => {
  const literal = (text: string) => ({ type: 'strict_object', entries: { t: { type: 'literal', literal: text } } })
  for (const schema of [
    { type: 'date' },
    { type: 'number', pipe: [{ type: 'number' }, { type: 'multiple_of', requirement: 2 }] },
    {
      type: 'strict_object',
      entries: {},
      pipe: [{ type: 'strict_object' }, { type: 'check', requirement: () => true }],
    },
    v.custom((x) => typeof x === 'object') as unknown as Schema,
    { type: 'variant', key: 't', options: [literal('a'), literal('a')] },
  ] as Schema[])
    expect(() => compileDecoder(schema)).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }))
})
