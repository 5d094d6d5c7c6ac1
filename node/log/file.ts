/** The log of a data directory on disk: lines of JSON, in two files, the older of which is dropped when the newer is full. */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MIB } from '../../protocol/limits.ts'
import type { LogLine } from './line.ts'

const FILE_BYTES_MAX = 4 * MIB

const newerFile = (data: string) => join(data, 'log', 'agent.jsonl')
const olderFile = (data: string) => `${newerFile(data)}.1`

export interface LogFile {
  write(line: LogLine): void
  close(): void
}

/** A line is on its way to the disk when `write` returns, so that a crash does not swallow what led to it. */
export const openLogFile = (data: string, bytesMax = FILE_BYTES_MAX): LogFile => {
  mkdirSync(join(data, 'log'), { recursive: true, mode: 0o700 })
  const open = () => openSync(newerFile(data), 'a', 0o600)
  let file = open()
  let bytes = fstatSync(file).size
  return {
    write(line) {
      const text = `${JSON.stringify(line)}\n`
      try {
        if (bytes > 0 && bytes + text.length > bytesMax) {
          renameSync(newerFile(data), olderFile(data))
          const next = open()
          closeSync(file)
          file = next
          bytes = 0
        }
        bytes += writeSync(file, text)
      } catch {
        // A full disk takes no line that says so; whoever logs must go on.
      }
    },
    close: () => closeSync(file),
  }
}

const linesOf = (path: string): LogLine[] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine]
    } catch {
      // The last line of an agent that was killed may be torn.
      return []
    }
  })
}

/** All lines kept, the newest last. */
export const readLogFile = (data: string): LogLine[] => [...linesOf(olderFile(data)), ...linesOf(newerFile(data))]
