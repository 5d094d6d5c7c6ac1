/** How many handshakes a peer may begin: each costs up to nine signatures, and what neighbours tell each other first. */
import { Buckets, type Pace } from '../protocol/bucket.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Clock } from '../protocol/ports.ts'

/** Under way at a time: two, in case it lost the first and we do not know yet. */
const UNDER_WAY_MAX = 2
/** Whoever loses its links dials again after half a second, then ever more seldom. */
const SHAKES_BURST_MAX = 16
const SHAKES_PER_SECOND_MAX = 1
const PACE: Pace = { burst: SHAKES_BURST_MAX, perSecond: SHAKES_PER_SECOND_MAX }
/** Far more than can be connected. */
const PEERS_MAX = 1024

export class Shakes {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #buckets = new Buckets(PACE, PEERS_MAX)
  /** Under way, by PeerId. */
  readonly #underWay = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Why `peer` may not begin one now; else it has, until `ended` is called. */
  begin(peer: string): MeshError | { ended: () => void } {
    const underWay = this.#underWay.get(peer) ?? 0
    if (underWay >= UNDER_WAY_MAX) return new MeshError('E_BUSY', 'one handshake at a time')
    const nowMs = this.#clock.monotonic()
    if (!this.#buckets.of(peer, nowMs).takeIfThere(nowMs)) {
      return new MeshError('E_BUSY', 'too many handshakes; wait a second before the next')
    }
    this.#underWay.set(peer, underWay + 1)
    return { ended: () => this.#ended(peer) }
  }

  #ended(peer: string): void {
    const left = (this.#underWay.get(peer) ?? 1) - 1
    if (left === 0) this.#underWay.delete(peer)
    else this.#underWay.set(peer, left)
  }
}
