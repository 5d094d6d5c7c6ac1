/**
 * Turns the schema of a message into a decoder that reads what fits it, in a fraction of the time of reading first and
 * checking afterwards. It accepts only: what is wrong with other bytes, the slow way tells.
 */
import { BYTES, FALSE, LEAST, LIST, NEGATIVE, TEXT, TRUE, UNSIGNED } from './cbor.ts'
import { Copier, textAt } from './cbor-pieces.ts'
import { CID_BYTES, cidFromBytes } from './cid.ts'
import { type Choice, choiceOf } from './compiled-choice.ts'
import {
  CID_LEAD,
  constantOf,
  formsOf,
  kindOf,
  MISFIT,
  NO_BYTES,
  type Part,
  recordLayout,
  type Schema,
  unknownSchema,
} from './compiled-layout.ts'
import { MESSAGE_ITEMS_MAX } from './limits.ts'

class Cursor {
  readonly bytes: Uint8Array
  readonly copier: Copier
  at = 0
  /** Items met so far, as the reader counts them: each but the first is a field of a record or stands in a list. */
  items = 1

  constructor(bytes: Uint8Array) {
    // A view of the plain class: the slices of a Node.js Buffer would share its memory.
    this.bytes =
      Object.getPrototypeOf(bytes) === Uint8Array.prototype
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.copier = new Copier(this.bytes)
  }

  /** Steps over `length` bytes and returns where they begin. */
  take(length: number): number {
    const from = this.at
    if (length > this.bytes.length - from) throw MISFIT
    this.at = from + length
    return from
  }

  expect(constant: Uint8Array): void {
    const from = this.take(constant.length)
    for (let i = 0; i < constant.length; i++) if (this.bytes[from + i] !== constant[i]) throw MISFIT
  }

  argument(head: number): number {
    const info = head & 31
    if (info < 24) return info
    const least = LEAST[info - 24]
    if (least === undefined) throw MISFIT
    let n = 0
    for (let i = this.take(1 << (info - 24)); i < this.at; i++) n = n * 256 + (this.bytes[i] as number)
    if (n < least || n > Number.MAX_SAFE_INTEGER) throw MISFIT
    return n
  }

  head(major: number): number {
    const head = this.bytes[this.take(1)] as number
    if (head >> 5 !== major) throw MISFIT
    return this.argument(head)
  }

  count(items: number): void {
    this.items += items
    if (this.items > MESSAGE_ITEMS_MAX) throw MISFIT
  }
}

/** Reads a value after its lead. */
interface ReadingPart extends Part {
  read(cursor: Cursor): unknown
}

type Read = ReadingPart['read']

const partOf = (read: Read, lead = NO_BYTES): ReadingPart => ({ lead, isConstant: false, read })

const literal = ({ literal }: Schema): ReadingPart => ({
  lead: constantOf(literal),
  isConstant: true,
  read: () => literal,
})

/** Reads one of the options, lead and all. */
const oneOf = (options: readonly ReadingPart[]): ReadingPart => {
  const choice: Choice<ReadingPart> = choiceOf(options)
  return partOf((cursor) => {
    const option = choice(cursor.bytes, cursor.at)
    cursor.expect(option.lead)
    return option.read(cursor)
  })
}

const boolean = partOf((cursor) => {
  const byte = cursor.bytes[cursor.take(1)]
  if (byte !== TRUE && byte !== FALSE) throw MISFIT
  return byte === TRUE
})

type Action = NonNullable<Schema['pipe']>[number]

/** The limits that a pipe sets. */
const limitsOf = (schema: Schema) => {
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, checks: [] as ((text: string) => boolean)[] }
  if (schema.type === 'number') limits.min = Number.MIN_SAFE_INTEGER
  for (const { type, requirement } of (schema.pipe ?? []).slice(1) as Action[]) {
    if (type === 'min_value' || type === 'min_length') limits.min = Math.max(limits.min, requirement as number)
    else if (type === 'max_value' || type === 'max_length') limits.max = Math.min(limits.max, requirement as number)
    else if (type === 'check') limits.checks.push(requirement as (text: string) => boolean)
    else if (type === 'regex') limits.checks.push((text) => (requirement as RegExp).test(text))
  }
  return limits
}

const integer = (schema: Schema): ReadingPart => {
  const { min, max } = limitsOf(schema)
  return partOf((cursor) => {
    const head = cursor.bytes[cursor.take(1)] as number
    const major = head >> 5
    if (major !== UNSIGNED && major !== NEGATIVE) throw MISFIT
    const n = major === UNSIGNED ? cursor.argument(head) : -1 - cursor.argument(head)
    if (n < min || n > max || !Number.isSafeInteger(n)) throw MISFIT
    return n
  })
}

