/** libp2p keeps what it knows of a peer for six hours. Strangers come and go faster than that. */
import type { PeerId } from '@libp2p/interface'

export class Departed {
  readonly #max: number
  readonly #forget: (peer: PeerId) => void
  /** The longest gone first. */
  readonly #peers = new Map<string, PeerId>()

  /** `forget` is called for the one that left first, once more than `max` have left and not come back. */
  constructor(max: number, forget: (peer: PeerId) => void) {
    this.#max = max
    this.#forget = forget
  }

  came(peer: PeerId): void {
    this.#peers.delete(peer.toString())
  }

  left(peer: PeerId): void {
    this.#peers.set(peer.toString(), peer)
    if (this.#peers.size <= this.#max) return
    const [name, first] = this.#peers.entries().next().value as [string, PeerId]
    this.#peers.delete(name)
    this.#forget(first)
  }
}
