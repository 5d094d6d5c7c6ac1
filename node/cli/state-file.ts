/**
 * A namespace in a file, a line of JSON for each thing: what it is; each entry, in the order of keys; after each thousand of
 * them how many there were so far and the hash of their lines; at the end how many there are and the hash of all.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { MeshError } from '../../protocol/errors.ts'
import { isPeerId } from '../../protocol/identity.ts'
import { NAME_CHARS_MAX } from '../../protocol/limits.ts'
import { isStateKey, isStateNamespace } from '../../protocol/state-names.ts'
import { decodeValue, encodeValue, valueFromJson, valueToJson } from '../../protocol/values.ts'

/** Where a file is damaged is said as closely as that. */
const CHECK_EVERY = 1000

const header = v.pipe(
  v.strictObject({
    wayside: v.literal('state'),
    v: v.literal(1),
    namespace: v.pipe(v.string(), v.check(isStateNamespace)),
    revision: v.number(),
    /** Which move it is part of; without one it is a copy. */
    move: v.optional(v.pipe(v.string(), v.maxLength(NAME_CHARS_MAX))),
    /** The home that it moves to: no other takes it. */
    to: v.optional(v.pipe(v.string(), v.check(isPeerId))),
  }),
  v.check(({ move, to }) => (move === undefined) === (to === undefined)),
)
export type StateFileHeader = v.InferOutput<typeof header>

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const checkpoint = v.strictObject({ sofar: count, sha256: v.string() })
const ending = v.strictObject({ entries: count, sha256: v.string() })

export interface FileEntry {
  key: string
  /** Encoded. */
  value: Uint8Array
}

/** What all entries come to. */
export interface Sum {
  entries: number
  sha256: string
}

const entryLine = ({ key, value }: FileEntry): string =>
  `{"key":${JSON.stringify(key)},"value":${valueToJson(decodeValue(value))}}\n`

/** Lines of entries, counted and hashed. */
export class Tally {
  readonly #hash: Hash = createHash('sha256')
  #entries = 0

  /** The line of one more, and what stands behind it. */
  add(entry: FileEntry): string {
    const line = entryLine(entry)
    this.#hash.update(line)
    this.#entries += 1
    return this.#entries % CHECK_EVERY === 0 ? `${line}${JSON.stringify(this.#check())}\n` : line
  }

  get sum(): Sum {
    return { entries: this.#entries, sha256: this.#hash.copy().digest('hex') }
  }

  #check(): v.InferOutput<typeof checkpoint> {
    const { entries, sha256 } = this.sum
    return { sofar: entries, sha256 }
  }
}

export const headerLine = (about: StateFileHeader): string => `${JSON.stringify(about)}\n`
export const endLine = (sum: Sum): string => `${JSON.stringify(sum)}\n`

/** Reads a file line by line; each error says in which line. */
class Reading {
  readonly #file: string
  readonly #tally = new Tally()
  #line = 0
  /** Up to here the lines are what they were. */
  #sound = 1
  #last: string | undefined

  constructor(file: string) {
    this.#file = file
  }

  async *lines(): AsyncGenerator<string> {
    try {
      for await (const text of createInterface({ input: createReadStream(this.#file), crlfDelay: 0 })) {
        this.#line += 1
        yield text
      }
    } catch (cause) {
      if (cause instanceof MeshError) throw cause
      throw new MeshError('E_INPUT', `${this.#file} cannot be read: ${(cause as Error).message}`, { cause })
    }
  }

  refuse(why: string): MeshError {
    const message = `${this.#file}, line ${this.#line}: ${why}; nothing was changed, export it again`
    return new MeshError('E_INPUT', { message, file: this.#file, line: this.#line })
  }

  json<S extends v.GenericSchema>(schema: S, text: string): v.InferOutput<S> | undefined {
    try {
      const read = v.safeParse(schema, JSON.parse(text))
      return read.success ? read.output : undefined
    } catch {
      return undefined
    }
  }

  entry(text: string): FileEntry {
    const entry = this.#parsed(text)
    if (!isStateKey(entry.key)) throw this.refuse('its key is none')
    if (this.#last !== undefined && Buffer.compare(Buffer.from(this.#last), Buffer.from(entry.key)) >= 0)
      throw this.refuse(`key ${JSON.stringify(entry.key)} does not come after ${JSON.stringify(this.#last)}`)
    this.#last = entry.key
    if (entryLine(entry) !== `${text}\n`) throw this.refuse('it is not as it was written')
    this.#tally.add(entry)
    return entry
  }

  check(found: Sum): void {
    const { entries, sha256 } = this.#tally.sum
    if (found.entries !== entries)
      throw this.refuse(`it counts ${found.entries} entries, and there are ${entries} before it`)
    if (found.sha256 !== sha256)
      throw this.refuse(
        `the entries between line ${this.#sound} and here have another hash than it says: they were changed`,
      )
    this.#sound = this.#line
  }

  #parsed(text: string): FileEntry {
    try {
      const value = valueFromJson(text) as { key: string; value: never }
      if (typeof value.key !== 'string' || !('value' in value)) throw new Error('it is no entry')
      return { key: value.key, value: encodeValue(value.value) }
    } catch (cause) {
      throw this.refuse(`it cannot be read (${(cause as Error).message})`)
    }
  }
}

/**
 * Entries of the file, and at the end what they come to: everything before it is right. Throws MeshError E_INPUT, that names
 * the line, for what is not, also where the file ends too early.
 */
export async function* readStateFile(file: string): AsyncGenerator<StateFileHeader | FileEntry, Sum> {
  const reading = new Reading(file)
  let isFirst = true
  let sum: Sum | undefined
  for await (const text of reading.lines()) {
    if (sum) throw reading.refuse('it stands behind the end')
    if (isFirst) {
      const about = reading.json(header, text)
      if (!about) throw reading.refuse('this is no export of `wayside state export`')
      isFirst = false
      yield about
      continue
    }
    const sofar = text.startsWith('{"sofar"') && reading.json(checkpoint, text)
    sum = text.startsWith('{"entries"') ? reading.json(ending, text) : undefined
    if (sofar) reading.check({ entries: sofar.sofar, sha256: sofar.sha256 })
    else if (sum) reading.check(sum)
    else yield reading.entry(text)
  }
  if (sum) return sum
  throw reading.refuse('the file ends here, without its count and hash: it was cut off')
}
