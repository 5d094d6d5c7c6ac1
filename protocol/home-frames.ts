/** How callers and their homes speak: a home keeps durable invocations for callers that keep none. */
import * as v from 'valibot'
import { Delegation } from './delegation.ts'
import { STATES } from './durable.ts'
import { envelope } from './envelope.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { DELEGATIONS_TOLD_MAX, FRAME_BYTES_MAX, GRANTS_BYTES_MAX, INPUT_BYTES_MAX, TIMEOUT_MS_MAX } from './limits.ts'
import { limits, Outcome } from './outcome.ts'
import { bytes, cid, instantMs, integer, list, message, name, text } from './schema.ts'

/** Between callers and their homes; the caller opens it. */
export const HOME_PROTOCOL = '/wayside/1/home'

/** Names a question on its channel; the answer has the same. */
const id = () => integer(0)
const errorCode = () => v.picklist(Object.keys(ERRORS) as ErrorCode[])

const of = <const T extends string, S extends v.ObjectEntries>(t: T, entries: S) =>
  v.strictObject({ t: v.literal(t), id: id(), ...entries }) as v.StrictObjectSchema<
    { t: v.LiteralSchema<T, undefined>; id: ReturnType<typeof id> } & S,
    undefined
  >

const delegation = () => envelope(Delegation.bytesMax)

/** Would it be a home of the sender? Asked before anything of the call is told. */
const offer = of('offer', {})
/** `level` '': that of the function. `limits`: none: those of the manifest. `grants`: encoded as a Value. */
const begin = of('begin', {
  delegation: delegation(),
  function: cid(),
  export: name(),
  input: bytes(INPUT_BYTES_MAX),
  level: text(32),
  limits: list(limits(), 1),
  grants: bytes(GRANTS_BYTES_MAX, 1),
  timeout_ms: integer(1, TIMEOUT_MS_MAX),
  remote: v.boolean(),
})
/** In place of the one before. */
const renew = of('renew', { invocation: cid(), delegation: delegation() })
/** It may go on no more, until it is renewed. */
const revoke = of('revoke', { invocation: cid() })
const look = of('look', { invocation: cid() })
const cancel = of('cancel', { invocation: cid() })
/** The answer to what has no other. `is`: to `cancel`, whether it was running. */
const done = of('done', { is: v.boolean() })
const begun = of('begun', { invocation: cid() })
/** How an invocation stands. `failure` of one that runs: why it does not go on. */
const stands = of('stands', {
  state: v.picklist(STATES),
  outcome: list(bytes(Outcome.bytesMax), 1),
  failure: list(v.strictObject({ code: errorCode(), message: text() }), 1),
})
/** By which delegations of the sender does something run? `of`: none: all. */
const standing = of('standing', { of: list(cid(), 1) })
/**
 * Of invocations that have not ended, the oldest first. `revoked`: it may go on no more, until it is renewed. `deadline_ms`: at
 * which it ends. `running`: how many run by it, with those that it has called.
 */
const held = of('held', {
  delegations: list(
    v.strictObject({
      invocation: cid(),
      delegation: delegation(),
      revoked: v.boolean(),
      deadline_ms: instantMs(),
      running: integer(1),
    }),
    DELEGATIONS_TOLD_MAX,
  ),
})
const no = of('no', { code: errorCode(), message: text() })

export const HomeFrame = message(
  'home frame',
  FRAME_BYTES_MAX,
  v.variant('t', [offer, begin, renew, revoke, look, cancel, standing, done, begun, stands, held, no]),
)
export type HomeFrame = v.InferOutput<typeof HomeFrame.schema>
export type HomeFrameOf<T extends HomeFrame['t']> = Extract<HomeFrame, { t: T }>
export type HomeQuestion = HomeFrameOf<'offer' | 'begin' | 'renew' | 'revoke' | 'look' | 'cancel' | 'standing'>
export type HomeAnswer = Exclude<HomeFrame, HomeQuestion>
