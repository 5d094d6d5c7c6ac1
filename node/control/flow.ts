/** Flow within one stream of a connection, so that a slow reader holds up nobody else's. */
import type { Inputs } from '../../peer/inputs.ts'
import { WINDOW_BYTES } from './frames.ts'

/** The sender's side: what it may send before the receiver asks for more. */
export class Credit {
  #bytes = WINDOW_BYTES
  #wake: (() => void) | undefined

  spend(bytes: number): void {
    this.#bytes -= bytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > 0) this.#wake?.()
  }

  get hasRoom(): boolean {
    return this.#bytes > 0
  }

  async room(): Promise<void> {
    if (this.hasRoom) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }
}

/** The receiver's side: a queue that says how many bytes were taken from it. */
export class Inbox<T> implements Inputs<T> {
  readonly #items: { item: T; bytes: number }[] = []
  readonly #taken: (bytes: number) => void
  #head = 0
  #unreported = 0
  #ended = false
  #failure: unknown
  #wake: (() => void) | undefined

  /** `taken` is told, in pieces worth a frame, of the bytes that there is room for again. */
  constructor(taken: (bytes: number) => void) {
    this.#taken = taken
  }

  push(item: T, bytes: number): void {
    this.#items.push({ item, bytes })
    this.#wake?.()
  }

  /** What was pushed before is still taken; then there is no more, or `failure` is thrown. */
  end(failure?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    this.#wake?.()
  }

  async take(max: number): Promise<T[]> {
    while (this.#head === this.#items.length && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    const taken: T[] = []
    while (this.#head < this.#items.length && taken.length < max) taken.push(this.#take())
    if (this.#failure && taken.length === 0) throw this.#failure
    return taken
  }

  async close(): Promise<void> {
    this.end()
  }

  #take(): T {
    const { item, bytes } = this.#items[this.#head++] as { item: T; bytes: number }
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    this.#unreported += bytes
    if (this.#unreported >= WINDOW_BYTES / 8) {
      this.#taken(this.#unreported)
      this.#unreported = 0
    }
    return item
  }
}
