/** Keeps a worker to its share of a core: what it computes it makes up for by sleeping, a little at a time. */

/** Computed between two rests: long beside what a rest costs, short beside what a person notices or a fan does. */
const QUANTUM_MS = 10
/**
 * A look takes 1 ms, 4 on busy cores; who ends a worker waits for its end no longer than for a page to answer. What is over
 * sooner is not looked at: between two frames a worker ends by itself.
 */
const LOOK_MS = 50
/** Told of at once when there is so much: enough for a day's account, seldom enough to cost nothing. */
const REPORT_MS = 100

export interface PacerPorts {
  /** Never goes back, ms. */
  now(): number
  /** Stops the thread, where that can be done. */
  sleep: ((ms: number) => void) | undefined
  /** So many ms were computed since it was last called. */
  ran(ms: number): void
  /** Has this worker been ended? Looked at every 50 ms from the beginning of what it does. */
  ended?: (() => boolean) | undefined
}

export class Pacer {
  /** Of a core, above 0 and up to 1. */
  share = 1
  readonly #ports: PacerPorts
  /** When what is under way, work or rest, began. */
  #sinceMs: number
  /** Rest that is due; below zero: taken already. */
  #owedMs = 0
  #unreportedMs = 0
  #lookedMs = 0
  #hasEnded = false

  constructor(ports: PacerPorts) {
    this.#ports = ports
    this.#sinceMs = ports.now()
  }

  /** Ms of rest for each of work. */
  get #rate(): number {
    return 1 / this.share - 1
  }

  /** Work begins. That there was none counts as rest, but is not saved up. */
  begin(): void {
    this.#rested()
    this.#lookedMs = this.#sinceMs
  }

  /** Is it time to rest? Asked often while it computes. */
  due(): boolean {
    if (!this.#ports.sleep) return false
    if (this.#looksEnded()) return true
    const now = this.#ports.now()
    // Also where it need not rest, and is busy for minutes.
    if (now - this.#sinceMs >= REPORT_MS) this.#worked()
    const rate = this.#rate
    return rate > 0 && this.#owedMs + (now - this.#sinceMs) * rate >= QUANTUM_MS * rate
  }

  /** Sleeps as long as is due. */
  rest(): void {
    this.#worked()
    if (this.#hasEnded) this.#ports.sleep?.(Number.POSITIVE_INFINITY)
    if (this.#owedMs > 0) this.#ports.sleep?.(this.#owedMs)
    this.#rested()
  }

  #looksEnded(): boolean {
    if (!this.#ports.ended || this.#ports.now() - this.#lookedMs < LOOK_MS) return this.#hasEnded
    this.#worked()
    this.#hasEnded ||= this.#ports.ended()
    // Meanwhile another thread answered, and this one waited.
    this.#rested()
    this.#lookedMs = this.#sinceMs
    return this.#hasEnded
  }

  /** Work ends for now. Ms of rest that are still due. */
  end(): number {
    this.#worked()
    return Math.max(0, this.#owedMs)
  }

  #worked(): void {
    const ms = this.#passed()
    this.#owedMs += ms * this.#rate
    this.#unreportedMs += ms
    if (this.#unreportedMs < REPORT_MS) return
    this.#ports.ran(this.#unreportedMs)
    this.#unreportedMs = 0
  }

  #rested(): void {
    this.#owedMs = Math.max(this.#owedMs - this.#passed(), -QUANTUM_MS * this.#rate)
  }

  #passed(): number {
    const before = this.#sinceMs
    this.#sinceMs = this.#ports.now()
    return this.#sinceMs - before
  }
}

/**
 * Stops the thread of a worker for some ms. A memory that could be shared can be waited on, also where a page may share
 * none: measured in Chromium 156 and Firefox 153 (docs/decisions/0039). Undefined where a browser has nothing of the kind.
 */
export const threadSleep = (): ((ms: number) => void) | undefined => {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const word = new Int32Array(memory.buffer)
    Atomics.wait(word, 0, 0, 0)
    return (ms) => void Atomics.wait(word, 0, 0, ms)
  } catch {
    return undefined
  }
}
