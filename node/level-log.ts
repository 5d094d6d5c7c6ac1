/**
 * Whether LevelDB will find what it failed to write when it opens again. Its log is blocks of 32 KiB with pieces of records,
 * each behind a checksum, a length and a kind (doc/log_format.md of LevelDB); a record that does not end is passed over.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LevelOperation } from './level-writer.ts'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const [FULL, FIRST, LAST] = [1, 2, 4]
/** Of a batch: a number of its own, and how many operations it has. */
const NUMBER_BYTES = 8
const COUNT_BYTES = 4
const [DELETE, PUT] = [0, 1]

/** Where the last record begins, if nothing stands behind it that does not end. */
const lastRecordAt = (log: Buffer): number | undefined => {
  let last: number | undefined
  let isWhole = true
  for (let at = 0; at < log.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      at += left
      continue
    }
    if (at + HEADER_BYTES > log.length) return undefined
    const kind = log[at + 6]
    if (kind === FULL || kind === FIRST) last = at + HEADER_BYTES
    isWhole = kind === FULL || kind === LAST
    at += HEADER_BYTES + log.readUInt16LE(at + 4)
    if (at > log.length) return undefined
  }
  return isWhole ? last : undefined
}

const lengthOf = (length: number): number[] =>
  length < 128 ? [length] : [128 | (length % 128), ...lengthOf(length >> 7)]

/** What its record has behind the number. */
const beginningOf = (operations: readonly LevelOperation[]): Buffer => {
  const [first] = operations as [LevelOperation]
  const count = Buffer.alloc(COUNT_BYTES)
  count.writeUInt32LE(operations.length)
  const key = Buffer.from(first.key)
  return Buffer.concat([count, Buffer.from([first.type === 'put' ? PUT : DELETE, ...lengthOf(key.length)]), key])
}

/** Whether the last log in `dir` ends with the record of these operations, or of others that begin alike. */
export const isLogged = async (dir: string, operations: readonly LevelOperation[]): Promise<boolean> => {
  const logs = (await readdir(dir)).filter((name) => /^\d+\.log$/.test(name))
  const [newest] = logs.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
  if (newest === undefined) return false
  const log = await readFile(join(dir, newest))
  const last = lastRecordAt(log)
  if (last === undefined) return false
  const beginning = beginningOf(operations)
  return log.subarray(last + NUMBER_BYTES, last + NUMBER_BYTES + beginning.length).equals(beginning)
}
