/**
 * The output file of a map, and FILE.wayside beside it, which says of which work it is: so that a map that was
 * interrupted, however it was, goes on where it stopped and leaves each index in the file exactly once.
 */
import { existsSync, openSync, readFileSync, renameSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { MeshError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/outcome.ts'

/** What makes two maps the same work. CIDs as text. */
export interface MapWork {
  function: string
  export: string
  input: string | null
  limits: Limits
}

interface Record extends MapWork {
  wayside: 1
  /** All lines are in the file. */
  finished: boolean
}

const recordFile = (path: string) => `${path}.wayside`

const writeRecord = (path: string, record: Record) => {
  const fresh = `${recordFile(path)}.new`
  writeFileSync(fresh, `${JSON.stringify(record, undefined, 2)}\n`, { flush: true })
  renameSync(fresh, recordFile(path))
}

const readRecord = (path: string): Record | undefined => {
  if (!existsSync(recordFile(path))) return undefined
  try {
    return JSON.parse(readFileSync(recordFile(path), 'utf8')) as Record
  } catch (cause) {
    const message = `${recordFile(path)} cannot be read (${(cause as Error).message}); remove ${path} and start again without --resume`
    throw new MeshError('E_RESUME', message, { cause })
  }
}

const ensureSameWork = (path: string, record: Record, work: MapWork) => {
  const changed = (['function', 'export', 'input', 'limits'] as const).find(
    (key) => !isDeepStrictEqual(record[key], work[key]),
  )
  if (changed === undefined) return
  const was = JSON.stringify(record[changed])
  const message = `${path} was begun with another ${changed} (${was}, now ${JSON.stringify(work[changed])}); go on with that one, or start again in another file`
  throw new MeshError('E_RESUME', { message, changed })
}

/** Indices of the finished lines. A last line without its end is torn: it is cut off. */
const takeFinished = (path: string): Map<number, boolean> => {
  const finished = new Map<number, boolean>()
  if (!existsSync(path)) return finished
  const bytes = readFileSync(path)
  const end = bytes.lastIndexOf(10) + 1
  if (end < bytes.length) truncateSync(path, end)
  for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
    if (line === '') continue
    const index = indexOfLine(line)
    if (index === undefined || finished.has(index)) {
      throw new MeshError(
        'E_RESUME',
        `${path} holds a line that no map wrote (${line.slice(0, 80)}); repair it, or start again in another file`,
      )
    }
    finished.set(index, line.includes('"error"') && 'error' in JSON.parse(line))
  }
  return finished
}

const LINE = /^\{"index":([0-9]{1,15}),"(?:value|error)":.*\}$/

const indexOfLine = (line: string): number | undefined => {
  const index = LINE.exec(line)?.[1]
  return index === undefined ? undefined : Number(index)
}

export interface MapFile {
  /** Indices that are in the file already; true: that item failed. */
  readonly finished: ReadonlyMap<number, boolean>
  write(lines: string): void
  /** All of the work is in the file. */
  finish(): void
}

/**
 * Opens FILE for a map. Throws MeshError E_RESUME: with `resume` if the file is of other work, without it if the file
 * holds an unfinished map, which would be lost.
 */
export const openMapFile = (path: string, work: MapWork, resume: boolean): MapFile => {
  const before = readRecord(path)
  if (!resume && before && !before.finished && existsSync(path)) {
    const message = `${path} holds a map that was not finished; go on with --resume, or remove it to start again`
    throw new MeshError('E_RESUME', { message, file: path })
  }
  if (resume && !before && existsSync(path)) {
    throw new MeshError(
      'E_RESUME',
      `there is no ${recordFile(path)}, so ${path} cannot be gone on with; start again in another file`,
    )
  }
  if (resume && before) ensureSameWork(path, before, work)
  const record: Record = { wayside: 1, ...work, finished: false }
  writeRecord(path, record)
  const finished = resume ? takeFinished(path) : new Map<number, boolean>()
  const file = openSync(path, resume ? 'a' : 'w')
  return {
    finished,
    write: (lines) => void writeSync(file, lines),
    finish: () => writeRecord(path, { ...record, finished: true }),
  }
}
