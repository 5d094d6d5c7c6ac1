/** Reads and extends protocol/vectors/. Nothing in it is ever changed or removed: other implementations rely on it. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rawCid } from '../../protocol/cid.ts'
import { crypto } from './test-keys.ts'

const FOLDER = join(import.meta.dirname, '../../protocol/vectors')
const FROZEN = 'frozen.txt'

const linesIn = (file: string): string[] => {
  const path = join(FOLDER, file)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

/** The lines of a list, each cut at its tabs. Lines that begin with `#` are comments. */
export const readList = (file: string): string[][] =>
  linesIn(file)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split('\t'))

const cidOf = (bytes: Uint8Array) => rawCid(crypto, bytes).toString()

/** The bytes of a binary vector. Throws if they are not those that its name promises. */
export const readVector = (cid: string): Uint8Array => {
  const bytes = new Uint8Array(readFileSync(join(FOLDER, `${cid}.cbor`)))
  if (cidOf(bytes) !== cid) throw new Error(`${cid}.cbor was changed: its bytes are those of ${cidOf(bytes)}`)
  return bytes
}

/** Writes a binary vector and returns its CID, which is its name. */
export const addVector = (bytes: Uint8Array): string => {
  const cid = cidOf(bytes)
  writeFileSync(join(FOLDER, `${cid}.cbor`), bytes)
  return cid
}

const frozenLine = (file: string, count: number) =>
  [file, count, cidOf(new TextEncoder().encode(linesIn(file).slice(0, count).join('\n')))].join('\t')

/** Appends the lines that `file` lacks, and freezes it as it then is. Returns how many there were. */
export const addToList = (file: string, rows: readonly (readonly string[])[]): number => {
  const known = new Set(linesIn(file))
  const missing = rows.map((row) => row.join('\t')).filter((line) => !known.has(line))
  for (const line of missing) appendFileSync(join(FOLDER, file), `${line}\n`)
  const frozen = frozenLine(file, linesIn(file).length)
  if (!linesIn(FROZEN).includes(frozen)) appendFileSync(join(FOLDER, FROZEN), `${frozen}\n`)
  return missing.length
}

/** What was frozen and has changed since: file and number of lines. */
export const thawed = (): string[] =>
  readList(FROZEN)
    .filter(([file = '', count]) => !linesIn(FROZEN).includes(frozenLine(file, Number(count))))
    .map(([file, count]) => `the first ${count} lines of ${file}`)

/** The files that are frozen, and how many lines of each. */
export const frozenFiles = (): Map<string, number> =>
  new Map(readList(FROZEN).map(([file = '', count]) => [file, Number(count)]))
