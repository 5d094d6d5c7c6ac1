/** What a home keeps of a durable invocation. Its id is the CID of the invocation that it began with. */
import * as v from 'valibot'
import { ERRORS, type ErrorCode } from './errors.ts'
import { grantsSchema } from './grants.ts'
import { journalEntry } from './journal.ts'
import { MIB, OUTPUT_BYTES_MAX, REQUESTS_MAX } from './limits.ts'
import { limits } from './outcome.ts'
import { cid, instantMs, integer, list, localMessage, name, optional, peerId, text, version } from './schema.ts'

export const STATES = ['running', 'done', 'failed', 'cancelled'] as const
export type DurableState = (typeof STATES)[number]

/**
 * `done`: its function has ended, with a result or an error of its own, and what it wrote is kept. `failed`: it could not
 * be run; nothing is kept. `epoch` counts how often a home has begun or gone on with it. `journal` counts how often its
 * journal has begun anew, since an answer in it no longer stood.
 */
export const DurableRecord = localMessage(
  'durable record',
  MIB,
  v.strictObject({
    v: version(),
    function: cid(),
    export: name(),
    level: text(32),
    limits: limits(),
    grants: optional(grantsSchema),
    remote: v.boolean(),
    created_ms: instantMs(),
    deadline_ms: instantMs(),
    state: v.picklist(STATES),
    /** The PeerId of the home that runs it, or ran it last. */
    home: optional(peerId()),
    epoch: integer(1),
    journal: integer(0),
    ended_ms: optional(instantMs()),
    error: optional(v.strictObject({ code: v.picklist(Object.keys(ERRORS) as ErrorCode[]), message: text() })),
  }),
)
export type DurableRecord = v.InferOutput<typeof DurableRecord.schema>

/** A part of a journal, in order. `at_ms`: when each entry was recorded, by the home's wall clock. */
export const JournalPart = localMessage(
  'journal part',
  4 * OUTPUT_BYTES_MAX,
  v.strictObject({
    v: version(),
    entries: list(v.strictObject({ at_ms: instantMs(), entry: journalEntry() }), 2 * REQUESTS_MAX, 1),
  }),
)
export type JournalPart = v.InferOutput<typeof JournalPart.schema>
