/** What workers report, as their pool reads it: field by field, since a guest may have broken out of its sandbox. */
import { decodeCanonical } from '../protocol/codec.ts'
import { EFFECT_KINDS } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import {
  CHECKPOINT_BYTES_MAX,
  MESSAGE_CHARS_MAX,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
  STATE_BLOCK_BYTES,
} from '../protocol/limits.ts'
import { consoleLines, Outcome } from '../protocol/outcome.ts'
import { trace } from '../protocol/records.ts'
import { fits } from '../protocol/schema.ts'
import { IMAGE_FILE_BYTES_MAX, type Report } from './frames.ts'

const isCount = (x: unknown, max = Number.MAX_SAFE_INTEGER) =>
  Number.isSafeInteger(x) && (x as number) >= 0 && (x as number) <= max
const isBytes = (x: unknown, lengthMax: number) => x instanceof Uint8Array && x.length <= lengthMax
const isText = (x: unknown) => typeof x === 'string' && x.length <= MESSAGE_CHARS_MAX

type Check = (x: unknown) => boolean
const id: Check = (x) => isCount(x)
const n: Check = (x) => isCount(x, REQUESTS_MAX - 1)

const TRACE = trace()
const CONSOLE = consoleLines()
const REQUEST: readonly Check[] = [
  n,
  (x) => isCount(x, REQUESTS_MAX),
  (x) => EFFECT_KINDS.some((kind) => kind === x),
  (x) => isBytes(x, OUTPUT_BYTES_MAX),
]

/** What follows the kind in each report. */
const FIELDS: Record<Report[0], readonly Check[]> = {
  done: [id, (x) => isBytes(x, Outcome.bytesMax), (x) => isCount(x)],
  failed: [id, isText],
  diverged: [id, n, isText, isText],
  waiting: [id],
  lacks: [id],
  stopped: [id, ...REQUEST, (x) => fits(CONSOLE, x), (x) => isCount(x)],
  request: [id, ...REQUEST],
  block: [id, (x) => isBytes(x, STATE_BLOCK_BYTES)],
  fuel: [id, (x) => isCount(x)],
  rested: [id, (x) => isCount(x, REQUESTS_MAX), (x) => isBytes(x, CHECKPOINT_BYTES_MAX)],
  trace: [id, (x) => fits(TRACE, x)],
  image: [(x) => isCount(x), isText, (x) => isBytes(x, IMAGE_FILE_BYTES_MAX)],
}

const isReport = (x: unknown): x is Report => {
  if (!Array.isArray(x) || !Object.hasOwn(FIELDS, x[0])) return false
  const checks = FIELDS[x[0] as Report[0]]
  return x.length === checks.length + 1 && checks.every((check, i) => check(x[i + 1]))
}

/** Throws MeshError E_MESSAGE for anything but a list of reports. What stands in an outcome is `received` to see. */
export const decodeReports = (frame: Uint8Array): Report[] => {
  const records = decodeCanonical(frame)
  if (!Array.isArray(records) || !records.every(isReport))
    throw new MeshError('E_MESSAGE', 'a sandbox process sent what is no report')
  return records
}

type Done = Extract<Report, { 0: 'done' }>

/** A report as the pool takes it: with what the outcome says. */
export type Received = Exclude<Report, Done> | [...Done, Outcome]

/** Throws MeshError E_MESSAGE or E_MESSAGE_LIMIT for an outcome that is none. */
export const received = (report: Report): Received =>
  report[0] === 'done' ? [...report, Outcome.decode(report[2])] : report
