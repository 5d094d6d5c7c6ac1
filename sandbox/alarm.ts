/** One timer for many: it rings at the earliest instant that was asked for. */
import type { Clock } from '../protocol/ports.ts'

export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #lateMs: number
  #atMs = Number.POSITIVE_INFINITY
  #cancel = () => {}
  #ended = false

  /** `lateMs`: so much later than it was to ring, whoever set it was itself stopped. */
  constructor(clock: Clock, lateMs: number, ring: () => void) {
    this.#clock = clock
    this.#lateMs = lateMs
    this.#ring = ring
  }

  /** Rings at `atMs` on the monotonic clock, or before. */
  set(atMs: number): void {
    if (atMs >= this.#atMs || this.#ended) return
    this.#cancel()
    this.#atMs = atMs
    this.#cancel = this.#clock.after(Math.max(0, atMs - this.#clock.monotonic()), this.#ring)
  }

  /** It should have rung, and has not: whoever set it was stopped, or asleep. */
  isOverdue(nowMs: number): boolean {
    return nowMs - this.#atMs >= this.#lateMs
  }

  clear(): void {
    this.#cancel()
    this.#atMs = Number.POSITIVE_INFINITY
  }

  end(): void {
    this.clear()
    this.#ended = true
  }
}
