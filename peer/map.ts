/** Many calls of one function: as many under way as the executors take, results as they are consumed. */
import { MeshError } from '../protocol/errors.ts'
import type { CallRequest, CallResult } from './calls.ts'

/** Kept under way beyond what executors take, so that a freed place is filled at once. */
const AHEAD = 64
/** Results that wait behind a straggler, in windows. */
const BUFFER_WINDOWS = 4

export type MapResult = { index: number; result: CallResult } | { index: number; error: MeshError }

export interface MapOptions {
  call(request: CallRequest): Promise<CallResult>
  /** Items that the executors take at once. */
  capacity(): number
  /** Results in the order in which they come, not of the inputs. */
  unordered: boolean
}

class MapRun {
  readonly #inputs: AsyncIterator<CallRequest>
  readonly #options: MapOptions
  /** By index; what is ready but not yet consumed. */
  readonly #ready = new Map<number, MapResult>()
  #started = 0
  #finished = 0
  #emitted = 0
  #pulling = false
  #exhausted = false
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(inputs: AsyncIterator<CallRequest>, options: MapOptions) {
    this.#inputs = inputs
    this.#options = options
  }

  async next(): Promise<MapResult | undefined> {
    for (;;) {
      this.#pull()
      const found = this.#take()
      if (found) return found
      if (this.#failure) throw this.#failure
      if (this.#exhausted && this.#emitted === this.#started) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #take(): MapResult | undefined {
    const [first] = this.#options.unordered ? this.#ready.keys() : [this.#emitted]
    const found = first === undefined ? undefined : this.#ready.get(first)
    if (found) {
      this.#ready.delete(found.index)
      this.#emitted++
    }
    return found
  }

  #hasRoom(): boolean {
    const window = this.#options.capacity() + AHEAD
    return this.#started - this.#finished < window && this.#started - this.#emitted < window * BUFFER_WINDOWS
  }

  /** Starts calls while there is room; runs at most once at a time. */
  async #pull(): Promise<void> {
    if (this.#pulling || this.#exhausted) return
    this.#pulling = true
    try {
      while (this.#hasRoom()) {
        const { value, done } = await this.#inputs.next()
        if (done) {
          this.#exhausted = true
          break
        }
        this.#start(this.#started++, value)
      }
    } catch (cause) {
      this.#exhausted = true
      this.#failure = cause
    }
    this.#pulling = false
    this.#notify()
  }

  #start(index: number, request: CallRequest): void {
    this.#options.call(request).then(
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

/** One result for each input. A failed item is a result; a failure of `inputs` itself ends the map and is thrown. */
export async function* mapCalls(inputs: AsyncIterable<CallRequest>, options: MapOptions): AsyncGenerator<MapResult> {
  const iterator = inputs[Symbol.asyncIterator]()
  const run = new MapRun(iterator, options)
  try {
    for (let found = await run.next(); found; found = await run.next()) yield found
  } finally {
    await iterator.return?.()
  }
}
