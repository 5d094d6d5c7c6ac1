/** The journal that a run is given: what the guest must request, and what it is answered, in this order. */
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { sameBytes } from '../protocol/same-bytes.ts'
import { decodeValue, valueToJson } from '../protocol/values.ts'

const SHOWN_CHARS_MAX = 200

/** Of what precedes the first difference. */
const CONTEXT_CHARS = 20

const argumentsOf = ({ arguments: bytes }: EffectRequest): string => valueToJson(decodeValue(bytes))

/** Where long texts part. */
const partingAt = (a: string, b: string): number => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** A request in words, for who has to find out why two executions differ: from where it differs from the `other`. */
export const requestWords = (request: EffectRequest, other?: EffectRequest): string => {
  const { n, after, kind } = request
  const text = argumentsOf(request)
  const isLong = text.length > SHOWN_CHARS_MAX && other !== undefined
  const from = isLong ? Math.max(0, partingAt(text, argumentsOf(other)) - CONTEXT_CHARS) : 0
  const shown = `${from > 0 ? '…' : ''}${text.slice(from, from + SHOWN_CHARS_MAX)}`
  return `request ${n} after ${after === 1 ? '1 answer' : `${after} answers`}: ${kind} ${shown}`
}

export interface Divergence {
  n: number
  expected: string
  found: string
}

export class Replay {
  readonly #entries: readonly JournalEntry[]
  /** From here on there are answers alone, to requests before them. */
  readonly #answersFrom: number
  #at: number

  /** `journal`: in order; of which `before` entries lie behind the run already. */
  constructor(journal: readonly JournalEntry[], before = 0) {
    this.#entries = journal
    this.#at = before
    const requests = this.#entries.filter(({ entry }) => entry === 'request').length
    // One to a request that is still to come would otherwise be taken for its answer.
    this.#answersFrom = 1 + this.#entries.findLastIndex(({ entry, n }) => entry === 'request' || n >= requests)
  }

  /** The journal has been gone through: from here on the run is live. */
  get over(): boolean {
    return this.#at >= this.#entries.length
  }

  /**
   * The journal has no more requests. What the guest requests from here on is new, also beside answers: its home may have
   * recorded an answer before it heard of all that was requested together, and then have lost the executor.
   */
  get isLive(): boolean {
    return this.#at >= this.#answersFrom
  }

  /** The guest made `request`; the journal must say so here. */
  meet(request: EffectRequest): Divergence | undefined {
    const entry = this.#entries[this.#at++] as JournalEntry
    if (entry.entry === 'answer')
      return { n: request.n, expected: `to wait for the answer to request ${entry.n}`, found: requestWords(request) }
    const same =
      entry.n === request.n &&
      entry.after === request.after &&
      entry.kind === request.kind &&
      sameBytes(entry.arguments, request.arguments)
    return same
      ? undefined
      : { n: request.n, expected: requestWords(entry, request), found: requestWords(request, entry) }
  }

  /** The guest is at rest: the answer that it was given here, or what else the journal expects. */
  next(): { n: number; answer: Answer } | { divergence: Divergence } {
    const entry = this.#entries[this.#at++] as JournalEntry
    if (entry.entry === 'answer') return entry
    return { divergence: { n: entry.n, expected: requestWords(entry), found: 'no further request' } }
  }

  /** The guest has ended: a request that it should have made. Answers it did not wait for are no divergence. */
  missing(): Divergence | undefined {
    if (this.over) return undefined
    const entry = this.#entries.slice(this.#at).find((one) => one.entry === 'request')
    return entry && { n: entry.n, expected: requestWords(entry as EffectRequest), found: 'the end of the run' }
  }
}
