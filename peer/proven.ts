/** What a function is known to have requested, because this peer has run it up to there. */
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** The part of `journal` that leads to `request`, and nothing that came later. */
export const leadingTo = (journal: readonly JournalEntry[], request: EffectRequest): JournalEntry[] => {
  const requests = journal.filter(({ entry, n }) => entry === 'request' && n <= request.n)
  return [...requests, ...journal.filter(({ entry }) => entry === 'answer').slice(0, request.after)]
}

/** The part of `journal` that leads to the rest behind so many answers. */
export const restAfter = (journal: readonly JournalEntry[], answers: number): JournalEntry[] => {
  const requests = journal.filter((one) => one.entry === 'request' && one.after <= answers)
  return [...requests, ...journal.filter(({ entry }) => entry === 'answer').slice(0, answers)]
}

/**
 * Of the journals of one call, the beginning that is its function's own. What was done for it is done: whoever goes on
 * with the call, after an execution that made something up, goes on from here.
 */
export class Proven {
  #journal: JournalEntry[] = []
  readonly #underWay = new Map<number, Promise<Answer>>()
  #requests = 0

  /** Requests, and what was answered to them. */
  get journal(): readonly JournalEntry[] {
    return this.#journal
  }

  has(n: number): boolean {
    return n < this.#requests
  }

  /** Is this what it is known to request there? */
  isRequest({ n, kind, arguments: encoded }: EffectRequest): boolean {
    const known = this.#journal.find((one) => one.entry === 'request' && one.n === n)
    return known?.entry === 'request' && known.kind === kind && sameBytes(known.arguments, encoded)
  }

  /** The first `count` requests of `journal` are. */
  add(journal: readonly JournalEntry[], count: number): void {
    if (count <= this.#requests) return
    this.#requests = count
    this.#journal = journal.filter(({ n }) => n < count)
  }

  /** Of what it requested only the first `count` still hold. */
  cut(count: number): void {
    if (count >= this.#requests) return
    this.#requests = count
    this.#journal = this.#journal.filter(({ n }) => n < count)
    for (const n of [...this.#underWay.keys()]) if (n >= count) this.#underWay.delete(n)
  }

  /** It is being answered, for whoever goes on. */
  promise(n: number, answer: Promise<Answer>): void {
    this.#underWay.set(n, answer)
  }

  /** The answer to come, where one was promised. */
  underWay(n: number): Promise<Answer> | undefined {
    return this.#underWay.get(n)
  }

  /** Resolves when all that was promised by now is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values())
  }

  /** Request `n` was answered. */
  answered(n: number, answer: Answer): void {
    if (!this.has(n) || this.#journal.some((one) => one.entry === 'answer' && one.n === n)) return
    this.#journal.push({ entry: 'answer', n, answer })
  }
}
