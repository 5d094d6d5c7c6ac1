/** The page's clock. Its timers are kept by a worker while nobody sees the page: there browsers do not slow them down. */
import type { Clock } from '../protocol/ports.ts'
import type { TimerOrder } from './timers.ts'

/** Browsers keep a delay in 32 bits and run a longer one at once; a longer wait is made of several. */
const DELAY_MS_MAX = 2 ** 31 - 1

interface Timer {
  dueMs: number
  run(): void
  /** Of the page's own timer. */
  handle?: ReturnType<typeof setTimeout>
}

/** `workerUrl`: the program of this folder's workers. Without a timer nothing of it is left. */
export const createPageClock = (workerUrl: string): Clock => new PageClock(workerUrl)

class PageClock implements Clock {
  readonly #workerUrl: string
  readonly #timers = new Map<number, Timer>()
  readonly #soon = new MessageChannel()
  #nextId = 1
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
    this.#timers.set(id, { dueMs: performance.now() + delayMs, run })
    // A timer takes milliseconds; "as soon as possible" is after what has already happened.
    if (delayMs <= 0) this.#soon.port2.postMessage(id)
    else this.#arm(id)
    return () => this.#cancel(id)
  }

  /** When the page's own timer fires a little early, or after a part of a long wait, it is set again. */
  #arm(id: number): void {
    const timer = this.#timers.get(id)
    if (!timer) return
    const delayMs = Math.min(Math.max(0, timer.dueMs - performance.now()), DELAY_MS_MAX)
    if (document.hidden) this.#tell([id, delayMs])
    else timer.handle = setTimeout(() => this.#due(id), delayMs)
  }

  #due(id: number): void {
    const timer = this.#timers.get(id)
    if (!timer) return
    if (timer.dueMs - performance.now() > 1) this.#arm(id)
    else this.#fire(id)
  }

  #fire(id: number): void {
    const timer = this.#timers.get(id)
    this.#remove(id)
    timer?.run()
  }

  #cancel(id: number): void {
    const timer = this.#timers.get(id)
    if (timer?.handle !== undefined) clearTimeout(timer.handle)
    else if (timer) this.#keeper?.postMessage([id] satisfies TimerOrder)
    this.#remove(id)
  }

  #remove(id: number): void {
    if (!this.#timers.delete(id) || this.#timers.size > 0) return
    document.removeEventListener('visibilitychange', this.#watch)
    this.#keeper?.terminate()
    this.#keeper = undefined
  }

  /** The page has come into view, or gone out of it. */
  #rearm(): void {
    for (const [id, timer] of this.#timers) {
      clearTimeout(timer.handle)
      delete timer.handle
      this.#arm(id)
    }
  }

  #tell(order: TimerOrder): void {
    if (!this.#keeper) {
      this.#keeper = new Worker(this.#workerUrl, { type: 'module', name: 'wayside-timers' })
      this.#keeper.onmessage = ({ data }) => this.#due(data)
      this.#keeper.postMessage('timers')
    }
    this.#keeper.postMessage(order)
  }
}
