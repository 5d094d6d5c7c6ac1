/** One timer for many: it rings at the earliest instant that was asked for. */
import type { Clock } from '../protocol/ports.ts'

export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #lateMs: number
  #atMs = Number.POSITIVE_INFINITY
  #cancel = () => {}
  #ended = false
  /** The last time that it rang. */
  #wasLate = false

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

  /** It should have rung, and has not: whoever set it was stopped, or asleep. Whoever is late each time is only slow. */
  isOverdue(nowMs: number): boolean {
    return !this.#wasLate && nowMs - this.#atMs >= this.#lateMs
  }

  /** It has rung, or is to ring no more; true if it was overdue. */
  rang(nowMs: number): boolean {
    this.#wasLate = this.isOverdue(nowMs)
    this.#clear()
    return this.#wasLate
  }

  #clear(): void {
    this.#cancel()
    this.#atMs = Number.POSITIVE_INFINITY
  }

  end(): void {
    this.#clear()
    this.#ended = true
  }
}
