/** Whom those who let peers in, or vouch for them, answer for: how much weighs on each for guests that had to be expelled. Pure. */
import { chargesAfterExpulsion, chargesAfterRight, wordLeft } from './trust.ts'

/** Of those who answer; whoever was longest in no line of a peer that was checked is forgotten first. */
export const CHARGED_MAX = 1024

/** Those who answer for a peer. */
export interface Answering {
  /** The peer, who let it in, and so on up to the founder; on a public mesh all that ever vouched for it, and the founder. */
  readonly line: readonly string[]
  /** On a public mesh: the peer, and those of the line who vouch for it now, the nearest first. Undefined: somebody has let it in. */
  readonly vouchers?: readonly string[] | undefined
}

export interface Answer {
  /** Expelled guests, less what was made up for. */
  readonly charges: number
  /** On a public mesh: right receipts of those for whom it vouches itself. */
  readonly earned: number
}

const NOTHING: Answer = { charges: 0, earned: 0 }

export class Charges {
  /** The one longest unused first. */
  readonly #byPeer = new Map<string, Answer>()

  of(peer: string): Answer {
    return this.#byPeer.get(peer) ?? NOTHING
  }

  set(peer: string, answer: Answer): void {
    this.#byPeer.delete(peer)
    if (answer.charges > 0 || answer.earned > 0) this.#byPeer.set(peer, answer)
  }

  /** What weighs on a peer for those who answer for it: the most of one of them. The founder of a public mesh has let in nobody. */
  on({ line, vouchers }: Answering): number {
    if (this.#byPeer.size === 0) return 0
    const answering = vouchers ? line.slice(0, -1) : line
    return answering.reduce((most, one) => Math.max(most, this.of(one).charges), 0)
  }

  /**
   * How many right receipts it still takes until the word of one of its vouchers, itself included, counts; 0 from then on.
   * `rightsOf`: those that a peer has given itself; -Infinity for one whose word is worth nothing.
   */
  wanted({ line, vouchers }: Answering, rightsOf: (peer: string) => number): number {
    const ofFounder = this.of(line.at(-1) as string).charges
    if (!vouchers || ofFounder === 0) return 0
    const left = vouchers.map((one) => {
      const { charges, earned } = this.of(one)
      return wordLeft(rightsOf(one) + earned, ofFounder, charges)
    })
    return Math.max(0, Math.min(...left))
  }

  /**
   * One more receipt of the first of the line was right. It makes up for those who answer for it: the founder of a public mesh only
   * where nobody else does. And it is earned once, by who vouches for that peer itself. Whose answer changed.
   */
  right({ line, vouchers = [] }: Answering): string[] {
    const [, nearest, ...further] = vouchers
    const above = nearest === undefined ? line.slice(1) : [nearest, ...further]
    const changed = above.filter((one) => one === nearest || this.#byPeer.has(one))
    for (const one of changed) {
      const { charges, earned } = this.of(one)
      this.set(one, { charges: chargesAfterRight(charges), earned: one === nearest ? earned + 1 : earned })
    }
    return [...changed, ...this.#forget()]
  }

  /**
   * It is expelled, and had been taken on trust. Whose answer changed. The founder of a public mesh bears all of it: who makes operators
   * of its own is one of its strangers.
   */
  expelled({ line, vouchers }: Answering): string[] {
    for (const [above, one] of line.entries()) {
      const { charges, earned } = this.of(one)
      const length = vouchers ? Number.POSITIVE_INFINITY : line.length
      this.set(one, { charges: chargesAfterExpulsion(charges, above, length), earned })
    }
    return [...line, ...this.#forget()]
  }

  #forget(): string[] {
    if (this.#byPeer.size <= CHARGED_MAX) return []
    const over = [...this.#byPeer.keys()].slice(0, this.#byPeer.size - CHARGED_MAX)
    for (const one of over) this.#byPeer.delete(one)
    return over
  }
}
