/** How much of what others prove is looked at: what a proof costs is a run of a stranger's choice. */

/** Of one sender: more liars than that are not found in a minute by one that is honest. */
export const PROOFS_PER_SENDER_PER_MINUTE_MAX = 3
/** Of all: with 5 s for a run, half a slot at most. */
export const PROOFS_PER_MINUTE_MAX = 6
const MINUTE_MS = 60_000

/** At most so many in any minute. */
class Allowance {
  readonly #max: number
  #takenMs: number[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** Nothing has been taken within the last minute. */
  isFull(nowMs: number): boolean {
    return this.#left(nowMs) === this.#max
  }

  take(nowMs: number): boolean {
    if (this.#left(nowMs) === 0) return false
    this.#takenMs.push(nowMs)
    return true
  }

  #left(nowMs: number): number {
    this.#takenMs = this.#takenMs.filter((ms) => nowMs - ms < MINUTE_MS)
    return this.#max - this.#takenMs.length
  }
}

export class ProofBudget {
  readonly #ofAll = new Allowance(PROOFS_PER_MINUTE_MAX)
  readonly #bySender = new Map<string, Allowance>()

  /** May one more of this sender be read? Its signatures are checked then. */
  read(sender: string, nowMs: number): boolean {
    const allowance = this.#bySender.get(sender) ?? new Allowance(PROOFS_PER_SENDER_PER_MINUTE_MAX)
    this.#bySender.set(sender, allowance)
    const isTaken = allowance.take(nowMs)
    for (const [peer, one] of this.#bySender) if (one.isFull(nowMs)) this.#bySender.delete(peer)
    return isTaken
  }

  /** May one more be run? */
  run(nowMs: number): boolean {
    return this.#ofAll.take(nowMs)
  }
}
