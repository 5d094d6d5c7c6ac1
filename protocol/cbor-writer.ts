/** Writes canonical DAG-CBOR (README.md, "Encoding"). */
import {
  BYTES,
  CID_PREFIX,
  CID_TAG,
  DEPTH_MAX,
  FALSE,
  FLOAT_64,
  LEAST,
  LIST,
  MAP,
  NEGATIVE,
  NULL,
  TAG,
  TEXT,
  TRUE,
  UNSIGNED,
} from './cbor.ts'
import type { Pool } from './cbor-pieces.ts'
import { CID } from './cid.ts'
import { MeshError } from './errors.ts'
import { isPlainObject } from './plain-object.ts'

const utf8Encoder = new TextEncoder()

/** Up to here a loop over ASCII beats TextEncoder. */
const LOOP_CHARS_MAX = 15
/** Up to here a loop beats the call of `set`. */
const LOOP_BYTES_MAX = 10
/** Up to here room for the longest form is made in advance, and the text written in place. */
const IN_PLACE_CHARS_MAX = 4096

const SCRATCH_BYTES_MAX = 65_536

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

/** Shorter first, then bytewise. */
const compareAscii = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1)
const compareUtf8 = (a: Uint8Array, b: Uint8Array): number => {
  if (a.length !== b.length) return a.length - b.length
  const i = a.findIndex((byte, i) => byte !== b[i])
  return (a[i] as number) - (b[i] as number)
}

/** Up to here sorting by insertion beats the call of `sort`. */
const INSERTION_KEYS_MAX = 12

const insertionSort = (keys: string[]): string[] => {
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string
    let at = i
    for (; at > 0 && compareAscii(key, keys[at - 1] as string) < 0; at--) keys[at] = keys[at - 1] as string
    keys[at] = key
  }
  return keys
}

const sortAscii = (keys: string[]): string[] =>
  keys.length <= INSERTION_KEYS_MAX ? insertionSort(keys) : keys.sort(compareAscii)

/** UTF-16 sorts as UTF-8 does only within ASCII. */
export const sortKeys = (keys: string[]): string[] =>
  keys.every(isAscii)
    ? sortAscii(keys)
    : keys
        .map((key) => ({ key, utf8: utf8Encoder.encode(key) }))
        .sort((a, b) => compareUtf8(a.utf8, b.utf8))
        .map(({ key }) => key)

export class Writer {
  bytes: Uint8Array = new Uint8Array(1024)
  at = 0

  fail(why: string): never {
    throw new MeshError('E_INTERNAL', `cannot be encoded as DAG-CBOR: ${why}`)
  }

  /** Makes room for `length` bytes and returns where they begin. */
  room(length: number): number {
    const from = this.at
    this.at += length
    if (this.at > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.at))
      larger.set(this.bytes)
      this.bytes = larger
    }
    return from
  }

  byte(byte: number): void {
    const from = this.room(1)
    this.bytes[from] = byte
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes
    const from = this.room(length)
    if (length > LOOP_BYTES_MAX) this.bytes.set(bytes, from)
    else for (let i = 0; i < length; i++) this.bytes[from + i] = bytes[i] as number
  }

  head(major: number, argument: number): void {
    const first = major << 5
    if (argument < LEAST[0]) return this.byte(first | argument)
    if (argument < LEAST[1]) {
      const from = this.room(2)
      this.bytes[from] = first | 24
      this.bytes[from + 1] = argument
    } else if (argument < LEAST[2]) {
      const from = this.room(3)
      this.bytes[from] = first | 25
      this.bytes[from + 1] = argument >> 8
      this.bytes[from + 2] = argument
    } else if (argument < LEAST[3]) {
      this.byte(first | 26)
      this.word(argument)
    } else {
      this.byte(first | 27)
      this.word(Math.floor(argument / LEAST[3]))
      this.word(argument)
    }
  }

  /** The lowest 32 bits. */
  word(x: number): void {
    const from = this.room(4)
    this.bytes[from] = x >>> 24
    this.bytes[from + 1] = x >>> 16
    this.bytes[from + 2] = x >>> 8
    this.bytes[from + 3] = x
  }

  item(x: unknown, depth: number): void {
    switch (typeof x) {
      case 'string':
        return this.text(x)
      case 'number':
        return this.number(x)
      case 'boolean':
        return this.byte(x ? TRUE : FALSE)
      case 'object':
        return x === null ? this.byte(NULL) : this.object(x, depth)
      default:
        this.fail(`a ${typeof x}`)
    }
  }

  text(text: string): void {
    const { length } = text
    const from = this.at
    this.head(TEXT, length)
    if (length <= LOOP_CHARS_MAX) {
      const start = this.room(length)
      let i = 0
      for (; i < length && text.charCodeAt(i) < 128; i++) this.bytes[start + i] = text.charCodeAt(i)
      if (i === length) return
    } else if (length <= IN_PLACE_CHARS_MAX) {
      // No UTF-16 unit takes more than three bytes.
      const start = this.room(3 * length)
      const { written } = utf8Encoder.encodeInto(text, this.bytes.subarray(start, this.at))
      this.at = start + written
      if (written === length) return
    }
    this.at = from
    const utf8 = utf8Encoder.encode(text)
    this.head(TEXT, utf8.length)
    this.raw(utf8)
  }

  number(x: number): void {
    if (Number.isSafeInteger(x)) return x < 0 ? this.head(NEGATIVE, -1 - x) : this.head(UNSIGNED, x)
    if (!Number.isFinite(x)) this.fail(`the number ${x}`)
    this.byte(FLOAT_64)
    const from = this.room(8)
    new DataView(this.bytes.buffer).setFloat64(from, x)
  }

  object(x: object, depth: number): void {
    if (x instanceof Uint8Array) {
      this.head(BYTES, x.length)
      return this.raw(x)
    }
    if (x instanceof CID) {
      this.head(TAG, CID_TAG)
      this.raw(CID_PREFIX)
      return this.raw(x.bytes)
    }
    if (depth === 0) this.fail(`nesting over ${DEPTH_MAX} levels`)
    if (Array.isArray(x)) {
      this.head(LIST, x.length)
      for (const item of x) this.item(item, depth - 1)
    } else if (isPlainObject(x)) {
      const keys = sortKeys(Object.keys(x))
      this.head(MAP, keys.length)
      for (const key of keys) {
        this.text(key)
        this.item(x[key], depth - 1)
      }
    } else this.fail(`an object of class ${x.constructor?.name}`)
  }
}

/** Put back by who took it, unless it grew large: most messages need no allocation but their own. */
let idle: Writer | undefined

/** The bytes that `write` writes. With a pool they may share a buffer with others. */
export const written = (write: (writer: Writer) => void, pool?: Pool): Uint8Array => {
  const writer = idle ?? new Writer()
  idle = undefined
  writer.at = 0
  write(writer)
  const { bytes, at } = writer
  if (bytes.length <= SCRATCH_BYTES_MAX) idle = writer
  return pool ? pool.keep(bytes, at) : bytes.slice(0, at)
}

/**
 * The canonical bytes of what `decodeCanonical` returns. -0 is written as 0, a lone surrogate as U+FFFD.
 * Throws MeshError E_INTERNAL for all else: undefined, NaN, bigints, class instances.
 */
export const encodeCanonical = (x: unknown): Uint8Array => written((writer) => writer.item(x, DEPTH_MAX))
