/** One `mesh.map`: inputs are encoded as the backend asks for them, results read as the caller asks for them. */
import { type Inputs, inputsOf } from '../peer/inputs.ts'
import type { MeshError } from '../protocol/errors.ts'
import type { BackendMapItem } from './backend.ts'

export type MapItem<Output> =
  | { ok: true; index: number; value: Output }
  | { ok: false; index: number; error: MeshError }

export interface MapSource {
  inputs: Iterable<unknown> | AsyncIterable<unknown>
  /** Throws MeshError for what cannot be an input. */
  encode(input: unknown): Uint8Array
  /** Takes from `encoded` as executors have room; results come in that order unless `unordered`. */
  run(encoded: Inputs<Uint8Array>): AsyncIterable<BackendMapItem[]>
  read(item: BackendMapItem, index: number): MapItem<unknown>
  unordered: boolean
}

/** So many refused inputs wait for their turn; then the inputs wait. */
const REFUSED_MAX = 1024

/** An input that is no Value is an item that failed, like any other, though the backend never hears of it. */
export class MapStream {
  readonly #source: MapSource
  readonly #inputs: Inputs<unknown>
  readonly #refused = new Map<number, MeshError>()
  /** The caller's index of each input that the backend has, by the backend's own; only where they differ. */
  readonly #indices = new Map<number, number>()
  #pulled = 0
  #sent = 0
  #emitted = 0
  /** Of the inputs themselves; thrown when all that came before it has been read. */
  #inputsFailure: { cause: unknown } | undefined
  #failure: { cause: unknown } | undefined
  #asking = false
  /** Those of the backend that were not read yet, the last one first; undefined: there are no more. */
  #arrived: BackendMapItem[] | undefined = []
  #wakeReader = () => {}
  #wakeInputs = () => {}

  constructor(source: MapSource) {
    this.#source = source
    this.#inputs = inputsOf(source.inputs)
  }

  /** Whoever reads gets `cause` at once. */
  fail(cause: unknown): void {
    this.#failure ??= { cause }
    this.#wakeInputs()
    this.#wakeReader()
  }

  async *items(): AsyncGenerator<MapItem<unknown>, void, undefined> {
    const encoded = { take: (max: number) => this.#takeEncoded(max), close: () => this.#inputs.close() }
    const results = this.#source.run(encoded)[Symbol.asyncIterator]()
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.cause
        const item = this.#takeRefused() ?? this.#takeArrived()
        if (item) {
          this.#emitted++
          yield item
        } else if (this.#arrived) await this.#arrival(results)
        else break
      }
      if (this.#inputsFailure) throw this.#inputsFailure.cause
    } finally {
      this.fail(undefined)
      // Not awaited: they come after a pull that is under way, and inputs may be silent for ever.
      this.#inputs.close().catch(() => {})
      results.return?.()?.catch(() => {})
    }
  }

  #takeRefused(): MapItem<unknown> | undefined {
    if (this.#refused.size === 0) return undefined
    const index = this.#source.unordered ? (this.#refused.keys().next().value as number) : this.#emitted
    const error = this.#refused.get(index)
    if (error === undefined) return undefined
    this.#refused.delete(index)
    this.#wakeInputs()
    return { ok: false, index, error }
  }

  #takeArrived(): MapItem<unknown> | undefined {
    const item = this.#arrived?.pop()
    if (!item) return undefined
    const index = this.#indices.get(item.index) ?? item.index
    this.#indices.delete(item.index)
    return this.#source.read(item, index)
  }

  /** Resolves when there is something to look at: results, a refused input, a failure, the end. */
  #arrival(results: AsyncIterator<BackendMapItem[]>): Promise<void> {
    this.#ask(results)
    return new Promise<void>((resolve) => {
      this.#wakeReader = resolve
    })
  }

  #ask(results: AsyncIterator<BackendMapItem[]>): void {
    if (this.#asking) return
    this.#asking = true
    const arrived = ({ done, value }: IteratorResult<BackendMapItem[]>) => {
      this.#asking = false
      this.#arrived = done ? undefined : value.toReversed()
      this.#wakeReader()
    }
    results.next().then(arrived, (cause) => this.fail(cause))
  }

  async #takeEncoded(max: number): Promise<Uint8Array[]> {
    const encoded: Uint8Array[] = []
    try {
      while (encoded.length === 0) {
        await this.#roomForRefused()
        const inputs = this.#failure ? [] : await this.#inputs.take(max)
        if (inputs.length === 0) break
        for (const input of inputs) this.#encode(input, encoded)
      }
    } catch (cause) {
      this.#inputsFailure = { cause }
    }
    return encoded
  }

  #encode(input: unknown, encoded: Uint8Array[]): void {
    const index = this.#pulled++
    try {
      encoded.push(this.#source.encode(input))
      const sent = this.#sent++
      if (sent !== index) this.#indices.set(sent, index)
    } catch (cause) {
      this.#refused.set(index, cause as MeshError)
      this.#wakeReader()
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