const text = (schema: Schema): ReadingPart => {
  const { min, max } = limitsOf(schema)
  return partOf((cursor) => {
    const from = cursor.take(cursor.head(TEXT))
    const read = textAt(cursor.bytes, from, cursor.at)
    if (read === undefined || read.length < min || read.length > max) throw MISFIT
    return read
  })
}

interface KnownName {
  readonly text: string
  readonly bytes: Uint8Array
}

const NAMES_KEPT = 16

const holds = (bytes: Uint8Array, from: number, expected: Uint8Array): boolean => {
  // From the end: PeerIds all begin alike.
  for (let i = expected.length - 1; i >= 0; i--) if (bytes[from + i] !== expected[i]) return false
  return true
}

/**
 * Texts of a syntax, that is names of peers and engines: the same few come again and again, and comparing one costs a
 * fifth of reading and checking it anew.
 */
const name = (schema: Schema): ReadingPart => {
  const { min, max, checks } = limitsOf(schema)
  const known = new Array<KnownName | undefined>(NAMES_KEPT).fill(undefined)
  return partOf((cursor) => {
    const length = cursor.head(TEXT)
    const from = cursor.take(length)
    const place = (cursor.bytes[cursor.at - 1] as number) % NAMES_KEPT
    const recent = known[place]
    if (recent && recent.bytes.length === length && holds(cursor.bytes, from, recent.bytes)) return recent.text
    const text = textAt(cursor.bytes, from, cursor.at)
    if (text === undefined || text.length < min || text.length > max) throw MISFIT
    for (const check of checks) if (!check(text)) throw MISFIT
    known[place] = { text, bytes: cursor.bytes.slice(from, cursor.at) }
    return text
  })
}

const bytes = ({ lengthMin = 0, lengthMax = 0 }: Schema): ReadingPart =>
  partOf((cursor) => {
    const length = cursor.head(BYTES)
    if (length < lengthMin || length > lengthMax) throw MISFIT
    const from = cursor.take(length)
    return cursor.copier.copy(from, cursor.at)
  })

const cid = partOf((cursor) => {
  const from = cursor.take(CID_BYTES)
  const read = cidFromBytes(cursor.bytes.slice(from, cursor.at))
  if (!read) throw MISFIT
  return read
}, CID_LEAD)

const list = (schema: Schema): ReadingPart => {
  const { min, max } = limitsOf(schema)
  const { lead, read } = compile(schema.item as Schema)
  return partOf((cursor) => {
    const length = cursor.head(LIST)
    if (length < min || length > max) throw MISFIT
    cursor.count(length)
    const items: unknown[] = []
    for (let i = 0; i < length; i++) {
      cursor.expect(lead)
      items.push(read(cursor))
    }
    return items
  })
}

const record = (schema: Schema): ReadingPart => {
  const [form, ...others] = formsOf(schema).map(recordOf) as [ReadingPart, ...ReadingPart[]]
  return others.length === 0 ? form : oneOf([form, ...others])
}

const recordOf = (entries: NonNullable<Schema['entries']>): ReadingPart => {
  const { lead, fields, tail } = recordLayout(entries, compile)
  return partOf((cursor) => {
    cursor.count(fields.length)
    const read: Record<string, unknown> = {}
    for (let i = 0; i < fields.length; i++) {
      const { key, lead, part } = fields[i] as (typeof fields)[number]
      if (lead.length > 0) cursor.expect(lead)
      read[key] = part.read(cursor)
    }
    cursor.expect(tail)
    return read
  }, lead)
}

const compile = (schema: Schema): ReadingPart => {
  const kind = kindOf(schema)
  switch (kind) {
    case 'literal':
      return literal(schema)
    case 'picklist':
      return oneOf((schema.options as string[]).map((option) => literal({ type: 'literal', literal: option })))
    case 'boolean':
      return boolean
    case 'number':
      return integer(schema)
    case 'string':
      return limitsOf(schema).checks.length > 0 ? name(schema) : text(schema)
    case 'array':
      return list(schema)
    case 'bytes':
      return bytes(schema)
    case 'cid':
      return cid
    case 'strict_object':
      return record(schema)
    case 'variant':
      return oneOf((schema.options as Schema[]).flatMap((option) => formsOf(option).map(recordOf)))
    default:
      throw unknownSchema(kind)
  }
}

/** The decoder of the schema: what the bytes hold, or undefined if they are not exactly a message that fits. */
export const compileDecoder = (schema: Schema): ((bytes: Uint8Array) => unknown) => {
  const { lead, read } = compile(schema)
  return (bytes) => {
    const cursor = new Cursor(bytes)
    try {
      cursor.expect(lead)
      const message = read(cursor)
      return cursor.at === bytes.length ? message : undefined
    } catch (thrown) {
      if (thrown === MISFIT) return undefined
      throw thrown
    }
  }
}
