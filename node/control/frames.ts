/** What travels between the agent and the commands of its owner, over the control socket. */
import * as v from 'valibot'
import { RecordedInvocation, STATES } from '../../protocol/durable.ts'
import { EFFECT_KINDS } from '../../protocol/effects.ts'
import { ERRORS, type ErrorCode } from '../../protocol/errors.ts'
import { grantsSchema } from '../../protocol/grants.ts'
import {
  BINDINGS_MAX,
  CODE_BYTES_MAX,
  INPUT_BYTES_MAX,
  LIST_ENTRIES_MAX,
  MIB,
  MODULES_MAX,
  NAME_CHARS_MAX,
  STATE_VALUE_BYTES_MAX,
  TICKS_MAX,
  TIMEOUT_MS_MAX,
} from '../../protocol/limits.ts'
import { TICKET_CHARS_MAX } from '../../protocol/mesh.ts'
import { MOVE_STATES } from '../../protocol/moves.ts'
import { limits, Outcome } from '../../protocol/outcome.ts'
import { binding, Manifest, ReceiptFile, verification } from '../../protocol/records.ts'
import { bytes, integer, list, localMessage, name, peerId, text } from '../../protocol/schema.ts'
import { isStateKey, isStateNamespace, isStatePrefix } from '../../protocol/state-names.ts'
import { TIERS } from '../../protocol/tiers.ts'

/** Raised with every change that the other side could misread. Agent and command come from one release. */
export const CONTROL_VERSION = 1

/** The proofs of one result, together: room for one of the largest kind. */
export const PROOFS_BYTES_MAX = ReceiptFile.bytesMax
/** A result with its receipt file and its proofs is the largest thing that travels. */
export const CONTROL_FRAME_BYTES_MAX = ReceiptFile.bytesMax + PROOFS_BYTES_MAX + Outcome.bytesMax + MIB
/** Bytes of inputs, results or log lines that a sender may have under way before the receiver asks for more. */
export const WINDOW_BYTES = 4 * MIB
/** Counted for each item besides its own bytes. */
export const ITEM_BYTES = 64
const ITEMS_MAX = 4096
/** As many as run and as are kept, and those that wait to be forgotten. */
const INVOCATIONS_MAX = 20_000

/** A ticket admits whoever holds it: long enough to carry it to another machine, not to be forgotten somewhere. */
export const INVITE_MS_DEFAULT = 24 * 60 * 60_000
export const INVITE_MS_MIN = 1000
/** Whoever needs to invite for longer than a month asks for another ticket. */
export const INVITE_MS_MAX = 30 * INVITE_MS_DEFAULT

/** For a machine of the same owner, which is at hand. */
export const INVITE_OWN_MS_DEFAULT = 10 * 60_000

/** Chosen by the command, unique on its connection. */
const id = () => integer(0)
const errorCode = () => v.picklist(Object.keys(ERRORS) as ErrorCode[])

const stateNamespace = () => v.pipe(v.string(), v.check(isStateNamespace, 'expected the name of a namespace'))
const stateKey = () => v.pipe(v.string(), v.check(isStateKey, 'expected a key of the state'))
const statePrefix = () => v.pipe(v.string(), v.check(isStatePrefix, 'expected the beginning of a key'))
const stateValue = () => v.nullable(bytes(STATE_VALUE_BYTES_MAX))

/** The one frame that every version can read: it says which version follows. */
const hello = v.looseObject({ t: v.literal('hello'), control: integer(0), wayside: text(64) })

const options = {
  /** Null: the function's default. */
  verify: v.nullable(text(32)),
  timeout_ms: integer(1, TIMEOUT_MS_MAX),
  /** Null: those of the function's manifest. */
  limits: v.nullable(limits()),
  remote: v.boolean(),
  public: v.boolean(),
  /** Null: nothing. */
  grants: v.nullable(grantsSchema),
}

const work = { id: id(), function: text(NAME_CHARS_MAX), export: name(), ...options }

