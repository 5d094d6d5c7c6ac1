/** The records of a call: manifest, task, invocation, receipt; and the advertisement that leads to one. */
import * as v from 'valibot'
import { type CID, recordCid } from './cid.ts'
import { BINDING_KINDS, EFFECT_KINDS } from './effects.ts'
import { envelope } from './envelope.ts'
import { journalEntry } from './journal.ts'
import {
  ADDRESSES_MAX,
  ANSWER_BLOCKS_MAX,
  ATTEMPTS_MAX,
  BATCH_ITEMS_MAX,
  BINDINGS_MAX,
  BLOCK_BYTES_MAX,
  CHECKPOINT_BLOCKS_MAX,
  CODE_BYTES_MAX,
  COORDINATE_AXES,
  COORDINATE_US_MAX,
  FUEL_MAX,
  INPUT_BYTES_MAX,
  MEMORY_BYTES_MAX,
  MODULES_MAX,
  NEIGHBOURS_MAX,
  OUTPUT_BYTES_MAX,
  REQUESTS_MAX,
  STATE_BLOCK_BYTES,
  TICKS_MAX,
  TRACE_POINTS_MAX,
} from './limits.ts'
import { limits } from './outcome.ts'
import type { Crypto } from './ports.ts'
import {
  address,
  bytes,
  cid,
  engineId,
  instantMs,
  integer,
  list,
  message,
  name,
  optional,
  peerId,
  version,
} from './schema.ts'
import { TIERS } from './tiers.ts'

const effects = () => list(v.picklist(EFFECT_KINDS), EFFECT_KINDS.length)

export const binding = v.strictObject({ name: name(), kind: v.picklist(BINDING_KINDS) })
export const bindings = () => list(binding, BINDINGS_MAX, 1)
/** One name in a function's `env`: what it wants there, and nothing of what its caller grants. */
export type Binding = v.InferOutput<typeof binding>

/**
 * A function's description; its CID is the function's. `code` are raw blocks that join to one module: of the tier
 * `javascript` an ES module, behind which come the WebAssembly modules that it was bundled with, of the sizes in
 * `modules`; of the tier `webassembly` a WebAssembly module. All of the latter are in the metered form.
 */
export const Manifest = message(
  'manifest',
  32_768,
  v.strictObject({
    v: version(),
    name: name(),
    exports: list(name(), 256, 1),
    effects: effects(),
    env: optional(bindings()),
    limits: limits(),
    tier: v.picklist(TIERS),
    modules: list(integer(1, CODE_BYTES_MAX), MODULES_MAX),
    code: list(cid(), 64, 1),
    code_bytes: integer(1, CODE_BYTES_MAX),
  }),
)
export type Manifest = v.InferOutput<typeof Manifest.schema>

/** All that the outcome may depend on besides function, export and input. */
const environment = () => v.strictObject({ engine: engineId(), protocol: v.literal(1), limits: limits() })

/** The parts of a task that the items of one batch share. */
export const taskTemplate = () => v.strictObject({ function: cid(), export: name(), environment: environment() })
export type TaskTemplate = v.InferOutput<ReturnType<typeof taskTemplate>>

/** The work. Its CID, the taskId, is memo key and vote key in one. `input` is the raw CID of the encoded Value. */
export const Task = message(
  'task',
  2048,
  v.strictObject({ v: version(), function: cid(), export: name(), input: cid(), environment: environment() }),
)
export type Task = v.InferOutput<typeof Task.schema>

export const taskIdOf = (crypto: Pick<Crypto, 'hash'>, task: Task): CID => recordCid(crypto, Task.encode(task))

/**
 * A signed request to perform a task. `draw` commits the home to a secret and to the candidates (CID of their sorted
 * list) before anyone executes, so that neither side steers which verifier is drawn. Every invocation has one: on the
 * wire a verification looks like any other call. `public`: its code, input and journal may be shown to anybody.
 * `trace_ticks`: its receipt is to carry a trace, with a hash every so many ticks; no part of the task.
 */
export const Invocation = message(
  'invocation',
  1024,
  v.strictObject({
    v: version(),
    mesh: cid(),
    task: cid(),
    invoker: peerId(),
    home: peerId(),
    nonce: bytes(16, 16),
    deadline_ms: instantMs(),
    draw: v.strictObject({ commitment: bytes(32, 32), candidates: cid() }),
    public: v.boolean(),
    trace_ticks: optional(integer(1, TICKS_MAX)),
  }),
)
export type Invocation = v.InferOutput<typeof Invocation.schema>

/** Where a journal stands: its head, and how many entries lead to it. */
const journalPoint = () => v.strictObject({ head: bytes(32, 32), length: integer(1, 2 * REQUESTS_MAX) })

/**
 * The home's statement of what it answered one attempt: it has one journal of `length` entries. Two with different heads
 * for one (invocation, epoch, length) convict it.
 */
export const JournalHead = message(
  'journal head',
  1024,
  v.strictObject({ v: version(), invocation: cid(), epoch: integer(0, 1_000_000), journal: journalPoint() }),
)
export type JournalHead = v.InferOutput<typeof JournalHead.schema>

/**
 * Hashes of the memory at some ticks, ascending: where two of one task first differ, their runs did. Nobody is convicted by
 * them, since no outcome depends on them.
 */
export const trace = () => list(v.strictObject({ tick: integer(0, TICKS_MAX), hash: bytes(32, 32) }), TRACE_POINTS_MAX)
export type Trace = v.InferOutput<ReturnType<typeof trace>>

