/** What came first goes first: a list that may be long, of which nothing is moved when its first item goes. */
export class Fifo<T> {
  #items: (T | undefined)[]
  #gone = 0

  constructor(items: readonly T[] = []) {
    this.#items = [...items]
  }

  get length(): number {
    return this.#items.length - this.#gone
  }

  get first(): T | undefined {
    return this.#items[this.#gone]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const first = this.#items[this.#gone]
    if (this.length === 0) return undefined
    this.#items[this.#gone] = undefined
    this.#gone += 1
    // Now and then, so that it costs nothing each.
    if (this.#gone > 1024 && this.#gone * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#gone)
      this.#gone = 0
    }
    return first
  }

  slice(from: number, to: number): T[] {
    return this.#items.slice(this.#gone + from, this.#gone + to) as T[]
  }
}
