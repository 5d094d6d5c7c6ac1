import type { Clock } from '../../protocol/ports.ts'

/** One direction between two peers: what is sent arrives in order, after its latency, while the way is free. */
export class MemoryLink {
  readonly #clock: Clock
  readonly #latencyMs: () => number
  readonly #arrivals: (() => void)[] = []
  #cuts = 0
  /** Arrivals that came due while the way was cut. */
  #overdue = 0

  constructor(clock: Clock, latencyMs: () => number) {
    this.#clock = clock
    this.#latencyMs = latencyMs
  }

  get isCut(): boolean {
    return this.#cuts > 0
  }

  send(arrival: () => void): void {
    this.#arrivals.push(arrival)
    const latencyMs = this.#latencyMs()
    if (latencyMs > 0) this.#clock.after(latencyMs, () => this.#next())
    else queueMicrotask(() => this.#next())
  }

  cut(): void {
    this.#cuts += 1
  }

  heal(): void {
    this.#cuts -= 1
    while (this.#overdue > 0 && !this.isCut) {
      this.#overdue -= 1
      this.#next()
    }
  }

  /** With a latency that varies, a later sending may come due first: then it is the earlier one that arrives. */
  #next(): void {
    if (this.isCut) this.#overdue += 1
    else this.#arrivals.shift()?.()
  }
}
