/** Requests and answers of journals that grow, each looked at once. */
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'

type Given = Extract<JournalEntry, { entry: 'answer' }>

interface JournalParts {
  /** By their numbers. */
  readonly requests: readonly EffectRequest[]
  /** In the order in which they were given. */
  readonly answers: readonly Given[]
}

class Parts implements JournalParts {
  readonly requests: EffectRequest[] = []
  readonly answers: Given[] = []
  #seen = 0
  #last: JournalEntry | undefined

  /** It was not cut since. Entries are never made twice, and none comes before another that it stood behind. */
  areOf(journal: readonly JournalEntry[]): boolean {
    return this.#seen === 0 || journal[this.#seen - 1] === this.#last
  }

  goOn(journal: readonly JournalEntry[]): void {
    for (; this.#seen < journal.length; this.#seen++) {
      const one = journal[this.#seen] as JournalEntry
      this.#last = one
      if (one.entry === 'answer') this.answers.push(one)
      else this.#request(one)
    }
  }

  #request(one: EffectRequest): void {
    const before = this.requests.at(-1)
    this.requests.push(one)
    // So does only a liar.
    if (before && before.n > one.n) this.requests.sort((a, b) => a.n - b.n)
  }
}

const known = new WeakMap<readonly JournalEntry[], Parts>()

/** As `journal` is now, which may grow, or begin anew with some of its entries; to be read before it does. */
export const partsOf = (journal: readonly JournalEntry[]): JournalParts => {
  let parts = known.get(journal)
  if (!parts?.areOf(journal)) {
    parts = new Parts()
    known.set(journal, parts)
  }
  parts.goOn(journal)
  return parts
}