/**
 * Where a run was at rest, after so many answers: `state` are the raw CIDs of its bytes, in blocks of BLOCK_BYTES_MAX, which
 * are equal for equal runs on one engine.
 */
export const checkpoint = () =>
  v.strictObject({ answers: integer(0, REQUESTS_MAX), state: list(cid(), CHECKPOINT_BLOCKS_MAX, 1) })
export type Checkpoint = v.InferOutput<ReturnType<typeof checkpoint>>

/**
 * The executor's statement of one execution. `usage.bytes` counts input and outcome. `trace`: if the invocation asks for it.
 * `at`: the checkpoint from which its home let it go on.
 */
export const Receipt = message(
  'receipt',
  4096,
  v.strictObject({
    v: version(),
    mesh: cid(),
    invocation: cid(),
    task: cid(),
    attempt: integer(1, ATTEMPTS_MAX),
    epoch: integer(0, 1_000_000),
    executor: peerId(),
    home: peerId(),
    engine: engineId(),
    limits: limits(),
    journal: v.strictObject({ head: bytes(32, 32), length: integer(0, 2 * REQUESTS_MAX) }),
    outcome: cid(),
    usage: v.strictObject({
      fuel: integer(0, FUEL_MAX),
      memory_bytes: integer(0, MEMORY_BYTES_MAX),
      bytes: integer(0, 16 * OUTPUT_BYTES_MAX),
    }),
    trace: optional(trace()),
    at: optional(checkpoint()),
  }),
)
export type Receipt = v.InferOutput<typeof Receipt.schema>

/**
 * Where a peer stands in the mesh's space of round trips, as it says: two peers' is predicted by the distance of their
 * positions plus both heights, which stand for the ways to the network's core. `error_permille` is how far its own
 * predictions were off of late; 1000: it knows nothing yet.
 */
export const coordinate = () =>
  v.strictObject({
    position_us: list(integer(-COORDINATE_US_MAX, COORDINATE_US_MAX), COORDINATE_AXES, COORDINATE_AXES),
    height_us: integer(0, COORDINATE_US_MAX),
    error_permille: integer(1, 1000),
  })
export type Coordinate = v.InferOutput<ReturnType<typeof coordinate>>

/** What changes from one moment to the next: `slots` run at once, `free` of them are idle, `queued` tasks wait. */
export const offeredLoad = () => ({
  slots: integer(0, 1024),
  free: integer(0, 1024),
  queued: integer(0, 1_000_000),
})

/**
 * What a peer offers, until `expires_ms`. `memory_bytes` is the most one task may take. `speed` is fuel per ms, measured;
 * 0: not yet measured. `neighbours` are those it is connected to.
 * Protocols, engines and effects may be of later versions: whoever does not know them passes over them.
 */
export const Advertisement = message(
  'advertisement',
  8192,
  v.strictObject({
    v: version(),
    mesh: cid(),
    peer: peerId(),
    sequence: integer(0),
    expires_ms: instantMs(),
    protocols: list(integer(1, 1000), 8, 1),
    engines: list(engineId(), 8),
    effects: list(name(), 64),
    addresses: list(address(), ADDRESSES_MAX),
    ...offeredLoad(),
    memory_bytes: integer(0, MEMORY_BYTES_MAX),
    speed: integer(0, FUEL_MAX),
    neighbours: integer(0, NEIGHBOURS_MAX),
    coordinate: coordinate(),
  }),
)
export type Advertisement = v.InferOutput<typeof Advertisement.schema>

/** How a home came to release an answer. */
export const VERIFIED_BY = ['none', 'own', 'audit', 'quorum', 'self', 'memo'] as const
/** How much two executors have apart, the least first: nothing compared, one owner, another, … (peer/independence.ts). */
export const INDEPENDENCE = ['none', 'owner', 'peer', 'network', 'inviter', 'operator'] as const

/**
 * How the answer of a call was checked, in the words of its home, who does not sign for it. `verifiers` are executions
 * besides the first that had the same outcome, `independence` the least that two of the executors have apart.
 */
export const verification = () =>
  v.strictObject({
    by: v.picklist(VERIFIED_BY),
    independence: v.picklist(INDEPENDENCE),
    verifiers: integer(0, 1000),
  })
export type VerificationRecord = v.InferOutput<ReturnType<typeof verification>>

/**
 * Receipts with all that is needed to check them offline, by re-execution; or two journal heads that contradict each
 * other. `blocks` are found by their hashes. The verification of the answer stands in the file of a call, and not in a
 * proof.
 */
export const ReceiptFile = message(
  'receipt file',
  CODE_BYTES_MAX + INPUT_BYTES_MAX + 4 * OUTPUT_BYTES_MAX + ANSWER_BLOCKS_MAX * STATE_BLOCK_BYTES,
  v.strictObject({
    v: version(),
    receipts: list(envelope(Receipt.bytesMax), BATCH_ITEMS_MAX),
    invocations: list(envelope(Invocation.bytesMax), BATCH_ITEMS_MAX),
    heads: list(envelope(JournalHead.bytesMax), BATCH_ITEMS_MAX),
    journal: list(journalEntry(), 2 * REQUESTS_MAX),
    blocks: list(bytes(Math.max(BLOCK_BYTES_MAX, OUTPUT_BYTES_MAX + 1_048_576)), 256),
    verification: list(v.strictObject({ ...verification().entries, executions: integer(0, 1_000_000) }), 1),
  }),
)
export type ReceiptFile = v.InferOutput<typeof ReceiptFile.schema>
