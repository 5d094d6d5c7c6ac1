import { expect, test } from 'vitest'
import type { JournalEntry } from '../protocol/journal.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { partsOf } from './journal-parts.ts'

const bytes = new Uint8Array()
const request = (n: number): JournalEntry => ({ entry: 'request', n, after: 0, kind: 'now', arguments: bytes })
const answer = (n: number): JournalEntry => ({ entry: 'answer', n, answer: { ok: true, value: bytes } })

test('of a journal that grows, and begins anew with some of what it was, they are those of the whole', () => {
  const { below } = randomFor('parts')
  const journal: JournalEntry[] = []
  for (let round = 0; round < 300; round++) {
    const proven = below(20)
    if (below(5) === 0) journal.splice(0, journal.length, ...journal.filter(({ n }) => n < proven))
    for (let more = below(4); more > 0; more--) journal.push(below(2) === 0 ? request(below(40)) : answer(below(40)))
    const requests = journal.filter(({ entry }) => entry === 'request').sort((a, b) => a.n - b.n)
    const answers = journal.filter(({ entry }) => entry === 'answer')
    expect(partsOf(journal)).toMatchObject({ requests, answers })
  }
})
