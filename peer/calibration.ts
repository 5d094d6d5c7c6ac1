/** How fast this machine is, by its own word: fuel per ms of a function that is the same everywhere, whatever else it runs. */
import { CALIBRATION_CODE, CALIBRATION_EXPORT, CALIBRATION_ROUNDS } from '../protocol/calibration.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import type { SandboxPool } from '../sandbox/pool.ts'

/** Whoever has just started has other things to do; the sandbox process that it started with is there for 30 s (decision 72). */
const AFTER_MS = 20_000
/** Short ones, half a second apart, of which the best counts: something else may use the machine during the others. */
const RUNS = 8
/** In the first run, which does not count: engines compile what they run often. */
const FIRST_ROUNDS = CALIBRATION_ROUNDS / 4
const TIMEOUT_MS = 5000

interface CalibrationEvents {
  /** Does this machine lend, and has nothing to do? */
  isIdle(): boolean
  /** `speed` is known now. */
  measured(): void
}

export class Calibration {
  /** Fuel per ms; 0: not measured. */
  speed = 0
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #pool: SandboxPool
  readonly #events: CalibrationEvents
  readonly #fromMs: number
  #begun = 0
  #best = 0

  constructor(clock: Pick<Clock, 'monotonic'>, pool: SandboxPool, events: CalibrationEvents) {
    this.#clock = clock
    this.#pool = pool
    this.#events = events
    this.#fromMs = clock.monotonic() + AFTER_MS
  }

  /** Begins the next run, if there is to be one and nothing else to do; called every 500 ms by the peer. */
  consider(): void {
    if (this.#begun > RUNS || this.#clock.monotonic() < this.#fromMs) return
    if (this.#pool.free < this.#pool.slots || this.#pool.queued > 0 || !this.#events.isIdle()) return
    void this.#measure(this.#begun++)
  }

  async #measure(n: number): Promise<void> {
    const run = this.#pool.run({
      ...{ party: CALIBRATION_EXPORT, functionId: CALIBRATION_EXPORT, exportName: CALIBRATION_EXPORT, effects: [] },
      code: () => new TextEncoder().encode(CALIBRATION_CODE),
      input: encodeValue(n === 0 ? FIRST_ROUNDS : CALIBRATION_ROUNDS),
      seed: new Uint8Array(32),
      limits: { fuel: FUEL_DEFAULT, memory_bytes: MEMORY_BYTES_DEFAULT, output_bytes: OUTPUT_BYTES_MAX },
      ...{ journal: [], timeoutMs: TIMEOUT_MS },
    })
    const ended = await run.result
    const ms = run.ranMs()
    const speed = ended.kind === 'outcome' && ended.decoded.result.ok && ms > 0 ? ended.decoded.fuel / ms : 0
    if (n > 0) this.#best = Math.max(this.#best, speed)
    // By a clock that stands still while it computes nothing can be measured.
    else if (speed === 0) this.#begun = RUNS + 1
    if (n < RUNS || this.#best === 0) return
    this.speed = Math.round(this.#best)
    this.#events.measured()
  }
}