export const CommandFrame = localMessage(
  'command frame',
  CONTROL_FRAME_BYTES_MAX,
  v.variant('t', [
    hello,
    v.strictObject({ t: v.literal('status'), id: id() }),
    v.strictObject({ t: v.literal('pause'), id: id(), duration_ms: v.nullable(integer(1)) }),
    v.strictObject({ t: v.literal('resume'), id: id() }),
    v.strictObject({ t: v.literal('down'), id: id() }),
    v.strictObject({
      t: v.literal('invite'),
      id: id(),
      life_ms: integer(INVITE_MS_MIN, INVITE_MS_MAX),
      own: v.boolean(),
    }),
    v.strictObject({ t: v.literal('mesh'), id: id() }),
    v.strictObject({ t: v.literal('revoke'), id: id(), peer: peerId() }),
    /** `about`: only lines that name this task, invocation or peer. */
    v.strictObject({ t: v.literal('logs'), id: id(), follow: v.boolean(), about: v.nullable(text(NAME_CHARS_MAX)) }),
    v.strictObject({
      t: v.literal('publish'),
      id: id(),
      name: name(),
      tier: v.picklist(TIERS),
      code: bytes(CODE_BYTES_MAX),
      modules: list(bytes(CODE_BYTES_MAX), MODULES_MAX),
      exports: list(name(), 256),
      effects: list(v.picklist(EFFECT_KINDS), EFFECT_KINDS.length),
      env: list(binding, BINDINGS_MAX),
      limits: limits(),
    }),
    v.strictObject({ t: v.literal('manifest'), id: id(), function: text(NAME_CHARS_MAX) }),
    v.strictObject({
      t: v.literal('call'),
      ...work,
      input: bytes(INPUT_BYTES_MAX),
      receipt: v.boolean(),
      trace_ticks: v.nullable(integer(1, TICKS_MAX)),
    }),
    v.strictObject({ t: v.literal('map'), ...work, unordered: v.boolean() }),
    /** A durable invocation. */
    v.strictObject({ t: v.literal('start'), ...work, input: bytes(INPUT_BYTES_MAX) }),
    v.strictObject({ t: v.literal('ps'), id: id(), all: v.boolean() }),
    /** How it ended; with `wait` once it has. */
    v.strictObject({ t: v.literal('ending'), id: id(), invocation: text(NAME_CHARS_MAX), wait: v.boolean() }),
    v.strictObject({ t: v.literal('kill'), id: id(), invocation: text(NAME_CHARS_MAX) }),
    /** What is kept of one, to be run again. */
    v.strictObject({ t: v.literal('recording'), id: id(), invocation: text(NAME_CHARS_MAX) }),
    /** By which others have this agent go on with something. */
    v.strictObject({ t: v.literal('delegations'), id: id() }),
    v.strictObject({ t: v.literal('inputs'), id: id(), inputs: list(bytes(INPUT_BYTES_MAX), ITEMS_MAX) }),
    v.strictObject({ t: v.literal('state_get'), id: id(), namespace: stateNamespace(), key: stateKey() }),
    /** Null: there is to be none. */
    v.strictObject({
      t: v.literal('state_put'),
      id: id(),
      namespace: stateNamespace(),
      key: stateKey(),
      value: stateValue(),
    }),
    /** One page. Revision null: as of now. Arriving: of what has come by that move, too. */
    v.strictObject({
      t: v.literal('state_list'),
      id: id(),
      namespace: stateNamespace(),
      prefix: statePrefix(),
      after: v.nullable(stateKey()),
      limit: integer(1, LIST_ENTRIES_MAX),
      revision: v.nullable(integer(0)),
      arriving: v.nullable(text(NAME_CHARS_MAX)),
    }),
    /** A step of a move. `move`: which, for `arrive` and `settle`; `where`: the home that it goes to, for `leave` and `arrive`. */
    v.strictObject({
      t: v.literal('state_move'),
      id: id(),
      namespace: stateNamespace(),
      step: v.picklist(['leave', 'arrive', 'settle', 'left', 'stay', 'delete']),
      move: v.nullable(text(NAME_CHARS_MAX)),
      where: v.nullable(text(NAME_CHARS_MAX)),
    }),
    /** Entries that arrive by a move. */
    v.strictObject({
      t: v.literal('state_load'),
      id: id(),
      namespace: stateNamespace(),
      move: text(NAME_CHARS_MAX),
      entries: list(v.strictObject({ key: stateKey(), value: bytes(STATE_VALUE_BYTES_MAX) }), LIST_ENTRIES_MAX),
    }),
    /** After null: after now. */
    v.strictObject({
      t: v.literal('state_watch'),
      id: id(),
      namespace: stateNamespace(),
      prefix: statePrefix(),
      after: v.nullable(integer(0)),
    }),
    /** No further inputs come. */
    v.strictObject({ t: v.literal('end'), id: id() }),
    /** The receiver of a stream has room for as many bytes more. */
    v.strictObject({ t: v.literal('more'), id: id(), bytes: integer(0) }),
    v.strictObject({ t: v.literal('cancel'), id: id() }),
  ]),
)
export type CommandFrame = v.InferOutput<typeof CommandFrame.schema>
export type CommandFrameOf<T extends CommandFrame['t']> = Extract<CommandFrame, { t: T }>

const dispute = v.strictObject({
  liar: text(NAME_CHARS_MAX),
  wrong: bytes(8192),
  right: bytes(8192),
  proof: v.nullable(bytes(PROOFS_BYTES_MAX)),
})

const result = () =>
  v.strictObject({
    outcome: bytes(Outcome.bytesMax),
    executors: list(text(NAME_CHARS_MAX), 64),
    local: v.boolean(),
    memo: v.boolean(),
    verification: verification(),
    executions: integer(0),
    recovered: integer(0),
    disputes: list(dispute, 64),
    receipt_file: v.nullable(bytes(ReceiptFile.bytesMax)),
  })
