/** FormData, after the XMLHttpRequest standard. */
import { Blob, bytesOfBlob, File } from './file.ts'

type Entry = [name: string, value: string | File]

const required = (method: string, given: number, wanted: number): void => {
  if (given < wanted) throw new TypeError(`FormData.${method}: ${wanted} arguments are required, not ${given}`)
}

const entryOf = (name: unknown, value: unknown, filename: unknown, given: number): Entry => {
  const key = `${name}`.toWellFormed()
  if (!(value instanceof Blob)) {
    if (given > 2) throw new TypeError('FormData: a file name goes with a Blob only')
    return [key, `${value}`.toWellFormed()]
  }
  if (value instanceof File && filename === undefined) return [key, value]
  const { type } = value
  const lastModified = value instanceof File ? { lastModified: value.lastModified } : {}
  const called = filename === undefined ? 'blob' : `${filename}`
  return [key, new File([bytesOfBlob(value)], called, { type, ...lastModified })]
}

export class FormData {
  declare [Symbol.iterator]: () => IterableIterator<Entry>
  #entries: Entry[] = []

  constructor(form?: unknown) {
    if (form !== undefined) throw new TypeError('FormData: there are no form elements here')
  }

  append(name: string, value: unknown, filename?: string): void {
    required('append', arguments.length, 2)
    this.#entries.push(entryOf(name, value, filename, arguments.length))
  }

  set(name: string, value: unknown, filename?: string): void {
    required('set', arguments.length, 2)
    const entry = entryOf(name, value, filename, arguments.length)
    const first = this.#entries.findIndex(([key]) => key === entry[0])
    if (first < 0) this.#entries.push(entry)
    else this.#entries = this.#entries.filter(([key], i) => i <= first || key !== entry[0]).with(first, entry)
  }

  delete(name: string): void {
    required('delete', arguments.length, 1)
    const wanted = `${name}`.toWellFormed()
    this.#entries = this.#entries.filter(([key]) => key !== wanted)
  }

  get(name: string): string | File | null {
    return this.getAll(name)[0] ?? null
  }

  getAll(name: string): (string | File)[] {
    required('getAll', arguments.length, 1)
    const wanted = `${name}`.toWellFormed()
    return this.#entries.filter(([key]) => key === wanted).map(([, value]) => value)
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0
  }

  forEach(callback: (value: string | File, name: string, form: this) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('FormData.forEach: expected a function')
    for (const [name, value] of this) callback.call(thisArg, value, name, this)
  }

  *entries(): IterableIterator<Entry> {
    for (let i = 0; i < this.#entries.length; i++) yield [...(this.#entries[i] as Entry)]
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }

  *values(): IterableIterator<string | File> {
    for (const [, value] of this.entries()) yield value
  }
}

Object.defineProperty(FormData.prototype, Symbol.iterator, {
  ...{ value: FormData.prototype.entries, writable: true, configurable: true },
})
