/** Values: what may cross a boundary (protocol/README.md, "Values"), and their forms in DAG-CBOR and JSON. */
import { CID } from './cid.ts'
import { decodeCanonical, encodeCanonical } from './codec.ts'
import { type ErrorCode, MeshError } from './errors.ts'
import { parseJson } from './json.ts'
import { VALUE_DEPTH_MAX } from './limits.ts'
import { define, isPlainObject } from './plain-object.ts'

export type Value = null | boolean | string | number | bigint | Uint8Array | Value[] | { [key: string]: Value }

const BIGINT_MIN = -(2n ** 63n)
const BIGINT_MAX = 2n ** 64n - 1n

/** Such an object would read as one of the forms in which bytes and bigints are written. */
const isSlashOnly = (x: object): boolean => '/' in x && Object.keys(x).length === 1

const isPlainArray = (x: object): x is unknown[] => Array.isArray(x) && Object.getPrototypeOf(x) === Array.prototype

/** How an offending thing is called in the error: its class, or what kind of primitive it is. */
const kindOf = (x: unknown): string => {
  if (typeof x === 'number') return String(x)
  if (typeof x === 'object' && x !== null) return String(x.constructor?.name || 'object')
  return typeof x
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

class Reader {
  readonly root: string
  readonly code: ErrorCode
  readonly open = new Set<object>()

  constructor(root: string, code: ErrorCode) {
    this.root = root
    this.code = code
  }

  fail(path: readonly (string | number)[], found: string): never {
    let at = this.root
    for (const step of path) {
      if (typeof step === 'number') at += `[${step}]`
      else at += IDENTIFIER.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    const message = `${at}: ${found} is not a Value; use null, booleans, strings, finite numbers, 64-bit bigints, Uint8Array, arrays and plain objects`
    throw new MeshError(this.code, { message, path: at, found })
  }

  read(x: unknown, path: (string | number)[]): Value {
    switch (typeof x) {
      case 'undefined':
        return null
      case 'boolean':
        return x
      case 'string':
        return x.isWellFormed() ? x : this.fail(path, 'a string with a lone surrogate')
      case 'number':
        if (!Number.isFinite(x)) this.fail(path, kindOf(x))
        return x === 0 ? 0 : x
      case 'bigint':
        if (x < BIGINT_MIN || x > BIGINT_MAX) this.fail(path, 'a bigint over 64 bits')
        return x
      case 'object':
        return x === null ? null : this.readObject(x, path)
      default:
        return this.fail(path, kindOf(x))
    }
  }

  readObject(x: object, path: (string | number)[]): Value {
    if (x instanceof Uint8Array) return x
    if (this.open.has(x)) this.fail(path, 'a cycle')
    if (path.length >= VALUE_DEPTH_MAX) this.fail(path, `nesting over ${VALUE_DEPTH_MAX} levels`)
    this.open.add(x)
    const read = isPlainArray(x) ? this.readArray(x, path) : this.readRecord(x, path)
    this.open.delete(x)
    return read
  }

  readArray(x: readonly unknown[], path: (string | number)[]): Value[] {
    const list: Value[] = new Array(x.length)
    for (let i = 0; i < x.length; i++) {
      path.push(i)
      list[i] = this.read(x[i], path)
      path.pop()
    }
    return list
  }

  readRecord(x: object, path: (string | number)[]): Value {
    if (!isPlainObject(x)) this.fail(path, kindOf(x))
    const record: { [key: string]: Value } = {}
    for (const key of Object.keys(x)) {
      const property = x[key]
      if (property === undefined) continue
      path.push(key)
      if (!key.isWellFormed()) this.fail(path, 'a key with a lone surrogate')
      const value = this.read(property, path)
      path.pop()
      define(record, key, value)
    }
    if (isSlashOnly(record)) this.fail(path, 'an object whose only key is "/"')
    return record
  }
}

/**
 * The Value that `x` stands for, freshly built: undefined properties dropped, a bare undefined null, -0 as 0.
 * Throws MeshError E_VALUE (or `code`) whose `path` begins with `root`, as in `result.items[3].when: Date`.
 */
export const ensureValue = (x: unknown, root = 'value', code: ErrorCode = 'E_VALUE'): Value =>
  new Reader(root, code).read(x, [])

type Tree = null | boolean | string | number | Uint8Array | Tree[] | { [key: string]: Tree }

/** Walks a Value and replaces its leaves; shared by the CBOR and JSON forms. */
const mapLeaves = (x: Value, leaf: (x: bigint | Uint8Array) => Tree): Tree => {
  if (typeof x === 'bigint' || x instanceof Uint8Array) return leaf(x)
  if (Array.isArray(x)) return x.map((item) => mapLeaves(item, leaf))
  if (typeof x !== 'object' || x === null) return x
  const out: { [key: string]: Tree } = {}
  for (const key of Object.keys(x)) define(out, key, mapLeaves(x[key] as Value, leaf))
  return out
}

const bigintForm = (x: bigint): Tree => ({ '/': { bigint: x.toString() } })

const DECIMAL = /^(0|-?[1-9][0-9]{0,19})$/

const bigintFrom = (text: unknown): bigint | undefined => {
  if (typeof text !== 'string' || !DECIMAL.test(text)) return undefined
  const x = BigInt(text)
  return x < BIGINT_MIN || x > BIGINT_MAX ? undefined : x
}

const bytesFrom = (text: unknown): Uint8Array | undefined => {
  // atob would pass over blanks.
  if (typeof text !== 'string' || /[^A-Za-z0-9+/=]/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  } catch {
    return undefined
  }
}

const base64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary)
}

