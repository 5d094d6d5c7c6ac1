/** What one peer has done for another in all, and how the two agree on it. */
import * as v from 'valibot'
import { envelope } from './envelope.ts'
import { cid, integer, list, localMessage, message, peerId, version } from './schema.ts'

/** All counts only grow, up to 2^53 - 1. */
const amounts = () => ({
  /** Of all executions that were answered with a right receipt. */
  fuel: integer(0),
  /** Of each: its memory in MiB, rounded up, × its fuel ÷ 1024, rounded up. */
  gib_fuel: integer(0),
  /** `usage.bytes` of their receipts: inputs and outcomes. */
  bytes: integer(0),
})

/**
 * "`worker` has done so much for `user` in all": signed by the user, and then the same bytes by the worker. Of two, the one
 * with the greater sequence stands.
 */
export const Tally = message(
  'tally',
  1024,
  v.strictObject({
    v: version(),
    mesh: cid(),
    worker: peerId(),
    user: peerId(),
    sequence: integer(1),
    ...amounts(),
  }),
)
export type Tally = v.InferOutput<typeof Tally.schema>

/** Between a user and its worker; the user opens it, and asks one thing at a time. */
export const USAGE_PROTOCOL = '/wayside/1/usage'

const of = <const T extends string, S extends v.ObjectEntries>(t: T, entries: S) =>
  v.strictObject({ t: v.literal(t), ...entries }) as v.StrictObjectSchema<
    { t: v.LiteralSchema<T, undefined> } & S,
    undefined
  >

/** User to worker: a tally that the user has signed, and keeps. */
const owes = of('owes', { by_user: envelope(Tally.bytesMax) })
/** The answer: the newest that the worker has of this user, signed by both. */
const stands = of('stands', { by_user: envelope(Tally.bytesMax), by_worker: envelope(Tally.bytesMax) })

export const UsageFrame = message('usage frame', 8192, v.variant('t', [owes, stands]))
export type UsageFrame = v.InferOutput<typeof UsageFrame.schema>

const account = () =>
  v.strictObject({
    sequence: integer(0),
    /** In the newest tally, and known to this side. */
    stated: v.strictObject(amounts()),
    counted: v.strictObject(amounts()),
  })

const signed = () => list(v.strictObject({ by_user: envelope(Tally.bytesMax), by_worker: envelope(Tally.bytesMax) }), 1)

/** What a peer keeps of another: what it has done for it, and the other for it, with the newest tallies that both have signed. */
export const UsageRecord = localMessage(
  'usage record',
  16_384,
  v.strictObject({
    v: version(),
    lent: account(),
    used: account(),
    /** The worker has signed what is stated as used. */
    is_agreed: v.boolean(),
    signed_lent: signed(),
    signed_used: signed(),
  }),
)
export type UsageRecord = v.InferOutput<typeof UsageRecord.schema>
