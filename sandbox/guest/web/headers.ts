/** Headers, after the Fetch standard, with the guards "response" and "immutable": a server may set any header. */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** A string of bytes, or throws. */
export const byteString = (x: unknown): string => {
  const text = `${x}`
  if (/[^\0-\xff]/.test(text)) throw new TypeError('Headers: a character past U+00FF')
  return text
}

const cleanName = (x: unknown): string => {
  const name = byteString(x)
  if (!TOKEN.test(name)) throw new TypeError(`Headers: "${name}" is no name of a header`)
  return name.toLowerCase()
}

const cleanValue = (x: unknown, name: string): string => {
  const value = byteString(x).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (/[\0\n\r]/.test(value)) throw new TypeError(`Headers: the value of ${name} has a line break or a zero in it`)
  return value
}

const pairsOf = (init: unknown): [unknown, unknown][] => {
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null)
    throw new TypeError('Headers: expected a record, pairs or Headers')
  if (!(Symbol.iterator in init))
    return Reflect.ownKeys(init)
      .filter((key) => Object.getOwnPropertyDescriptor(init, key)?.enumerable)
      .map((key) => [key, (init as Record<PropertyKey, unknown>)[key]])
  return Array.from(init as Iterable<Iterable<unknown>>, (pair) => {
    if (typeof pair !== 'object' || pair === null) throw new TypeError('Headers: a pair is no sequence')
    const items = [...pair]
    if (items.length !== 2) throw new TypeError(`Headers: a pair has ${items.length} items`)
    return items as [unknown, unknown]
  })
}

const required = (method: string, given: number, wanted: number): void => {
  if (given < wanted) throw new TypeError(`Headers.${method}: ${wanted} arguments are required, not ${given}`)
}

export let freezeHeaders: (headers: Headers) => Headers

export class Headers {
  declare [Symbol.iterator]: () => IterableIterator<[name: string, value: string]>
  /** By name in lower case, in the order of arrival. */
  #values = new Map<string, string[]>()
  #immutable = false

  static {
    freezeHeaders = (headers) => {
      headers.#immutable = true
      return headers
    }
  }

  constructor(init?: unknown) {
    if (init !== undefined) for (const [name, value] of pairsOf(init)) this.append(name as string, value as string)
  }

  #ensureMutable(): void {
    if (this.#immutable) throw new TypeError('Headers: these are immutable')
  }

  append(name: string, value: string): void {
    required('append', arguments.length, 2)
    const key = cleanName(name)
    const text = cleanValue(value, key)
    this.#ensureMutable()
    const known = this.#values.get(key)
    if (known) known.push(text)
    else this.#values.set(key, [text])
  }

  set(name: string, value: string): void {
    required('set', arguments.length, 2)
    const key = cleanName(name)
    const text = cleanValue(value, key)
    this.#ensureMutable()
    this.#values.set(key, [text])
  }

  delete(name: string): void {
    required('delete', arguments.length, 1)
    const key = cleanName(name)
    this.#ensureMutable()
    this.#values.delete(key)
  }

  get(name: string): string | null {
    required('get', arguments.length, 1)
    return this.#values.get(cleanName(name))?.join(', ') ?? null
  }

  has(name: string): boolean {
    required('has', arguments.length, 1)
    return this.#values.has(cleanName(name))
  }

  getSetCookie(): string[] {
    return [...(this.#values.get('set-cookie') ?? [])]
  }

  forEach(callback: (value: string, name: string, headers: this) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('Headers.forEach: expected a function')
    for (const [name, value] of this) callback.call(thisArg, value, name, this)
  }

  /** Sorted, each cookie by itself. */
  #list(): [name: string, value: string][] {
    const names = [...this.#values.keys()].sort()
    return names.flatMap((name): [string, string][] => {
      const values = this.#values.get(name) as string[]
      return name === 'set-cookie' ? values.map((value) => [name, value]) : [[name, values.join(', ')]]
    })
  }

  *entries(): IterableIterator<[name: string, value: string]> {
    for (let i = 0; ; i++) {
      const pair = this.#list()[i]
      if (pair === undefined) return
      yield pair
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }
}

Object.defineProperty(Headers.prototype, Symbol.iterator, {
  ...{ value: Headers.prototype.entries, writable: true, configurable: true },
})