export type WireResult = v.InferOutput<ReturnType<typeof result>>

const failure = { code: errorCode(), message: text(65_536) }

const item = v.union([
  v.strictObject({ index: integer(0), result: result() }),
  v.strictObject({ index: integer(0), error: v.strictObject(failure) }),
])
export type WireItem = v.InferOutput<typeof item>

const invocation = v.strictObject({
  id: text(NAME_CHARS_MAX),
  function: v.nullable(text(NAME_CHARS_MAX)),
  export: v.nullable(name()),
  state: v.picklist(STATES),
  created_ms: v.nullable(integer(0)),
  ended_ms: v.nullable(integer(0)),
})

const delegation = v.strictObject({
  id: text(NAME_CHARS_MAX),
  caller: v.nullable(text(NAME_CHARS_MAX)),
  home: v.nullable(text(NAME_CHARS_MAX)),
  function: v.nullable(text(NAME_CHARS_MAX)),
  namespaces: v.nullable(list(text(NAME_CHARS_MAX), BINDINGS_MAX)),
  effects: list(v.picklist(EFFECT_KINDS), EFFECT_KINDS.length),
  fuel: integer(1),
  expires_ms: integer(0),
  revoked: v.boolean(),
  running: integer(1),
})

const end = v.strictObject({
  state: v.picklist(STATES),
  outcome: v.nullable(bytes(Outcome.bytesMax)),
  error: v.nullable(v.strictObject(failure)),
})

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null

export const AgentFrame = localMessage(
  'agent frame',
  CONTROL_FRAME_BYTES_MAX,
  v.variant('t', [
    hello,
    v.strictObject({ t: v.literal('status'), id: id(), status: v.custom<Record<string, unknown>>(isRecord) }),
    v.strictObject({ t: v.literal('invited'), id: id(), ticket: text(TICKET_CHARS_MAX), expires_ms: integer(0) }),
    v.strictObject({ t: v.literal('mesh'), id: id(), mesh: v.custom<Record<string, unknown>>(isRecord) }),
    v.strictObject({ t: v.literal('done'), id: id() }),
    v.strictObject({ t: v.literal('failed'), id: id(), ...failure }),
    v.strictObject({ t: v.literal('lines'), id: id(), lines: list(text(65_536), ITEMS_MAX) }),
    v.strictObject({
      t: v.literal('published'),
      id: id(),
      function: text(NAME_CHARS_MAX),
      manifest: bytes(Manifest.bytesMax),
    }),
    v.strictObject({ t: v.literal('manifest'), id: id(), manifest: bytes(Manifest.bytesMax) }),
    v.strictObject({ t: v.literal('result'), id: id(), result: result() }),
    v.strictObject({ t: v.literal('results'), id: id(), items: list(item, ITEMS_MAX) }),
    v.strictObject({ t: v.literal('started'), id: id(), invocation: text(NAME_CHARS_MAX) }),
    v.strictObject({ t: v.literal('invocations'), id: id(), invocations: list(invocation, INVOCATIONS_MAX) }),
    v.strictObject({ t: v.literal('ended'), id: id(), end: v.nullable(end) }),
    v.strictObject({ t: v.literal('killed'), id: id(), was_running: v.boolean() }),
    v.strictObject({ t: v.literal('delegations'), id: id(), delegations: list(delegation, INVOCATIONS_MAX) }),
    v.strictObject({ t: v.literal('recorded'), id: id(), recorded: bytes(RecordedInvocation.bytesMax) }),
    v.strictObject({ t: v.literal('state_entry'), id: id(), version: integer(0), value: stateValue() }),
    v.strictObject({ t: v.literal('state_written'), id: id(), revision: integer(1) }),
    /** What is noted of the move after a step; null: nothing. */
    v.strictObject({
      t: v.literal('state_move_noted'),
      id: id(),
      state: v.nullable(v.picklist(MOVE_STATES)),
      move: v.nullable(text(NAME_CHARS_MAX)),
    }),
    v.strictObject({ t: v.literal('state_loaded'), id: id() }),
    v.strictObject({
      t: v.literal('state_page'),
      id: id(),
      revision: integer(0),
      entries: list(
        v.strictObject({ key: stateKey(), version: integer(1), value: bytes(STATE_VALUE_BYTES_MAX) }),
        LIST_ENTRIES_MAX,
      ),
      more: v.boolean(),
    }),
    v.strictObject({
      t: v.literal('state_changes'),
      id: id(),
      changes: list(v.strictObject({ revision: integer(1), key: stateKey(), value: stateValue() }), ITEMS_MAX),
    }),
    /** What the call waits for. */
    v.strictObject({ t: v.literal('wait'), id: id(), reason: text() }),
    v.strictObject({ t: v.literal('more'), id: id(), bytes: integer(0) }),
  ]),
)
export type AgentFrame = v.InferOutput<typeof AgentFrame.schema>