/** The bigint or bytes that the object under "/" writes, if it is one of the two forms. */
const leafFrom = (form: unknown, bytesAllowed: boolean): bigint | Uint8Array | undefined => {
  if (typeof form !== 'object' || form === null || Object.keys(form).length !== 1) return undefined
  const { bigint, bytes } = form as Record<string, unknown>
  return bigintFrom(bigint) ?? (bytesAllowed ? bytesFrom(bytes) : undefined)
}

/**
 * The inverse of the forms above: `{"/": {"bigint": …}}` (and, in JSON, `{"/": {"bytes": …}}`) become leaves again.
 * What was just read is changed in place: a copy of it would cost as much as the reading.
 */
const unmapLeaves = (x: unknown, depth: number, bytesAllowed: boolean, fail: (found: string) => never): Value => {
  if (typeof x !== 'object' || x === null || x instanceof Uint8Array) return x as Value
  if (x instanceof CID) fail('a CID')
  if (isSlashOnly(x))
    return leafFrom((x as { '/': unknown })['/'], bytesAllowed) ?? fail('an object whose only key is "/"')
  if (depth >= VALUE_DEPTH_MAX) fail(`nesting over ${VALUE_DEPTH_MAX} levels`)
  const read = (inside: unknown) => unmapLeaves(inside, depth + 1, bytesAllowed, fail)
  if (Array.isArray(x)) {
    for (let i = 0; i < x.length; i++) if (typeof x[i] === 'object') x[i] = read(x[i])
    return x
  }
  const record = x as Record<string, unknown>
  for (const key of Object.keys(record)) if (typeof record[key] === 'object') define(record, key, read(record[key]))
  return record as Value
}

/** Few Values do, and the others are written as they are. */
const holdsBigint = (x: Value): boolean => {
  if (typeof x === 'bigint') return true
  if (typeof x !== 'object' || x === null || x instanceof Uint8Array) return false
  if (Array.isArray(x)) return x.some(holdsBigint)
  for (const key of Object.keys(x)) if (holdsBigint(x[key] as Value)) return true
  return false
}

/** Canonical DAG-CBOR of a Value that `ensureValue` returned. */
export const encodeValue = (x: Value): Uint8Array =>
  encodeCanonical(holdsBigint(x) ? mapLeaves(x, (leaf) => (typeof leaf === 'bigint' ? bigintForm(leaf) : leaf)) : x)

/**
 * Throws MeshError E_MESSAGE unless `bytes` are exactly what `encodeValue` gives for some Value, and E_MESSAGE_LIMIT if it
 * has more than `itemsMax` things in it.
 */
export const decodeValue = (bytes: Uint8Array, itemsMax?: number): Value => {
  const fail = (found: string): never => {
    throw new MeshError('E_MESSAGE', { message: `the encoded value holds ${found}`, found })
  }
  return unmapLeaves(decodeCanonical(bytes, 'value', itemsMax), 0, false, fail)
}

/** JSON text; bytes and bigints as `{"/":{"bytes":"<base64>"}}` and `{"/":{"bigint":"<decimal>"}}`. */
export const valueToJson = (x: Value, indent?: number): string =>
  JSON.stringify(
    mapLeaves(x, (leaf) => (typeof leaf === 'bigint' ? bigintForm(leaf) : { '/': { bytes: base64(leaf) } })),
    undefined,
    indent,
  )

/** Throws MeshError E_INPUT if `text` is not JSON or not a Value; the message says where. */
export const valueFromJson = (text: string): Value => {
  const fail = (found: string): never => {
    throw new MeshError('E_INPUT', { message: `the JSON holds ${found}`, found })
  }
  let parsed: unknown
  try {
    parsed = parseJson(text)
  } catch (cause) {
    throw new MeshError('E_INPUT', `not valid JSON: ${(cause as Error).message}`, { cause })
  }
  return ensureValue(unmapLeaves(parsed, 0, true, fail), 'input', 'E_INPUT')
}
