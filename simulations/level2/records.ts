/** Records in columns of typed arrays, each by an index that is used again once it is free. */

type Column = Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

const grown = <T extends Column>(column: T, length: number): T => {
  const more = new (column.constructor as new (length: number) => T)(length)
  more.set(column)
  return more
}

const NONE = -1

/** `columns` all have one length; the one that is free next is linked through `link`. */
export class Records<Columns extends Record<string, Column> & { link: Int32Array }> {
  readonly columns: Columns
  #free = NONE
  taken = 0

  constructor(columns: Columns) {
    this.columns = columns
    this.#release(0)
  }

  get bytes(): number {
    return Object.values(this.columns).reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  take(): number {
    if (this.#free === NONE) this.#grow()
    const index = this.#free
    this.#free = this.columns.link[index] as number
    this.columns.link[index] = NONE
    this.taken++
    return index
  }

  free(index: number): void {
    this.columns.link[index] = this.#free
    this.#free = index
    this.taken--
  }

  #grow(): void {
    const before = this.columns.link.length
    const columns = this.columns as Record<string, Column>
    for (const [name, column] of Object.entries(columns)) columns[name] = grown(column, before + (before >> 1) + 1024)
    this.#release(before)
  }

  #release(from: number): void {
    const { link } = this.columns
    for (let index = link.length - 1; index >= from; index--) {
      link[index] = this.#free
      this.#free = index
    }
  }
}
