/** What a home keeps of a durable invocation. Its id is the CID of the invocation that it began with. */
import * as v from 'valibot'
import { ERRORS, type ErrorCode } from './errors.ts'
import { grantsSchema } from './grants.ts'
import { journalEntry } from './journal.ts'
import {
  ANSWER_BLOCKS_MAX,
  BLOCK_BYTES_MAX,
  CALL_DEPTH_MAX,
  CHECKPOINT_BYTES_MAX,
  CODE_BYTES_MAX,
  INPUT_BYTES_MAX,
  KIB,
  MIB,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
  STATE_BLOCK_BYTES,
} from './limits.ts'
import { limits } from './outcome.ts'
import { checkpoint } from './records.ts'
import {
  bytes,
  cid,
  engineId,
  instantMs,
  integer,
  list,
  localMessage,
  name,
  optional,
  peerId,
  text,
  version,
} from './schema.ts'

const failure = () => v.strictObject({ code: v.picklist(Object.keys(ERRORS) as ErrorCode[]), message: text() })

export const STATES = ['running', 'done', 'failed', 'cancelled'] as const
export type DurableState = (typeof STATES)[number]

/**
 * `done`: its function has ended, with a result or an error of its own, and what it wrote is kept. `failed`: it could not
 * be run; nothing is kept. `threw`: it is done, with an error of its own. `engine`: on which it began, and stays. `epoch` counts how often a home has begun or gone on
 * with it. `journal` counts how often its journal has begun anew, since an answer in it no longer stood. `committed`: so
 * many of its steps are, and the requests of them, the barrier behind the last one included. `parent`: the durable invocation
 * that called it, and how many calls there are above it; its id is then made of the parent's (peer/effects/call.ts).
 * `delegated`: it is run for `caller`, as long as what that said of the invocation `under` holds.
 */
export const DurableRecord = localMessage(
  'durable record',
  MIB,
  v.strictObject({
    v: version(),
    function: cid(),
    export: name(),
    engine: engineId(),
    level: text(32),
    limits: limits(),
    grants: optional(grantsSchema),
    remote: v.boolean(),
    parent: optional(v.strictObject({ invocation: cid(), depth: integer(1, CALL_DEPTH_MAX) })),
    delegated: optional(v.strictObject({ caller: peerId(), under: cid() })),
    created_ms: instantMs(),
    deadline_ms: instantMs(),
    state: v.picklist(STATES),
    /** The PeerId of the home that runs it, or ran it last. */
    home: optional(peerId()),
    epoch: integer(1),
    journal: integer(0),
    committed: optional(v.strictObject({ steps: integer(1), requests: integer(1, REQUESTS_MAX) })),
    ended_ms: optional(instantMs()),
    threw: optional(v.literal(true)),
    error: optional(failure()),
  }),
)
export type DurableRecord = v.InferOutput<typeof DurableRecord.schema>

/** `at_ms`: when it was recorded, by the home's wall clock. */
const timedEntry = () => v.strictObject({ at_ms: instantMs(), entry: journalEntry() })

/** A part of a journal, in order. */
export const JournalPart = localMessage(
  'journal part',
  4 * OUTPUT_BYTES_MAX,
  v.strictObject({
    v: version(),
    entries: list(timedEntry(), 2 * REQUESTS_MAX, 1),
  }),
)
export type JournalPart = v.InferOutput<typeof JournalPart.schema>

/**
 * Where it was at rest, after so many answers: `head` is that of its journal up to there, begun at its id. Verified: its home
 * has come to it by a run of its own, from the one before.
 */
export const KeptCheckpoint = localMessage(
  'kept checkpoint',
  CHECKPOINT_BYTES_MAX + KIB,
  v.strictObject({ v: version(), ...checkpoint().entries, head: bytes(32, 32), bytes: bytes(CHECKPOINT_BYTES_MAX) }),
)
export type KeptCheckpoint = v.InferOutput<typeof KeptCheckpoint.schema>

/**
 * One as far as it has come, with all that runs it again: `blocks` are its task, input, manifest and code, as far as they
 * are there. Without `outcome` it runs, or has ended without one.
 */
export const RecordedInvocation = localMessage(
  'recorded invocation',
  CODE_BYTES_MAX + INPUT_BYTES_MAX + 4 * OUTPUT_BYTES_MAX + ANSWER_BLOCKS_MAX * STATE_BLOCK_BYTES,
  v.strictObject({
    v: version(),
    task: cid(),
    state: v.picklist(STATES),
    created_ms: instantMs(),
    journal: list(timedEntry(), 2 * REQUESTS_MAX),
    blocks: list(bytes(Math.max(BLOCK_BYTES_MAX, INPUT_BYTES_MAX)), 256),
    outcome: optional(bytes(OUTPUT_BYTES_MAX + MIB)),
    error: optional(failure()),
  }),
)
export type RecordedInvocation = v.InferOutput<typeof RecordedInvocation.schema>
