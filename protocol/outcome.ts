/** What a run produced. Its canonical bytes are what receipts name and what executions are compared by. */
import * as v from 'valibot'
import { EFFECT_KINDS } from './effects.ts'
import type { ErrorCode } from './errors.ts'
import {
  CONSOLE_BYTES_MAX,
  CONSOLE_LINES_MAX,
  FUEL_MAX,
  MEMORY_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
} from './limits.ts'
import { bytes, integer, list, message, text, version } from './schema.ts'

/** Errors that are outcomes: the same on every honest executor. All else is a failed attempt, never an outcome. */
export const OUTCOME_ERRORS = [
  'E_VALUE',
  'E_FUNCTION_SYNTAX',
  'E_MODULE_REFUSED',
  'E_FUNCTION_LOAD',
  'E_FUNCTION_THREW',
  'E_FUNCTION_PENDING',
  'E_EXPORT_UNKNOWN',
  'E_HANDLER_UNSUPPORTED',
  'E_EFFECT_UNDECLARED',
  'E_FUEL_LIMIT',
  'E_MEMORY_LIMIT',
  'E_STACK_LIMIT',
  'E_OUTPUT_LIMIT',
] as const satisfies readonly ErrorCode[]

export type OutcomeErrorCode = (typeof OUTCOME_ERRORS)[number]

const CONSOLE_LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const

const request = v.strictObject({ kind: v.picklist(EFFECT_KINDS), arguments: bytes(OUTPUT_BYTES_MAX) })

const consoleLine = v.strictObject({ level: v.picklist(CONSOLE_LEVELS), text: text(CONSOLE_BYTES_MAX) })

export const consoleLines = () => list(consoleLine, CONSOLE_LINES_MAX)

const result = v.variant('ok', [
  v.strictObject({ ok: v.literal(true), value: bytes(OUTPUT_BYTES_MAX) }),
  v.strictObject({
    ok: v.literal(false),
    code: v.picklist(OUTCOME_ERRORS),
    message: text(),
    stack: text(16_384),
  }),
])

/**
 * `result.value` and `requests[n].arguments` are encoded Values. `console` is bounded text, unverified until the
 * outcome is. `fuel` and `memory_bytes` are deterministic, so whoever compares outcomes compares the bill.
 */
export const Outcome = message(
  'outcome',
  OUTPUT_BYTES_MAX + 1_048_576,
  v.strictObject({
    v: version(),
    result,
    requests: list(request, REQUESTS_MAX),
    console: consoleLines(),
    fuel: integer(0, FUEL_MAX),
    memory_bytes: integer(0, MEMORY_BYTES_MAX),
  }),
)

export type Outcome = v.InferOutput<typeof Outcome.schema>
export type ConsoleLine = Outcome['console'][number]

/** Sandbox limits of a task; all deterministic, so part of its identity. A timeout never is. */
export const limits = () =>
  v.strictObject({
    fuel: integer(1, FUEL_MAX),
    memory_bytes: integer(0, MEMORY_BYTES_MAX),
    output_bytes: integer(0, OUTPUT_BYTES_MAX),
  })

export type Limits = v.InferOutput<ReturnType<typeof limits>>
