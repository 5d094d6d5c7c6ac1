/** One `mesh.map`: inputs are encoded as the backend asks for them, results read as the caller asks for them. */
import type { MeshError } from '../protocol/errors.ts'
import type { BackendMapItem } from './backend.ts'

export type MapItem<Output> =
  | { ok: true; index: number; value: Output }
  | { ok: false; index: number; error: MeshError }

export interface MapSource {
  inputs: Iterable<unknown> | AsyncIterable<unknown>
  /** Throws MeshError for what cannot be an input. */
  encode(input: unknown): Uint8Array
  /** Pulls from `encoded` as executors have room; results come in that order unless `unordered`. */
  run(encoded: AsyncIterable<Uint8Array>): AsyncIterable<BackendMapItem>
  read(item: BackendMapItem, index: number): MapItem<unknown>
  unordered: boolean
}

/** So many refused inputs wait for their turn; then the inputs wait. */
const REFUSED_MAX = 1024

/** An input that is no Value is an item that failed, like any other, though the backend never hears of it. */
export class MapStream {
  readonly #source: MapSource
  readonly #refused = new Map<number, MeshError>()
  /** The caller's index of each input that the backend has, by the backend's own. */
  readonly #indices = new Map<number, number>()
  #sent = 0
  #emitted = 0
  /** Of the inputs themselves; thrown when all that came before it has been read. */
  #inputsFailure: { cause: unknown } | undefined
  #failure: { cause: unknown } | undefined
  #asking = false
  #arrived: IteratorResult<BackendMapItem> | undefined
  #wakeReader = () => {}
  #wakeInputs = () => {}

  constructor(source: MapSource) {
    this.#source = source
  }

  /** Whoever reads gets `cause` at once. */
  fail(cause: unknown): void {
    this.#failure ??= { cause }
    this.#wakeInputs()
    this.#wakeReader()
  }

  async *items(): AsyncGenerator<MapItem<unknown>, void, undefined> {
    const results = this.#source.run(this.#encoded())[Symbol.asyncIterator]()
    try {
      for (let item = await this.#next(results); item; item = await this.#next(results)) {
        this.#emitted++
        yield item
      }
      if (this.#inputsFailure) throw this.#inputsFailure.cause
    } finally {
      this.fail(undefined)
      // Not awaited: it comes after a pull that is under way, and inputs may be silent for ever.
      results.return?.()?.catch(() => {})
    }
  }

  async #next(results: AsyncIterator<BackendMapItem>): Promise<MapItem<unknown> | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.cause
      const item = this.#takeRefused() ?? this.#takeArrived()
      if (item) return item
      if (this.#arrived?.done) return undefined
      this.#ask(results)
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  #takeRefused(): MapItem<unknown> | undefined {
    const index = this.#source.unordered ? this.#refused.keys().next().value : this.#emitted
    const error = index === undefined ? undefined : this.#refused.get(index)
    if (index === undefined || error === undefined) return undefined
    this.#refused.delete(index)
    this.#wakeInputs()
    return { ok: false, index, error }
  }

  #takeArrived(): MapItem<unknown> | undefined {
    if (!this.#arrived || this.#arrived.done) return undefined
    const { value } = this.#arrived
    this.#arrived = undefined
    const index = this.#indices.get(value.index) as number
    this.#indices.delete(value.index)
    return this.#source.read(value, index)
  }

  #ask(results: AsyncIterator<BackendMapItem>): void {
    if (this.#asking) return
    this.#asking = true
    const arrived = (result: IteratorResult<BackendMapItem>) => {
      this.#asking = false
      this.#arrived = result
      this.#wakeReader()
    }
    results.next().then(arrived, (cause) => this.fail(cause))
  }

  async *#encoded(): AsyncGenerator<Uint8Array, void, undefined> {
    let index = 0
    try {
      for await (const input of this.#source.inputs) {
        if (this.#failure) return
        const encoded = this.#encode(input, index++)
        if (encoded) yield encoded
        else if (this.#refused.size >= REFUSED_MAX) await this.#roomForRefused()
      }
    } catch (cause) {
      this.#inputsFailure = { cause }
    }
  }

  #encode(input: unknown, index: number): Uint8Array | undefined {
    try {
      const encoded = this.#source.encode(input)
      this.#indices.set(this.#sent++, index)
      return encoded
    } catch (cause) {
      this.#refused.set(index, cause as MeshError)
      this.#wakeReader()
      return undefined
    }
  }

  async #roomForRefused(): Promise<void> {
    while (this.#refused.size >= REFUSED_MAX && !this.#failure) {
      await new Promise<void>((resolve) => {
        this.#wakeInputs = resolve
      })
    }
  }
}
