/** What is remembered of peers as sources of blocks: who sent a wrong one, and who fell silent. */
import type { Clock } from '../protocol/ports.ts'

/** How long a peer that sent wrong bytes or broke the protocol is not asked. */
export const DISTRUST_MS = 10 * 60_000
/** How long a peer that was silent, too slow or out of reach is asked last. */
export const ASK_LAST_MS = 30_000
/** Peers remembered of each sort, the latest; a crowd of strangers must not fill memory. */
const PEERS_MAX = 1024

class Until {
  readonly #untilMs = new Map<string, number>()

  set(peer: string, untilMs: number): void {
    this.#untilMs.delete(peer)
    this.#untilMs.set(peer, untilMs)
    if (this.#untilMs.size > PEERS_MAX) this.#untilMs.delete(this.#untilMs.keys().next().value as string)
  }

  has(peer: string, nowMs: number): boolean {
    return (this.#untilMs.get(peer) ?? Number.NEGATIVE_INFINITY) > nowMs
  }
}

export interface SourceMemory {
  distrust(peer: string): void
  askLast(peer: string): void
  isDistrusted(peer: string): boolean
  /** The first of `peers` that is trusted; one to be asked last only if there is no other. */
  best(peers: readonly string[]): string | undefined
}

export const createSourceMemory = (clock: Pick<Clock, 'monotonic'>): SourceMemory => {
  const distrusted = new Until()
  const last = new Until()
  const isDistrusted = (peer: string) => distrusted.has(peer, clock.monotonic())
  return {
    distrust: (peer) => distrusted.set(peer, clock.monotonic() + DISTRUST_MS),
    askLast: (peer) => last.set(peer, clock.monotonic() + ASK_LAST_MS),
    isDistrusted,
    best: (peers) => {
      const trusted = peers.filter((peer) => !isDistrusted(peer))
      return trusted.find((peer) => !last.has(peer, clock.monotonic())) ?? trusted[0]
    },
  }
}
