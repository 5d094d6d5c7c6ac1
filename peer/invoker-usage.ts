/**
 * What each invoker has lately used of this machine, and when it asked. What is used drains at the rate of the quota:
 * over any time an invoker gets what its minutes allow, and one minute's worth more at once.
 */
import type { Clock } from '../protocol/ports.ts'
import type { Quota } from './admission.ts'

/** Far more than can be connected; the one that asked longest ago is forgotten first. */
export const INVOKERS_MAX = 1024
/** Whoever asked within it counts as waiting for its part. */
const LATELY_MS = 60_000
const MINUTE_MS = 60_000

interface Usage {
  fuel: number
  bytes: number
  /** Until when it has been drained, monotonic. */
  atMs: number
}

const drained = (used: number, perMinute: number, ms: number): number =>
  perMinute === Number.POSITIVE_INFINITY ? 0 : Math.max(0, used - (perMinute * ms) / MINUTE_MS)

export class InvokerUsage {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #quota: Quota
  /** The one that asked longest ago first. */
  readonly #byPeer = new Map<string, Usage>()
  #last = { peer: '', atMs: Number.NEGATIVE_INFINITY }
  /** The last to ask besides that one. */
  #other = { peer: '', atMs: Number.NEGATIVE_INFINITY }

  constructor(clock: Pick<Clock, 'monotonic'>, quota: Quota) {
    this.#clock = clock
    this.#quota = quota
  }

  get size(): number {
    return this.#byPeer.size
  }

  /** Notes that it asks, and returns what it has used. */
  asks(peer: string): Readonly<Usage> {
    const usage = this.#of(peer)
    this.#byPeer.delete(peer)
    this.#byPeer.set(peer, usage)
    if (this.#byPeer.size > INVOKERS_MAX) this.#byPeer.delete(this.#byPeer.keys().next().value as string)
    if (this.#last.peer !== peer) this.#other = this.#last
    this.#last = { peer, atMs: usage.atMs }
    return usage
  }

  /** Has anybody else asked lately? */
  isContended(peer: string): boolean {
    const { atMs } = this.#last.peer === peer ? this.#other : this.#last
    return this.#clock.monotonic() - atMs < LATELY_MS
  }

  /** Nothing is noted of one that has been forgotten. */
  used(peer: string, { fuel = 0, bytes = 0 }: { fuel?: number; bytes?: number }): void {
    const usage = this.#byPeer.get(peer)
    if (!usage) return
    this.#drain(usage)
    usage.fuel += fuel
    usage.bytes += bytes
  }

  #of(peer: string): Usage {
    const usage = this.#byPeer.get(peer) ?? { fuel: 0, bytes: 0, atMs: this.#clock.monotonic() }
    this.#drain(usage)
    return usage
  }

  #drain(usage: Usage): void {
    const nowMs = this.#clock.monotonic()
    usage.fuel = drained(usage.fuel, this.#quota.fuelPerMinute, nowMs - usage.atMs)
    usage.bytes = drained(usage.bytes, this.#quota.bytesPerMinute, nowMs - usage.atMs)
    usage.atMs = nowMs
  }
}
