/** Whom those who let peers in answer for: of each, how much weighs on it for guests that had to be expelled. Pure. */
import { chargesAfterExpulsion, chargesAfterRight } from './trust.ts'

/** Of those who let peers in; whoever was charged longest ago is forgotten first. */
export const CHARGED_MAX = 1024

/** A line: a peer, who let it in, and so on up to the operator. */
export class Charges {
  /** Above 0; whoever was charged longest ago first. */
  readonly #byPeer = new Map<string, number>()

  at(peer: string): number {
    return this.#byPeer.get(peer) ?? 0
  }

  set(peer: string, charges: number): void {
    if (charges > 0) this.#byPeer.set(peer, charges)
    else this.#byPeer.delete(peer)
  }

  /** What weighs on a peer for those who let it in: the most of one of them. */
  on(line: readonly string[]): number {
    if (this.#byPeer.size === 0) return 0
    return line.reduce((most, one) => Math.max(most, this.at(one)), 0)
  }

  /** One more of its receipts was right. Whose charges that changed. */
  right(line: readonly string[]): string[] {
    if (this.#byPeer.size === 0) return []
    const charged = line.slice(1).filter((one) => this.#byPeer.has(one))
    for (const one of charged) this.set(one, chargesAfterRight(this.at(one)))
    return charged
  }

  /** It is expelled, and had been taken on trust. Whose charges that changed. */
  expelled(line: readonly string[]): string[] {
    const forgotten: string[] = []
    for (const [above, one] of line.entries()) {
      const charges = chargesAfterExpulsion(this.at(one), above, line.length)
      this.#byPeer.delete(one)
      this.set(one, charges)
      if (this.#byPeer.size <= CHARGED_MAX) continue
      const [oldest] = this.#byPeer.keys()
      this.#byPeer.delete(oldest as string)
      forgotten.push(oldest as string)
    }
    return [...line, ...forgotten]
  }
}
