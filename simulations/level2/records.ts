/**
 * Records whose fields lie side by side, a word of 32 bits each, so that whoever looks at one record waits for one or two lines of
 * the cache. Field by field they read as typed arrays: each is a view of the same memory that begins at its own word, and the
 * record `n` of them is at the index `n * words`.
 */

type Word = Int32ArrayConstructor | Uint32ArrayConstructor | Float32ArrayConstructor
export type Fields = Readonly<Record<string, Word>>
export type Views<F extends Fields> = { [Name in keyof F]: InstanceType<F[Name]> }

const BYTES = 4

/** Words from one record of so many fields to the next: a power of two, so that none lies across more lines than it must. */
export const wordsOf = (fields: number): number => 2 ** Math.ceil(Math.log2(fields))

/** `fields` by name, in `words`: the first has the first word of each record. */
export const viewsOf = <F extends Fields>(fields: F, words: Int32Array<ArrayBuffer>): Views<F> => {
  const views = Object.entries(fields).map(([name, Kind], at) => [name, new Kind(words.buffer, at * BYTES)])
  return Object.fromEntries(views) as Views<F>
}

const NONE = -1

/** Records that are used again once they are free, each named by its index; the one that is free next is linked through `link`. */
export class Records<F extends Fields & { link: Int32ArrayConstructor }> {
  readonly #fields: F
  /** From the index of one to that of the next. */
  readonly words: number
  #memory: Int32Array<ArrayBuffer>
  #columns: Views<F>
  #free = NONE
  taken = 0

  constructor(fields: F, capacity: number) {
    this.#fields = fields
    this.words = wordsOf(Object.keys(fields).length)
    this.#memory = new Int32Array(capacity * this.words)
    this.#columns = viewsOf(fields, this.#memory)
    this.#release(0)
  }

  /** Others once there are more records. */
  get columns(): Views<F> {
    return this.#columns
  }

  get bytes(): number {
    return this.#memory.byteLength
  }

  take(): number {
    if (this.#free === NONE) this.#grow()
    const index = this.#free
    const { link } = this.#columns
    this.#free = link[index] as number
    link[index] = NONE
    this.taken++
    return index
  }

  free(index: number): void {
    this.#columns.link[index] = this.#free
    this.#free = index
    this.taken--
  }

  #grow(): void {
    const before = this.#memory
    const records = before.length / this.words
    this.#memory = new Int32Array((records + (records >> 1) + 1024) * this.words)
    this.#memory.set(before)
    this.#columns = viewsOf(this.#fields, this.#memory)
    this.#release(before.length)
  }

  #release(from: number): void {
    const { link } = this.#columns
    for (let index = this.#memory.length - this.words; index >= from; index -= this.words) {
      link[index] = this.#free
      this.#free = index
    }
  }
}
