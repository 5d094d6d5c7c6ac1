/** URLSearchParams, after the URL standard. */
import { FORM, percentDecode, percentEncode, usv } from './percent.ts'

type Pair = [name: string, value: string]

const parseForm = (text: string): Pair[] =>
  text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      const decode = (piece: string) => percentDecode(piece.replaceAll('+', ' '))
      return equals < 0 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))]
    })

const encodeForm = (text: string): string => percentEncode(text, FORM).replaceAll(' ', '+').replaceAll('%20', '+')

/** A sequence of pairs, or a record. */
const pairsOf = (init: object): Pair[] => {
  const iterate = (init as Partial<Iterable<unknown>>)[Symbol.iterator]
  if (iterate === undefined || iterate === null)
    return Reflect.ownKeys(init)
      .filter((key) => Object.getOwnPropertyDescriptor(init, key)?.enumerable)
      .map((key) => [usv(key as string), usv((init as Record<string, unknown>)[key as string])])
  if (typeof iterate !== 'function') throw new TypeError('URLSearchParams: the argument is not iterable')
  return Array.from(init as Iterable<Iterable<unknown>>, (item) => {
    if (typeof item !== 'object' || item === null) throw new TypeError('URLSearchParams: a pair is no sequence')
    const pair = Array.from(item)
    if (pair.length !== 2) throw new TypeError(`URLSearchParams: a pair has ${pair.length} items`)
    return [usv(pair[0]), usv(pair[1])]
  })
}

const required = (method: string, given: number, wanted: number): void => {
  if (given < wanted) throw new TypeError(`URLSearchParams.${method}: ${wanted} arguments are required, not ${given}`)
}

/** Called with the new text when the parameters of a URL change. */
type Changed = (text: string) => void

export let linkParams: (params: URLSearchParams, changed: Changed) => void
export let replaceParams: (params: URLSearchParams, query: string) => void

export class URLSearchParams {
  declare [Symbol.iterator]: () => IterableIterator<Pair>
  #pairs: Pair[]
  #changed: Changed | undefined

  static {
    linkParams = (params, changed) => {
      params.#changed = changed
    }
    replaceParams = (params, query) => {
      params.#pairs = parseForm(query)
    }
  }

  constructor(init: unknown = '') {
    const object = (typeof init === 'object' && init !== null) || typeof init === 'function'
    this.#pairs = object ? pairsOf(init as object) : parseForm(usv(init).replace(/^\?/, ''))
  }

  #update(): void {
    this.#changed?.(this.toString())
  }

  get size(): number {
    return this.#pairs.length
  }

  append(name: string, value: string): void {
    required('append', arguments.length, 2)
    this.#pairs.push([usv(name), usv(value)])
    this.#update()
  }

  delete(name: string, value?: string): void {
    required('delete', arguments.length, 1)
    const [key, only] = [usv(name), value === undefined ? undefined : usv(value)]
    this.#pairs = this.#pairs.filter(([k, v]) => k !== key || (only !== undefined && v !== only))
    this.#update()
  }

  get(name: string): string | null {
    required('get', arguments.length, 1)
    const key = usv(name)
    return this.#pairs.find(([k]) => k === key)?.[1] ?? null
  }

  getAll(name: string): string[] {
    required('getAll', arguments.length, 1)
    const key = usv(name)
    return this.#pairs.filter(([k]) => k === key).map(([, v]) => v)
  }

  has(name: string, value?: string): boolean {
    required('has', arguments.length, 1)
    const [key, only] = [usv(name), value === undefined ? undefined : usv(value)]
    return this.#pairs.some(([k, v]) => k === key && (only === undefined || v === only))
  }

  set(name: string, value: string): void {
    required('set', arguments.length, 2)
    const pair: Pair = [usv(name), usv(value)]
    const first = this.#pairs.findIndex(([k]) => k === pair[0])
    if (first < 0) this.#pairs.push(pair)
    else this.#pairs = this.#pairs.filter(([k], i) => i <= first || k !== pair[0]).with(first, pair)
    this.#update()
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.#update()
  }

  forEach(callback: (value: string, name: string, params: this) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('URLSearchParams.forEach: expected a function')
    for (const [name, value] of this) callback.call(thisArg, value, name, this)
  }

  *entries(): IterableIterator<Pair> {
    for (let i = 0; i < this.#pairs.length; i++) yield [...(this.#pairs[i] as Pair)]
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join('&')
  }
}

Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  ...{ value: URLSearchParams.prototype.entries, writable: true, configurable: true },
})
