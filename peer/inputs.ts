/** What a map works through, taken by the handful: to wait for each input costs more than a trivial input does. */
export interface Inputs<T> {
  /**
   * What comes next, at most `max` of it: all that is there, else the first to come. None: there are no more. Throws
   * what the inputs threw, after what came before it. Asked again only when it has answered.
   */
  take(max: number): Promise<T[]>
  /** No more will be taken. */
  close(): Promise<void>
}

const isAsync = <T>(inputs: Iterable<T> | AsyncIterable<T>): inputs is AsyncIterable<T> =>
  Symbol.asyncIterator in Object(inputs)

class IteratedInputs<T> implements Inputs<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>
  readonly #async: boolean
  #ended = false
  #failure: { cause: unknown } | undefined

  constructor(inputs: Iterable<T> | AsyncIterable<T>) {
    this.#async = isAsync(inputs)
    this.#iterator = isAsync(inputs) ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]()
  }

  async take(max: number): Promise<T[]> {
    const taken: T[] = []
    try {
      for (let waited = false; !waited && taken.length < max && !this.#ended; ) {
        const step = this.#iterator.next()
        const { done, value } = (this.#async ? await step : step) as IteratorResult<T>
        waited = this.#async || value instanceof Promise
        if (done) this.#ended = true
        else taken.push(waited ? await value : value)
      }
    } catch (cause) {
      this.#ended = true
      this.#failure = { cause }
    }
    if (this.#failure && taken.length === 0) throw this.#failure.cause
    return taken
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#iterator.return?.()
  }
}

/** As `for await` takes them: promises in an ordinary iterable are waited for. */
export const inputsOf = <T>(inputs: Iterable<T> | AsyncIterable<T>): Inputs<T> => new IteratedInputs(inputs)
