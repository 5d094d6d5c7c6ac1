import { expect, test } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import type { JournalEntry } from '../../protocol/journal.ts'
import { randomFor } from '../../scripts/test/seed.ts'
import { machine } from '../../scripts/test/world.ts'
import { headOf } from '../receipts.ts'
import { Heads } from './heads.ts'

const { crypto } = machine
const invocation = recordCid(crypto, encodeCanonical('one'))
const bytes = encodeCanonical(null)

/** Requests with their answers, from request `from` on. */
const entries = (from: number, count: number): JournalEntry[] =>
  Array.from({ length: count }, (_, i) => from + i).flatMap((n): JournalEntry[] => [
    { entry: 'request', n, after: n, kind: 'now', arguments: bytes },
    { entry: 'answer', n, answer: { ok: true, value: bytes } },
  ])

test('each is that of the whole, whatever becomes of the journal', () => {
  const { below } = randomFor('heads')
  const heads = new Heads(crypto, invocation)
  let journal: JournalEntry[] = []
  for (let round = 0; round < 200; round++) {
    // Some of it begins anew, with answers of its own or with those that there were.
    if (below(4) === 0) journal = journal.slice(0, 2 * below(1 + journal.length / 2))
    if (below(4) === 0) journal = journal.map((one) => ({ ...one }))
    journal.push(...entries(journal.length / 2, below(4)))
    const asked = journal.slice(0, below(3) === 0 ? below(1 + journal.length) : journal.length)
    expect(heads.of(asked)).toEqual(headOf(crypto, invocation, asked).head)
  }
})

test('of one that grows nothing is hashed twice, also where two of its beginnings are asked for again and again', () => {
  let hashed = 0
  const hash = (of: Uint8Array) => {
    hashed += 1
    return crypto.hash(of)
  }
  const heads = new Heads({ hash }, invocation)
  const journal: JournalEntry[] = []
  for (let round = 0; round < 10; round++) {
    const before = journal.length
    journal.push(...entries(before / 2, 5))
    for (const length of [before, journal.length, before]) heads.of(journal.slice(0, length))
  }
  expect(hashed).toBe(journal.length)
})
