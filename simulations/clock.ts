import type { Clock } from '../protocol/ports.ts'

interface Timer {
  readonly dueMs: number
  readonly run: () => void
}

/** Everything already queued as a microtask, and what that queues in turn, has run when this resolves. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Sums of such instants are exact: what is left of a time, waited for, is over then. */
const onGrid = (ms: number): number => Math.ceil(ms * 1024) / 1024

/**
 * A clock that stands still until it is told to advance. `now()` and `monotonic()` have different origins, so that
 * mixing them up shows.
 */
export class FakeClock implements Clock {
  #elapsedMs = 0
  readonly #startMs: number
  /** By due time; equal ones in the order they were set. */
  readonly #timers: Timer[] = []

  /** `startMs`: the wall-clock instant at which it begins. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

  /** Whole ms, as of any machine. */
  now(): number {
    return this.#startMs + Math.floor(this.#elapsedMs)
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: onGrid(this.#elapsedMs + Math.max(0, delayMs)), run }
    this.#timers.splice(this.#firstAfter(timer.dueMs), 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index !== -1) this.#timers.splice(index, 1)
    }
  }

  /** By halving: a large world sets a timer for each task. */
  #firstAfter(dueMs: number): number {
    let [low, high] = [0, this.#timers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#timers[middle] as Timer).dueMs > dueMs) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Timers set and neither run nor cancelled. */
  get pending(): number {
    return this.#timers.length
  }

  /**
   * Moves on by `ms`, running each timer at its own instant, those that timers set on the way included. Between
   * timers, and at both ends, whatever waits on a settled promise runs first. `advance(0)` only lets things settle.
   */
  async advance(ms: number): Promise<void> {
    await settle()
    const untilMs = this.#elapsedMs + ms
    for (let next = this.#timers[0]; next && next.dueMs <= untilMs; next = this.#timers[0]) {
      this.#timers.shift()
      this.#elapsedMs = next.dueMs
      next.run()
      await settle()
    }
    this.#elapsedMs = untilMs
  }
}
