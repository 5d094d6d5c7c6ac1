/** Where the inputs of a map come from: a range, files, or lines of JSON. */
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipe } from 'it-pipe'
import { rawCid, recordCid } from '../../protocol/cid.ts'
import { encodeCanonical } from '../../protocol/codec.ts'
import { MeshError } from '../../protocol/errors.ts'
import { INPUT_BYTES_MAX, MIB } from '../../protocol/limits.ts'
import { type Value, valueFromJson } from '../../protocol/values.ts'
import { encodeInput } from '../../sdk/answer.ts'
import { createCrypto } from '../crypto.ts'

/** One item: how to get its input, encoded. What it throws as MeshError is the item's own failure. */
export interface MapInput {
  index: number
  read(): Promise<Uint8Array> | Uint8Array
}

export interface MapSource {
  /** Undefined if it cannot be known beforehand. */
  total: number | undefined
  /** CID of all the inputs, as text; null for a stream that is gone when it was read. */
  identify(): Promise<string | null>
  items(): AsyncIterable<MapInput>
}

const RANGE = /^(-?[0-9]{1,15})\.\.(-?[0-9]{1,15})$/

/** `A..B` are the integers from A to B, both included. */
export const rangeSource = (text: string): MapSource => {
  const [, from, to] = RANGE.exec(text)?.map(Number) ?? []
  if (from === undefined || to === undefined || from > to) {
    throw new MeshError('E_USAGE', `${text} is no range; write A..B, the integers from A to B`)
  }
  return {
    total: to - from + 1,
    identify: async () => recordCid(createCrypto(), encodeCanonical({ range: [from, to] })).toString(),
    async *items() {
      for (let n = from; n <= to; n++) yield { index: n - from, read: () => encodeInput(n) }
    },
  }
}

const streamCid = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  const digest = new Uint8Array(hash.digest())
  return rawCid({ hash: () => digest }, new Uint8Array()).toString()
}

const ensureFile = (path: string) => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isFile()) return
  const why = found ? 'is no file; name the files in it' : 'does not exist'
  throw new MeshError('E_USAGE', { message: `${path} ${why}`, file: path })
}

const readItem = async (path: string): Promise<Uint8Array> => {
  try {
    const { size } = statSync(path)
    if (size <= INPUT_BYTES_MAX) return encodeInput({ name: path, bytes: new Uint8Array(await readFile(path)) })
    throw new MeshError(
      'E_INPUT',
      `${path} has ${size} bytes, over the limit of ${INPUT_BYTES_MAX} for an input; split it`,
    )
  } catch (cause) {
    if (cause instanceof MeshError) throw cause
    throw new MeshError('E_INPUT', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** An item is `{ name, bytes }`, the path as it was written and the file's content. Throws MeshError E_USAGE. */
export const filesSource = (paths: readonly string[]): MapSource => {
  for (const path of paths) ensureFile(path)
  return {
    total: paths.length,
    async identify() {
      const files: [string, string][] = []
      for (const path of paths) files.push([path, await streamCid(path)])
      return recordCid(createCrypto(), encodeCanonical({ files })).toString()
    },
    async *items() {
      for (const [index, path] of paths.entries()) yield { index, read: () => readItem(path) }
    },
  }
}

/** JSON writes bytes in base64, a third longer; with room for the names around them. */
const LINE_BYTES_MAX = 2 * INPUT_BYTES_MAX + MIB

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8')
      rest = []
      bytes = 0
      from = end + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
    bytes += chunk.length - from
    if (bytes > LINE_BYTES_MAX)
      throw new MeshError('E_INPUT', `a line of over ${LINE_BYTES_MAX} bytes; inputs are one JSON text a line`)
  }
  if (bytes > 0) yield Buffer.concat(rest).toString('utf8')
}

const valueOfLine = (line: string, number: number, name: string): Value => {
  try {
    return valueFromJson(line)
  } catch (cause) {
    throw new MeshError('E_INPUT', `line ${number} of ${name}: ${(cause as Error).message}`, { cause })
  }
}

const inputsOf = (name: string) =>
  async function* (lines: AsyncIterable<string>): AsyncGenerator<MapInput> {
    let index = 0
    let number = 0
    for await (const line of lines) {
      const at = ++number
      if (line.trim() !== '') yield { index: index++, read: () => encodeInput(valueOfLine(line, at, name)) }
    }
  }

const lineItems = (stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<MapInput> =>
  pipe(stream, linesOf, inputsOf(name))

const countInputs = async (lines: AsyncIterable<string>): Promise<number> => {
  let count = 0
  for await (const line of lines) if (line.trim() !== '') count++
  return count
}

/** One JSON text a line; empty lines do not count. `-` is stdin. Throws MeshError E_USAGE. */
export const linesSource = async (path: string): Promise<MapSource> => {
  if (path === '-') {
    return { total: undefined, identify: async () => null, items: () => lineItems(process.stdin, 'stdin') }
  }
  ensureFile(path)
  return {
    total: await pipe(createReadStream(path), linesOf, countInputs),
    identify: () => streamCid(path),
    items: () => lineItems(createReadStream(path), path),
  }
}
