import type { Clock } from '../protocol/ports.ts'

interface Timer {
  readonly dueMs: number
  /** Of equal ones, which was set first. */
  readonly order: number
  /** Undefined: it has run, or was cancelled. */
  run: (() => void) | undefined
}

const isBefore = (a: Timer, b: Timer): boolean => (a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs)

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
  /** A binary heap, of which the first is due next: a large world has a hundred thousand, most of which are cancelled. */
  readonly #timers: Timer[] = []
  #set = 0
  #pending = 0

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
    const timer: Timer = { dueMs: onGrid(this.#elapsedMs + Math.max(0, delayMs)), order: this.#set++, run }
    this.#push(timer)
    this.#pending++
    return () => void this.#end(timer)
  }

  /** Timers set and neither run nor cancelled. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Moves on by `ms`, running each timer at its own instant, those that timers set on the way included. Between
   * timers, and at both ends, whatever waits on a settled promise runs first. `advance(0)` only lets things settle.
   */
  async advance(ms: number): Promise<void> {
    await settle()
    const untilMs = this.#elapsedMs + ms
    for (let next = this.#timers[0]; next && next.dueMs <= untilMs; next = this.#timers[0]) {
      this.#pop()
      const run = this.#end(next)
      if (!run) continue
      this.#elapsedMs = next.dueMs
      run()
      await settle()
    }
    this.#elapsedMs = untilMs
  }

  /** What it was to run, unless it has ended before. */
  #end(timer: Timer): (() => void) | undefined {
    const { run } = timer
    if (run) this.#pending--
    timer.run = undefined
    return run
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let at = timers.length
    for (let above = (at - 1) >> 1; at > 0 && isBefore(timer, timers[above] as Timer); above = (at - 1) >> 1) {
      timers[at] = timers[above] as Timer
      at = above
    }
    timers[at] = timer
  }

  #pop(): void {
    const timers = this.#timers
    const last = timers.pop() as Timer
    if (timers.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below + 1 < timers.length && isBefore(timers[below + 1] as Timer, timers[below] as Timer)) below++
      if (below >= timers.length || !isBefore(timers[below] as Timer, last)) break
      timers[at] = timers[below] as Timer
      at = below
    }
    timers[at] = last
  }
}
