/** The journal of one invocation: requests and answers, hash-chained from the invocation's CID. */
import * as v from 'valibot'
import { encodeCanonical } from './codec.ts'
import { EFFECT_KINDS, isDeferred, READ_KINDS } from './effects.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import {
  ANSWER_BLOCKS_MAX,
  GUESS_ARGUMENTS_BYTES_MAX,
  GUESS_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
} from './limits.ts'
import type { Crypto } from './ports.ts'
import { bytes, cid, integer, list, optional, text } from './schema.ts'

/**
 * An effect's answer: an encoded Value, or an error the function can catch. With `blocks` the value is what these come to,
 * one after another, and `value` is empty: each but the last has STATE_BLOCK_BYTES, and the home has them.
 */
export const answer = () =>
  v.variant('ok', [
    v.strictObject({
      ok: v.literal(true),
      value: bytes(OUTPUT_BYTES_MAX),
      blocks: optional(list(cid(), ANSWER_BLOCKS_MAX, 1)),
    }),
    v.strictObject({ ok: v.literal(false), code: v.picklist(Object.keys(ERRORS) as ErrorCode[]), message: text() }),
  ])

export type Answer = v.InferOutput<ReturnType<typeof answer>>

/**
 * Entries stand in the order in which the guest made requests and was given answers; `n` counts requests from 0.
 * `after` is how many answers the guest had been given when it made the request: it fixes the order even where
 * requests and answers crossed on the wire. A deferred request (effects.ts) stands without an answer.
 */
export const journalEntry = () =>
  v.variant('entry', [
    v.strictObject({
      entry: v.literal('request'),
      n: integer(0, REQUESTS_MAX - 1),
      after: integer(0, REQUESTS_MAX),
      kind: v.picklist(EFFECT_KINDS),
      arguments: bytes(OUTPUT_BYTES_MAX),
    }),
    v.strictObject({ entry: v.literal('answer'), n: integer(0, REQUESTS_MAX - 1), answer: answer() }),
  ])

export type JournalEntry = v.InferOutput<ReturnType<typeof journalEntry>>
export type EffectRequest = Omit<Extract<JournalEntry, { entry: 'request' }>, 'entry'>

/** A read that its home expects of a function, and what the answer is: no part of the journal until it is requested. */
export const guess = () =>
  v.strictObject({
    kind: v.picklist(READ_KINDS),
    arguments: bytes(GUESS_ARGUMENTS_BYTES_MAX),
    value: bytes(GUESS_BYTES_MAX),
  })

export type Guess = v.InferOutput<ReturnType<typeof guess>>

/** The head after one more entry: SHA-256 of the head before it and the entry's canonical bytes. */
export const journalHead = (crypto: Crypto, head: Uint8Array, entry: JournalEntry): Uint8Array => {
  const encoded = encodeCanonical(entry)
  const joined = new Uint8Array(head.length + encoded.length)
  joined.set(head)
  joined.set(encoded, head.length)
  return crypto.hash(joined)
}

/** The requests in `journal` that wait for an answer. A deferred one never has any. */
export const awaitedIn = (journal: readonly JournalEntry[]): Set<number> => {
  const awaited = new Set<number>()
  for (const one of journal) if (one.entry === 'request' && !isDeferred(one.kind)) awaited.add(one.n)
  for (const { entry, n } of journal) if (entry === 'answer') awaited.delete(n)
  return awaited
}

/** The one order of entries that a home may have recorded as they crossed: each request stands before answer `after` + 1. */
export const orderJournal = (entries: readonly JournalEntry[]): JournalEntry[] => {
  const requests = entries.filter((one) => one.entry === 'request').sort((a, b) => a.n - b.n)
  const ordered: JournalEntry[] = []
  let next = 0
  let given = 0
  for (const one of entries) {
    if (one.entry !== 'answer') continue
    for (let r = requests[next]; r && r.after <= given; r = requests[next]) {
      ordered.push(r)
      next++
    }
    ordered.push(one)
    given++
  }
  return ordered.concat(requests.slice(next))
}

/** What is missing in a journal, or there too often, in words; undefined: it is whole. */
export const journalFault = (entries: readonly JournalEntry[]): string | undefined => {
  const awaited = new Set<number>()
  let requests = 0
  let answers = 0
  for (const one of entries) {
    if (one.entry === 'answer') {
      if (!awaited.delete(one.n)) return `an answer to request ${one.n}, which waits for none there`
      answers += 1
      continue
    }
    if (one.n !== requests) return `request ${one.n} stands where request ${requests} should`
    if (one.after > answers)
      return `request ${one.n} was made after ${one.after} answers, of which ${answers} are there`
    if (!isDeferred(one.kind)) awaited.add(one.n)
    requests += 1
  }
  return undefined
}
