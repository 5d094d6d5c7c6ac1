/** What a run has requested by now, and how far that was answered. */
import { type EffectKind, isDeferred, largePutIn } from '../protocol/effects.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { PUT_BLOCKS_MAX } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'

export class Asked {
  readonly requests: Outcome['requests'] = []
  readonly #unanswered = new Set<number>()
  /** Answers given. */
  answers = 0
  /** Of the arguments of all. */
  bytes = 0
  /** Of all that was put in some. */
  #blocks = 0

  /** The run waits for an answer. */
  get waits(): boolean {
    return this.#unanswered.size > 0
  }

  /** So many blocks more may be put. */
  hasRoomFor(blocks: number): boolean {
    return this.#blocks + blocks <= PUT_BLOCKS_MAX
  }

  awaits(n: number): boolean {
    return this.#unanswered.has(n)
  }

  /** The next request, which the run now makes. */
  next(kind: EffectKind, encoded: Uint8Array): EffectRequest {
    return { n: this.requests.length, after: this.answers, kind, arguments: encoded }
  }

  made({ n, kind, arguments: encoded }: EffectRequest): void {
    this.requests.push({ kind, arguments: encoded })
    this.bytes += encoded.length
    this.#blocks += largePutIn(kind, encoded)?.blocks.length ?? 0
    if (!isDeferred(kind)) this.#unanswered.add(n)
  }

  /** False: request `n` waits for no answer. */
  answered(n: number): boolean {
    if (!this.#unanswered.delete(n)) return false
    this.answers++
    return true
  }

  /** Of the beginning of a journal that is in order. */
  static in(entries: readonly JournalEntry[]): Asked {
    const asked = new Asked()
    for (const one of entries) {
      if (one.entry === 'request') asked.made(one)
      else asked.answered(one.n)
    }
    return asked
  }
}
