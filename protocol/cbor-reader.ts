/** Reads canonical DAG-CBOR and checks every rule of README.md, "Encoding", in one pass. */
import {
  BYTES,
  CID_PREFIX,
  CID_TAG,
  DEPTH_MAX,
  FALSE,
  FLOAT_64,
  LEAST,
  LIST,
  NEGATIVE,
  NULL,
  SIMPLE,
  TAG,
  TEXT,
  TRUE,
  UNSIGNED,
} from './cbor.ts'
import { Copier, textAt } from './cbor-pieces.ts'
import { type CID, CID_BYTES, cidFromBytes } from './cid.ts'
import { MeshError } from './errors.ts'
import { MESSAGE_ITEMS_MAX } from './limits.ts'
import { define } from './plain-object.ts'

const KEY_CHARS_MAX = 15
/** Keys read of late. The same few dozen names always come, and comparing one is cheaper than building it anew. */
const recentKeys: string[] = new Array(256).fill('')

class Reader {
  readonly bytes: Uint8Array
  readonly name: string
  at = 0
  readonly copier: Copier
  readonly itemsMax: number
  itemsLeft: number

  constructor(bytes: Uint8Array, name: string, itemsMax: number) {
    this.bytes = bytes
    this.name = name
    this.itemsMax = itemsMax
    this.itemsLeft = itemsMax
    this.copier = new Copier(bytes)
  }

  fail(why: string): never {
    const message = `${this.name}: not canonical DAG-CBOR, byte ${this.at}: ${why}`
    throw new MeshError('E_MESSAGE', { message, name: this.name })
  }

  failOnItems(): never {
    const message = `${this.name}: over ${this.itemsMax} items; byte ${this.at} begins one more`
    throw new MeshError('E_MESSAGE_LIMIT', { message, name: this.name, limit_items: this.itemsMax })
  }

  /** Steps over `length` bytes and returns where they begin. */
  take(length: number): number {
    const from = this.at
    if (length > this.bytes.length - from) this.fail('it ends early')
    this.at += length
    return from
  }

  byte(): number {
    return this.bytes[this.take(1)] as number
  }

  argument(info: number): number {
    if (info < 24) return info
    const least = LEAST[info - 24] ?? this.fail('an indefinite length or a reserved head')
    let n = 0
    for (let i = this.take(1 << (info - 24)); i < this.at; i++) n = n * 256 + (this.bytes[i] as number)
    if (n < least) this.fail('an integer or a length in more bytes than it needs')
    if (n > Number.MAX_SAFE_INTEGER) this.fail('an integer past 2^53')
    return n
  }

  item(depth: number): unknown {
    if (this.itemsLeft-- === 0) this.failOnItems()
    const head = this.byte()
    const major = head >> 5
    if (major === SIMPLE) return this.simple(head)
    const n = this.argument(head & 31)
    switch (major) {
      case UNSIGNED:
        return n
      case NEGATIVE:
        return n < Number.MAX_SAFE_INTEGER ? -1 - n : this.fail('an integer past -2^53')
      case BYTES:
        return this.copier.copy(this.take(n), this.at)
      case TEXT:
        return this.text(n)
      case TAG:
        return this.link(n)
    }
    if (depth === 0) this.fail(`nesting over ${DEPTH_MAX} levels`)
    return major === LIST ? this.list(n, depth - 1) : this.map(n, depth - 1)
  }

  simple(head: number): unknown {
    if (head === FALSE) return false
    if (head === TRUE) return true
    if (head === NULL) return null
    if (head !== FLOAT_64) this.fail('a simple value, or a float that is not of 64 bits')
    const { buffer, byteOffset } = this.bytes
    const x = new DataView(buffer, byteOffset + this.take(8), 8).getFloat64(0)
    if (!Number.isFinite(x)) this.fail('a float that is not finite')
    if (Number.isSafeInteger(x)) this.fail('a float that is an integer')
    return x
  }

  text(length: number): string {
    const from = this.take(length)
    return textAt(this.bytes, from, this.at) ?? this.fail('text that is not UTF-8')
  }

  link(tag: number): CID {
    if (tag !== CID_TAG) this.fail(`tag ${tag}`)
    const from = this.take(CID_PREFIX.length + CID_BYTES)
    const start = from + CID_PREFIX.length
    const prefixed = CID_PREFIX.every((byte, i) => this.bytes[from + i] === byte)
    const cid = prefixed ? cidFromBytes(this.bytes.slice(start, this.at)) : undefined
    return cid ?? this.fail('a CID that is not version 1, raw or dag-cbor, SHA-256')
  }

  list(length: number, depth: number): unknown[] {
    const items: unknown[] = []
    for (let i = 0; i < length; i++) items.push(this.item(depth))
    return items
  }

  map(length: number, depth: number): object {
    const record: Record<string, unknown> = {}
    let lastFrom = 0
    let lastLength = -1
    for (let i = 0; i < length; i++) {
      const head = this.byte()
      if (head >> 5 !== TEXT) this.fail('a key that is not text')
      const keyLength = this.argument(head & 31)
      const from = this.at
      const key = this.key(keyLength)
      if (keyLength < lastLength || (keyLength === lastLength && !this.ascends(lastFrom, from, keyLength)))
        this.fail(`the key ${JSON.stringify(key)} twice or out of order`)
      lastFrom = from
      lastLength = keyLength
      define(record, key, this.item(depth))
    }
    return record
  }

  key(length: number): string {
    if (length === 0 || length > KEY_CHARS_MAX) return this.text(length)
    const from = this.take(length)
    const slot = (31 * length + 7 * (this.bytes[from] as number) + (this.bytes[this.at - 1] as number)) & 255
    const recent = recentKeys[slot] as string
    if (recent.length === length && this.holds(recent, from)) return recent
    this.at = from
    const key = this.text(length)
    recentKeys[slot] = key
    return key
  }

  holds(text: string, from: number): boolean {
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== this.bytes[from + i]) return false
    return true
  }

  /** Do the `length` bytes at `b` sort after those at `a`? */
  ascends(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) {
      const difference = (this.bytes[b + i] as number) - (this.bytes[a + i] as number)
      if (difference !== 0) return difference > 0
    }
    return false
  }
}

const read = (bytes: Uint8Array, name: string, itemsMax: number): unknown => {
  // A view of the plain class: the slices of a Node.js Buffer would share its memory.
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), name, itemsMax)
  const decoded = reader.item(DEPTH_MAX)
  if (reader.at !== bytes.length) reader.fail('bytes after the end')
  return decoded
}

/**
 * The thing that `bytes` encode: null, booleans, safe integers and other finite numbers, text, Uint8Array (copies),
 * CIDs, arrays, plain objects. Throws MeshError E_MESSAGE, with `name`, the place and the rule, if they are not canonical, and
 * E_MESSAGE_LIMIT if there are more than `itemsMax`.
 */
export const decodeCanonical = (bytes: Uint8Array, name = 'bytes', itemsMax = Number.POSITIVE_INFINITY): unknown =>
  read(bytes, name, itemsMax)

/** The same for a message, which holds at most MESSAGE_ITEMS_MAX things. Throws MeshError E_MESSAGE_LIMIT as well. */
export const decodeMessage = (bytes: Uint8Array, name: string): unknown => read(bytes, name, MESSAGE_ITEMS_MAX)
