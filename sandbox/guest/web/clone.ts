/** structuredClone, after HTML ("Safe passing of structured data"), without anything that only a browser has. */
import { evaluated, isPlatform, use } from './prelude-exports.ts'

type Path = Map<object, object>

const refused = (what: string): Error => {
  const { DOMException } = use('exception')
  return new DOMException(`${what} could not be cloned.`, 'DataCloneError')
}

/** The internal kind of an object, which its own toStringTag cannot hide: each getter or method throws for all others. */
const brands: [name: string, probe: (x: never) => unknown][] = [
  ['Date', (x) => Date.prototype.getTime.call(x)],
  ['RegExp', (x) => Reflect.getOwnPropertyDescriptor(RegExp.prototype, 'source')?.get?.call(x)],
  ['Map', (x) => Map.prototype.has.call(x, 0)],
  ['Set', (x) => Set.prototype.has.call(x, 0)],
  ['ArrayBuffer', (x) => Reflect.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get?.call(x)],
  ['Boolean', (x) => Boolean.prototype.valueOf.call(x)],
  ['Number', (x) => Number.prototype.valueOf.call(x)],
  ['String', (x) => String.prototype.valueOf.call(x)],
  ['BigInt', (x) => BigInt.prototype.valueOf.call(x)],
  ['Symbol', (x) => Symbol.prototype.valueOf.call(x)],
  ['WeakMap', (x) => WeakMap.prototype.has.call(x, {})],
  ['WeakSet', (x) => WeakSet.prototype.has.call(x, {})],
]

const brandOf = (x: object): string | undefined => {
  for (const [name, probe] of brands) {
    try {
      probe(x as never)
      // RegExp.prototype has a source too.
      if (name !== 'RegExp' || x !== RegExp.prototype) return name
    } catch {}
  }
  return undefined
}

