/** Many calls of one function: as many under way as the executors take, results as they are consumed. */
import { MeshError } from '../protocol/errors.ts'
import type { CallResult } from './calls.ts'
import type { Inputs } from './inputs.ts'

/** Kept under way beyond what executors take, so that a freed place is filled at once. */
const AHEAD = 64
/** Results that wait behind a straggler, in windows. */
const BUFFER_WINDOWS = 4
/** Results handed over at once; many enough that waiting for them costs nothing each. */
const CHUNK_MAX = 64

export type MapResult = { index: number; result: CallResult } | { index: number; error: MeshError }

export interface MapOptions<T> {
  call(input: T): Promise<CallResult>
  /** Items that the executors take at once. */
  capacity(): number
  /** Results in the order in which they come, not of the inputs. */
  unordered: boolean
}

class MapRun<T> {
  readonly #inputs: Inputs<T>
  readonly #options: MapOptions<T>
  /** By index; what is ready but not yet consumed. */
  readonly #ready = new Map<number, MapResult>()
  #started = 0
  #finished = 0
  #emitted = 0
  #pulling = false
  #exhausted = false
  #failure: { cause: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(inputs: Inputs<T>, options: MapOptions<T>) {
    this.#inputs = inputs
    this.#options = options
  }

  /** Results that are ready, one at least; none: there are no more. */
  async next(): Promise<MapResult[]> {
    for (;;) {
      this.#pull()
      const found = this.#take()
      if (found.length > 0) return found
      if (this.#failure) throw this.#failure.cause
      if (this.#exhausted && this.#emitted === this.#started) return found
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #take(): MapResult[] {
    const found: MapResult[] = []
    for (let next = this.#first(); next && found.length < CHUNK_MAX; next = this.#first()) {
      found.push(next)
      this.#ready.delete(next.index)
      this.#emitted++
    }
    return found
  }

  #first(): MapResult | undefined {
    return this.#options.unordered ? this.#ready.values().next().value : this.#ready.get(this.#emitted)
  }

  /** Calls that may be started now. */
  #room(): number {
    const window = this.#options.capacity() + AHEAD
    const [underWay, notConsumed] = [this.#started - this.#finished, this.#started - this.#emitted]
    return Math.min(window - underWay, window * BUFFER_WINDOWS - notConsumed)
  }

  /** Starts calls while there is room; runs at most once at a time. */
  async #pull(): Promise<void> {
    if (this.#pulling || this.#exhausted) return
    this.#pulling = true
    try {
      // Answers come in bursts: once all of this one are in, the room is filled in one go.
      await undefined
      for (let room = this.#room(); room > 0; room = this.#room()) {
        const inputs = await this.#inputs.take(room)
        if (inputs.length === 0) {
          this.#exhausted = true
          break
        }
        for (const input of inputs) this.#start(this.#started++, input)
      }
    } catch (cause) {
      this.#exhausted = true
      this.#failure = { cause }
    }
    this.#pulling = false
    if (this.#exhausted) this.#notify()
  }

  #start(index: number, input: T): void {
    this.#options.call(input).then(
      (result) => this.#finish({ index, result }),
      (cause) => {
        const error = cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String(cause), { cause })
        this.#finish({ index, error })
      },
    )
  }

  #finish(result: MapResult): void {
    this.#finished++
    this.#ready.set(result.index, result)
    this.#pull()
    this.#notify()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

/**
 * One result for each input, those that are ready together. A failed item is a result; a failure of `inputs` itself
 * ends the map and is thrown.
 */
export async function* mapCalls<T>(inputs: Inputs<T>, options: MapOptions<T>): AsyncGenerator<MapResult[]> {
  const run = new MapRun(inputs, options)
  try {
    for (let found = await run.next(); found.length > 0; found = await run.next()) yield found
  } finally {
    await inputs.close()
  }
}
