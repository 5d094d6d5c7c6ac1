/** The journal of one invocation: requests and answers, hash-chained from the invocation's CID. */
import * as v from 'valibot'
import { encodeCanonical } from './codec.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { OUTPUT_BYTES_MAX, REQUESTS_MAX } from './limits.ts'
import { EFFECT_KINDS } from './outcome.ts'
import type { Crypto } from './ports.ts'
import { bytes, integer, text } from './schema.ts'

/** An effect's answer: an encoded Value, or an error the function can catch. */
export const answer = () =>
  v.variant('ok', [
    v.strictObject({ ok: v.literal(true), value: bytes(OUTPUT_BYTES_MAX) }),
    v.strictObject({ ok: v.literal(false), code: v.picklist(Object.keys(ERRORS) as ErrorCode[]), message: text() }),
  ])

export type Answer = v.InferOutput<ReturnType<typeof answer>>

/** Entries stand in the order in which requests were made and answers delivered; `n` counts requests from 0. */
export const journalEntry = () =>
  v.variant('entry', [
    v.strictObject({
      entry: v.literal('request'),
      n: integer(0, REQUESTS_MAX - 1),
      kind: v.picklist(EFFECT_KINDS),
      arguments: bytes(OUTPUT_BYTES_MAX),
    }),
    v.strictObject({ entry: v.literal('answer'), n: integer(0, REQUESTS_MAX - 1), answer: answer() }),
  ])

export type JournalEntry = v.InferOutput<ReturnType<typeof journalEntry>>
export type EffectRequest = Omit<Extract<JournalEntry, { entry: 'request' }>, 'entry'>

/** The head after one more entry: SHA-256 of the head before it and the entry's canonical bytes. */
export const journalHead = (crypto: Crypto, head: Uint8Array, entry: JournalEntry): Uint8Array => {
  const encoded = encodeCanonical(entry)
  const joined = new Uint8Array(head.length + encoded.length)
  joined.set(head)
  joined.set(encoded, head.length)
  return crypto.hash(joined)
}
