/** Jobs as somebody has recorded them, from a file: who uses a world may know better than its model how jobs come. */
import { MeshError } from '../protocol/errors.ts'
import { MIB } from '../protocol/limits.ts'

/** In the order in which they arrive, from 0 on. */
export interface TracedJob {
  atMs: number
  /** At speed 1. */
  workMs: number
  /** Who asks, numbered as they first come; undefined: anybody. */
  invoker?: number
}

/** One job at least. */
export type JobTrace = readonly TracedJob[]

/** Of the text, which is one string. */
export const TRACE_BYTES_MAX = 64 * MIB
const JOBS_MAX = 1_000_000
/** A day: level 2 counts eighths of a ms in 32 bits. */
const ARRIVAL_MS_MAX = 86_400_000
const DURATION_MS_MAX = 3_600_000
const NAME_CHARS_MAX = 128

const COLUMNS = ['arrival_ms', 'duration_ms', 'invoker'] as const
type Column = (typeof COLUMNS)[number]

const refused = (what: string) =>
  new MeshError(
    'E_USAGE',
    `${what}; a trace is a CSV whose first line names its columns arrival_ms, duration_ms and, perhaps, invoker`,
  )

/** A field that is too long is shown in part. */
const shown = (field: string): string => JSON.stringify(field.slice(0, 40))

const columnsOf = (header: string): Column[] => {
  const names = header.split(',').map((name) => name.trim())
  for (const [i, name] of names.entries()) {
    if (!(COLUMNS as readonly string[]).includes(name))
      throw refused(`line 1, column ${i + 1}: ${shown(name)} is no column`)
    if (names.indexOf(name) < i) throw refused(`line 1, column ${i + 1}: ${name} is there twice`)
  }
  for (const name of COLUMNS.slice(0, 2)) if (!names.includes(name)) throw refused(`line 1: there is no ${name}`)
  return names as Column[]
}

class Rows {
  readonly #columns: readonly Column[]
  readonly #names = new Map<string, number>()
  readonly jobs: TracedJob[] = []
  #firstMs = 0
  #lastMs = 0

  constructor(columns: readonly Column[]) {
    this.#columns = columns
  }

  /** `line`: its number in the file. */
  take(text: string, line: number): void {
    const fields = text.split(',')
    if (fields.length !== this.#columns.length)
      throw refused(`line ${line} has ${fields.length} fields, and there are ${this.#columns.length} columns`)
    if (this.jobs.length === JOBS_MAX) throw refused(`line ${line}: ${JOBS_MAX} jobs are the most that are taken`)
    const field = (name: Column) => (fields[this.#columns.indexOf(name)] as string).trim()
    const ms = (name: Column, most: number): number => {
      const number = Number(field(name))
      if (field(name) !== '' && number >= 0 && number <= most) return number
      throw refused(`line ${line}, ${name}: ${shown(field(name))} is no number from 0 to ${most}`)
    }
    const atMs = ms('arrival_ms', ARRIVAL_MS_MAX)
    if (this.jobs.length === 0) this.#firstMs = atMs
    else if (atMs < this.#lastMs)
      throw refused(`line ${line}, arrival_ms: ${atMs} is before ${this.#lastMs}, which came before it`)
    this.#lastMs = atMs
    const invoker = this.#columns.includes('invoker') ? { invoker: this.#invoker(field('invoker'), line) } : {}
    this.jobs.push({ atMs: atMs - this.#firstMs, workMs: ms('duration_ms', DURATION_MS_MAX), ...invoker })
  }

  #invoker(name: string, line: number): number {
    if (name === '' || name.length > NAME_CHARS_MAX)
      throw refused(`line ${line}, invoker: ${shown(name)} is no name of 1 to ${NAME_CHARS_MAX} characters`)
    const known = this.#names.get(name) ?? this.#names.size
    this.#names.set(name, known)
    return known
  }
}

/**
 * `text`: a line that names the columns, in any order, then one line a job, none of which arrives before the one above it:
 * `arrival_ms` from 0 to a day, `duration_ms` at speed 1 from 0 to an hour (20,000 fuel are a ms), and, if it is known, any name for
 * who asked. Blank lines are passed over. Throws E_USAGE, which names line and column.
 */
export const parseJobTrace = (text: string): JobTrace => {
  if (text.length > TRACE_BYTES_MAX) throw refused(`more than ${TRACE_BYTES_MAX / MIB} MiB are too much`)
  const lines = text.split('\n')
  const rows = new Rows(columnsOf(lines[0] as string))
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string
    if (line.trim() !== '') rows.take(line, i + 1)
  }
  if (rows.jobs.length === 0) throw refused('there are no jobs')
  return rows.jobs
}
