/** The journal that a run is given: what the guest must request, and what it is answered, in this order. */
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { orderJournal } from '../protocol/journal.ts'
import { decodeValue, valueToJson } from '../protocol/values.ts'

const SHOWN_CHARS_MAX = 200

/** A request in words, for who has to find out why two executions differ. */
const shown = ({ n, after, kind, arguments: bytes }: EffectRequest): string =>
  `request ${n} after ${after === 1 ? '1 answer' : `${after} answers`}: ${kind} ${valueToJson(decodeValue(bytes)).slice(0, SHOWN_CHARS_MAX)}`

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

export interface Divergence {
  n: number
  expected: string
  found: string
}

export class Replay {
  readonly #entries: readonly JournalEntry[]
  #at = 0

  constructor(journal: readonly JournalEntry[]) {
    this.#entries = journal.length === 0 ? journal : orderJournal(journal)
  }

  /** The journal has been gone through: from here on the run is live. */
  get over(): boolean {
    return this.#at >= this.#entries.length
  }

  /** The guest made `request`; the journal must say so here. */
  meet(request: EffectRequest): Divergence | undefined {
    const entry = this.#entries[this.#at++]
    if (entry === undefined) return undefined
    if (entry.entry === 'answer')
      return { n: request.n, expected: `to wait for the answer to request ${entry.n}`, found: shown(request) }
    const same =
      entry.n === request.n &&
      entry.after === request.after &&
      entry.kind === request.kind &&
      sameBytes(entry.arguments, request.arguments)
    return same ? undefined : { n: request.n, expected: shown(entry), found: shown(request) }
  }

  /** The guest is at rest: the answer that it was given here, or what else the journal expects. */
  next(): { n: number; answer: Answer } | { divergence: Divergence } {
    const entry = this.#entries[this.#at++] as JournalEntry
    if (entry.entry === 'answer') return entry
    return { divergence: { n: entry.n, expected: shown(entry), found: 'no further request' } }
  }

  /** The guest has ended: a request that it should have made. Answers it did not wait for are no divergence. */
  missing(): Divergence | undefined {
    if (this.over) return undefined
    const entry = this.#entries.slice(this.#at).find((one) => one.entry === 'request')
    return entry && { n: entry.n, expected: shown(entry as EffectRequest), found: 'the end of the run' }
  }
}
