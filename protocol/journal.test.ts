import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryOf, schemaOf } from '../scripts/protocol/arbitraries.ts'
import { crypto } from '../scripts/protocol/test-keys.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { encodeCanonical } from './codec.ts'
import { awaitedIn, type JournalEntry, journalEntry, journalFault, journalHead, orderJournal } from './journal.ts'

const entries = fc.array(arbitraryOf(schemaOf(journalEntry())) as fc.Arbitrary<JournalEntry>, {
  minLength: 1,
  maxLength: 6,
})
const start = new Uint8Array(32).fill(7)
const headOf = (journal: readonly JournalEntry[]) =>
  journal.reduce<Uint8Array>((head, entry) => journalHead(crypto, head, entry), start)

describe('journalHead', () => {
  test('is the SHA-256 of the head before and the bytes of the entry', () =>
    checkProperty(
      'spec',
      fc.property(entries, (journal) => {
        let expected: Uint8Array = start
        for (const entry of journal)
          expected = createHash('sha256').update(expected).update(encodeCanonical(entry)).digest()
        expect(Buffer.compare(headOf(journal), expected)).toBe(0)
      }),
    ))

  test('changes with the order, the number and the start of the entries', () =>
    checkProperty(
      'chain',
      fc.property(entries, (journal) => {
        expect(headOf(journal)).not.toEqual(headOf(journal.slice(1)))
        expect(headOf(journal)).not.toEqual(headOf([...journal, journal[0] as JournalEntry]))
        expect(journalHead(crypto, new Uint8Array(32), journal[0] as JournalEntry)).not.toEqual(
          headOf(journal.slice(0, 1)),
        )
        const bytes = journal.map((entry) => Buffer.from(encodeCanonical(entry)).toString('hex'))
        if (new Set(bytes).size > 1 && bytes.join() !== bytes.toReversed().join())
          expect(headOf(journal.toReversed())).not.toEqual(headOf(journal))
      }),
    ))
})

const request = (n: number, after: number): JournalEntry => ({
  entry: 'request',
  n,
  after,
  kind: 'call',
  arguments: new Uint8Array(0),
})
const answer = (n: number): JournalEntry => ({ entry: 'answer', n, answer: { ok: true, value: new Uint8Array(0) } })

/** A run as the guest saw it: it makes some requests, is given one answer, makes some more, and so on. */
const runs = fc.array(fc.record({ requests: fc.nat(3), picks: fc.nat(1000) }), { maxLength: 8 }).map((steps) => {
  const journal: JournalEntry[] = []
  const open: number[] = []
  let made = 0
  let given = 0
  for (const { requests, picks } of steps) {
    for (let i = 0; i < requests; i++) {
      open.push(made)
      journal.push(request(made++, given))
    }
    const [n] = open.splice(picks % Math.max(1, open.length), 1)
    if (n === undefined) continue
    journal.push(answer(n))
    given++
  }
  return journal
})

describe('orderJournal', () => {
  test('leaves the order in which the guest saw them', () =>
    checkProperty(
      'ordered',
      fc.property(runs, (journal) => {
        expect(orderJournal(journal)).toEqual(journal)
      }),
    ))

  test('finds it again, however late the requests came', () =>
    checkProperty(
      'crossed',
      fc.property(runs, fc.infiniteStream(fc.nat(6)), (journal, delays) => {
        const late = journal.map((entry, i) => ({
          entry,
          at: i + (entry.entry === 'request' ? (delays.next().value as number) : 0),
        }))
        // An answer cannot be recorded before its request, nor requests in another order: the channel keeps it.
        const recorded: JournalEntry[] = []
        const waiting = late.filter(({ entry }) => entry.entry === 'request')
        for (const { entry, at } of late.filter(({ entry }) => entry.entry === 'answer')) {
          while (waiting[0] && (waiting[0].at < at || recordedRequests(recorded) <= entry.n))
            recorded.push((waiting.shift() as { entry: JournalEntry }).entry)
          recorded.push(entry)
        }
        recorded.push(...waiting.map(({ entry }) => entry))
        expect(orderJournal(recorded)).toEqual(journal)
      }),
      { runs: 300 },
    ))

  test('puts a request that came too late before the answers that the guest had not been given', () => {
    const recorded = [request(0, 0), answer(0), request(1, 0), answer(1), request(2, 1)]
    expect(orderJournal(recorded)).toEqual([request(0, 0), request(1, 0), answer(0), request(2, 1), answer(1)])
  })
})

describe('journalFault', () => {
  test('finds none in a whole journal', () =>
    checkProperty(
      'whole',
      fc.property(runs, (journal) => {
        expect(journalFault(journal)).toBeUndefined()
      }),
    ))

  test.each<[string, JournalEntry[]]>([
    ['request 1 stands where request 0 should', [request(1, 0)]],
    ['request 2 stands where request 1 should', [request(0, 0), answer(0), request(2, 1)]],
    ['request 0 stands where request 1 should', [request(0, 0), request(0, 0)]],
    ['an answer to request 1, which waits for none there', [request(0, 0), answer(1)]],
    ['an answer to request 0, which waits for none there', [request(0, 0), answer(0), answer(0)]],
    ['request 1 was made after 1 answers, of which 0 are there', [request(0, 0), request(1, 1)]],
  ])('%s', (fault, journal) => {
    expect(journalFault(journal)).toBe(fault)
  })
})

describe('awaitedIn', () => {
  const put = (n: number, after: number): JournalEntry => ({ ...request(n, after), kind: 'put' }) as JournalEntry

  test('has the requests that have no answer yet, and none that will never have one', () => {
    const journal = [request(0, 0), put(1, 0), request(2, 0), answer(2), put(3, 1), request(4, 1)]
    expect([...awaitedIn(journal)]).toEqual([0, 4])
    expect(awaitedIn([put(0, 0), put(1, 0)]).size).toBe(0)
  })

  test('and those stand in the journal where the guest made them', () => {
    const recorded = [request(0, 0), answer(0), put(1, 0), request(2, 1), put(3, 1)]
    expect(orderJournal(recorded)).toEqual([request(0, 0), put(1, 0), answer(0), request(2, 1), put(3, 1)])
  })
})

const recordedRequests = (entries: readonly JournalEntry[]) => entries.filter(({ entry }) => entry === 'request').length
