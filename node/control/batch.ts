/** Gathers the items of one turn into few frames. */

/** A frame this long is worth sending at once. */
const BATCH_BYTES = 64 * 1024
const BATCH_ITEMS = 1024

export class Batch<T> {
  readonly #send: (items: T[]) => void
  #items: T[] = []
  #bytes = 0
  #timer: NodeJS.Immediate | undefined

  constructor(send: (items: T[]) => void) {
    this.#send = send
  }

  add(item: T, bytes: number): void {
    this.#items.push(item)
    this.#bytes += bytes
    if (this.#bytes >= BATCH_BYTES || this.#items.length >= BATCH_ITEMS) this.flush()
    else this.#timer ??= setImmediate(() => this.flush())
  }

  flush(): void {
    clearImmediate(this.#timer)
    this.#timer = undefined
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    this.#send(items)
  }
}
