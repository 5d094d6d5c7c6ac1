/** Peers that are known and not connected: where they are, who told of them, and when they are worth a dial. */
import type { Coordinate } from '../protocol/records.ts'

/** Enough to choose from; some 300 KiB at most. */
export const ACQUAINTANCES_MAX = 256

export interface Acquaintance {
  readonly peer: string
  addresses: readonly string[]
  /** Who told of it last; it itself, if it was a neighbour; empty: nobody. */
  teller: string
  /** Of the advertisement that told of it; 0: none did. */
  sequence: number
  /** As it says; undefined: it has not. */
  coordinate: Coordinate | undefined
  lends: boolean
  /** The lot between it and us, in [0, 1). */
  readonly lot: number
  /** Called once if it cannot be dialled. */
  unreached: (() => void) | undefined
  /** The first dial since it was last there came to nobody. */
  isUnreached?: boolean
  /** It is dialled only to see how near it is. */
  isProbe: boolean
  /** Dials that failed since it was last there. */
  tries: number
  /** Monotonic instant from which it may be dialled; Infinity: it is being dialled. */
  dueMs: number
}

export class Acquaintances {
  /** The one longest known first. */
  readonly #byPeer = new Map<string, Acquaintance>()

  get(peer: string): Acquaintance | undefined {
    return this.#byPeer.get(peer)
  }

  all(): Iterable<Acquaintance> {
    return this.#byPeer.values()
  }

  remove(peer: string): void {
    this.#byPeer.delete(peer)
  }

  /** Where there are too many, whoever told of most of them has told of one too many. */
  add(acquaintance: Acquaintance): void {
    this.#byPeer.set(acquaintance.peer, acquaintance)
    if (this.#byPeer.size > ACQUAINTANCES_MAX) this.#byPeer.delete(this.#leastWanted())
  }

  /** The one longest known of those told by whoever told of most. */
  #leastWanted(): string {
    const counts = new Map<string, number>()
    let most = ''
    for (const { teller } of this.#byPeer.values()) {
      const count = (counts.get(teller) ?? 0) + 1
      counts.set(teller, count)
      if (count > (counts.get(most) ?? 0)) most = teller
    }
    for (const { peer, teller } of this.#byPeer.values()) if (teller === most) return peer
    return most
  }
}