const ERRORS: Record<string, ErrorConstructor> = {
  __proto__: null as never,
  ...{ EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
}

const cloneError = (x: Error, seen: Path): object => {
  const name = `${x.name}`
  const own = (key: string): unknown => Object.getOwnPropertyDescriptor(x, key)?.value
  const make = ERRORS[name] ?? Error
  const message = own('message')
  const copy = message === undefined ? new make() : new make(`${message}`)
  seen.set(x, copy)
  const rest: [string, unknown][] = [['stack', typeof x.stack === 'string' ? x.stack : undefined]]
  if (Object.hasOwn(x, 'cause')) rest.push(['cause', clone(own('cause'), seen)])
  for (const [key, value] of rest) Object.defineProperty(copy, key, { value, writable: true, configurable: true })
  return copy
}

const VIEWS: Record<string, unknown> = {
  __proto__: null,
  ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
  ...{ Float32Array, Float64Array, BigInt64Array, BigUint64Array },
  ...(typeof Float16Array === 'function' ? { Float16Array } : {}),
}

const cloneView = (x: ArrayBufferView, seen: Path): object => {
  const buffer = clone(x.buffer, seen) as ArrayBuffer
  if (x instanceof DataView) return new DataView(buffer, x.byteOffset, x.byteLength)
  const prototype = Object.getPrototypeOf(Uint8Array.prototype)
  const tag = Reflect.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.get?.call(x) as 'Uint8Array'
  return new (VIEWS[tag] as Uint8ArrayConstructor)(buffer, x.byteOffset, (x as Uint8Array).length)
}

const cloneBuffer = (x: ArrayBuffer): ArrayBuffer => {
  if (x.detached) throw refused('A detached ArrayBuffer')
  if (!x.resizable) return x.slice(0)
  const copy = new ArrayBuffer(x.byteLength, { maxByteLength: x.maxByteLength })
  new Uint8Array(copy).set(new Uint8Array(x))
  return copy
}

const copyProperties = <T extends object>(x: object, copy: T, seen: Path): T => {
  for (const key of Object.keys(x)) {
    const value = clone((x as Record<string, unknown>)[key], seen)
    Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return copy
}

/** Shallow copies of what has a brand; their contents follow once they are known, so that cycles end in them. */
const cloneBranded = (brand: string, x: object, seen: Path): object => {
  const known = <T extends object>(copy: T): T => {
    seen.set(x, copy)
    return copy
  }
  switch (brand) {
    case 'Date':
      return known(new Date(Date.prototype.getTime.call(x)))
    case 'RegExp':
      return known(new RegExp((x as RegExp).source, (x as RegExp).flags))
    case 'ArrayBuffer':
      return known(cloneBuffer(x as ArrayBuffer))
    case 'Map': {
      const copy = known(new Map())
      for (const [key, value] of [...(x as Map<unknown, unknown>)]) copy.set(clone(key, seen), clone(value, seen))
      return copy
    }
    case 'Set': {
      const copy = known(new Set())
      for (const value of [...(x as Set<unknown>)]) copy.add(clone(value, seen))
      return copy
    }
    case 'Boolean':
    case 'Number':
    case 'String':
    case 'BigInt':
      return known(Object((x as { valueOf(): unknown }).valueOf()))
    default:
      throw refused(`#<${brand}>`)
  }
}

const cloneObject = (x: object, seen: Path): object => {
  const done = seen.get(x)
  if (done) return done
  if (typeof x === 'function') throw refused(`${x}`)
  if (Array.isArray(x)) {
    const copy: unknown[] = new Array(x.length)
    seen.set(x, copy)
    return copyProperties(x, copy, seen)
  }
  if ((Error as unknown as { isError(x: unknown): boolean }).isError(x))
    return clonePlatform(x, seen) ?? cloneError(x as Error, seen)
  if (ArrayBuffer.isView(x)) {
    const copy = cloneView(x, seen)
    seen.set(x, copy)
    return copy
  }
  const prototype = Object.getPrototypeOf(x)
  const plain = prototype === Object.prototype || prototype === null
  const brand = plain ? undefined : brandOf(x)
  if (brand !== undefined) return cloneBranded(brand, x, seen)
  const platform = clonePlatform(x, seen)
  if (platform) return platform
  const tag = Object.prototype.toString.call(x).slice(8, -1)
  if (/^(Promise|(Async)?Generator|.* Iterator)$/.test(tag)) throw refused(`#<${tag}>`)
  const copy = {}
  seen.set(x, copy)
  return copyProperties(x, copy, seen)
}

const copyOfPlatform = (x: object): object | undefined => {
  const [blob, exception] = [evaluated('blob'), evaluated('exception')]
  if (blob && x instanceof blob.File) return new blob.File([x], x.name, { type: x.type, lastModified: x.lastModified })
  if (blob && x instanceof blob.Blob) return new blob.Blob([x], { type: x.type })
  if (exception && x instanceof exception.DOMException) return new exception.DOMException(x.message, x.name)
  return undefined
}

/** Of the web's own classes files and DOMExceptions can be cloned, and no other. */
const clonePlatform = (x: object, seen: Path): object | undefined => {
  if (!isPlatform(x)) return undefined
  const copy = copyOfPlatform(x)
  if (copy === undefined) throw refused(`#<${x.constructor.name}>`)
  seen.set(x, copy)
  return copy
}

const clone = (x: unknown, seen: Path): unknown => {
  if (typeof x === 'symbol') throw refused(String(x))
  return (typeof x === 'object' && x !== null) || typeof x === 'function' ? cloneObject(x, seen) : x
}

/** Buffers that are to be transferred: they are copied, and lose their own content once nothing can fail any more. */
const toTransfer = (options: { transfer?: Iterable<unknown> } | undefined): ArrayBuffer[] => {
  const list = [...(options?.transfer ?? [])]
  if (new Set(list).size < list.length) throw refused('A list with an ArrayBuffer in it twice')
  for (const one of list) if (!(one instanceof ArrayBuffer) || one.detached) throw refused('What cannot be transferred')
  return list as ArrayBuffer[]
}

export function structuredClone(value: unknown, options?: { transfer?: Iterable<unknown> }): unknown {
  if (arguments.length === 0) throw new TypeError('structuredClone: an argument is required')
  const moved = toTransfer(options)
  const copy = clone(value, new Map(moved.map((buffer) => [buffer, cloneBuffer(buffer)])))
  for (const buffer of moved) buffer.transfer()
  return copy
}
