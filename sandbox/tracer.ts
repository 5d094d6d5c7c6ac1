/** The trace of one run: when its memory is hashed, and what came of it. */
import { MIB, TRACE_POINTS_MAX } from '../protocol/limits.ts'
import type { Trace } from '../protocol/records.ts'

/**
 * Memory that may be looked at for each tick of a run: as long as the tick takes, or less. Where there is more, hashes come
 * later; so what a trace costs grows with the fuel that is paid, whatever the memory and the distance asked for.
 */
export const TRACE_BYTES_A_TICK = 1 * MIB

export class Tracer {
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  #distanceTicks: number
  #points: Trace = []
  #dueTick = 0
  #bytes = 0

  /** `hash`: SHA-256. */
  constructor(distanceTicks: number, hash: (bytes: Uint8Array) => Uint8Array) {
    this.#distanceTicks = distanceTicks
    this.#hash = hash
  }

  get trace(): Trace {
    return this.#points
  }

  /** Ticks from one hash to the next, at least. */
  get distanceTicks(): number {
    return this.#distanceTicks
  }

  /** The run has come to `tick`. `bytes`: of memory that `state` looks at; what it returns is hashed, if a hash is due. */
  at(tick: number, bytes: number, state: () => Uint8Array): void {
    if (tick < this.#dueTick || this.#bytes + bytes > TRACE_BYTES_A_TICK * (tick + 1)) return
    this.#bytes += bytes
    this.#points.push({ tick, hash: this.#hash(state()) })
    if (this.#points.length > TRACE_POINTS_MAX) {
      this.#points = this.#points.filter((_, i) => i % 2 === 0)
      this.#distanceTicks *= 2
    }
    this.#dueTick = tick + this.#distanceTicks
  }
}
