/** The page's clock. Its timers are kept by a worker while nobody sees the page: there browsers do not slow them down. */
import type { Clock } from '../protocol/ports.ts'
import type { TimerOrder } from './timers.ts'

/** Browsers keep a delay in 32 bits and run a longer one at once; a longer wait is made of several. */
const DELAY_MS_MAX = 2 ** 31 - 1
/** Browsers may be as much too early. */
const EARLY_MS = 1

interface Timer {
  /** Infinity: it comes as soon as possible, without a wait. */
  dueMs: number
  run(): void
}

/** `workerUrl`: the program of this folder's workers. Without a timer nothing of it is left. */
export const createPageClock = (workerUrl: string): Clock => new PageClock(workerUrl)

/**
 * It has itself woken for the timer that is due first, and for none besides: most are called off before they are due,
 * and a message to the keeper costs more than what most of them would do.
 */
class PageClock implements Clock {
  readonly #workerUrl: string
  readonly #timers = new Map<number, Timer>()
  readonly #soon = new MessageChannel()
  #nextId = 1
  /** When it will be woken; Infinity: not at all. */
  #wakeMs = Number.POSITIVE_INFINITY
  /** Of the page's own timer. */
  #handle: ReturnType<typeof setTimeout> | undefined
  #keeper: Worker | undefined
  readonly #watch = () => this.#rearm()

  constructor(workerUrl: string) {
    this.#workerUrl = workerUrl
    this.#soon.port1.onmessage = ({ data }) => this.#fire(data)
  }

  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#nextId++
    if (this.#timers.size === 0) document.addEventListener('visibilitychange', this.#watch)
    const dueMs = delayMs <= 0 ? Number.POSITIVE_INFINITY : performance.now() + delayMs
    this.#timers.set(id, { dueMs, run })
    // A timer takes milliseconds; "as soon as possible" is after what has already happened.
    if (delayMs <= 0) this.#soon.port2.postMessage(id)
    else this.#wakeBy(dueMs)
    return () => this.#remove(id)
  }

  #wakeBy(dueMs: number): void {
    if (dueMs >= this.#wakeMs) return
    this.#wakeMs = dueMs
    clearTimeout(this.#handle)
    const delayMs = Math.min(Math.max(0, dueMs - performance.now()), DELAY_MS_MAX)
    if (document.hidden) this.#tell(delayMs)
    else this.#handle = setTimeout(() => this.#woken(), delayMs)
  }

  /** When it was woken a little early, for one called off, or after a part of a long wait, nothing is due yet. */
  #woken(): void {
    const nowMs = performance.now() + EARLY_MS
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= nowMs).sort(([, a], [, b]) => a.dueMs - b.dueMs)
    try {
      for (const [id] of due) this.#fire(id)
    } finally {
      this.#rearm()
    }
  }

  #fire(id: number): void {
    const timer = this.#timers.get(id)
    this.#remove(id)
    timer?.run()
  }

  #remove(id: number): void {
    if (!this.#timers.delete(id) || this.#timers.size > 0) return
    document.removeEventListener('visibilitychange', this.#watch)
    clearTimeout(this.#handle)
    this.#wakeMs = Number.POSITIVE_INFINITY
    this.#keeper?.terminate()
    this.#keeper = undefined
  }

  /** Also when the page has come into view, or gone out of it. */
  #rearm(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY
    let firstMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of this.#timers.values()) firstMs = Math.min(firstMs, dueMs)
    this.#wakeBy(firstMs)
  }

  #tell(delayMs: number): void {
    if (!this.#keeper) {
      this.#keeper = new Worker(this.#workerUrl, { type: 'module', name: 'wayside-timers' })
      this.#keeper.onmessage = () => this.#woken()
      this.#keeper.postMessage('timers')
    }
    this.#keeper.postMessage(delayMs satisfies TimerOrder)
  }
}
