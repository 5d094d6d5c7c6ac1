/** What must hold besides in short worlds where nothing breaks, or one thing does. */
import type { CallResult } from '../../peer/calls.ts'
import { sameBytes } from '../../peer/receipts.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { LogEventName } from '../../protocol/log.ts'
import { Invocation } from '../../protocol/records.ts'
import { type Asked, isHonest, isLiar, type Plan } from './plan.ts'
import type { Called, Errand, Left, Record, Shown } from './record.ts'

export type Checker = (record: Record) => string[]

/** What a peer takes to answer. */
const ROUND_TRIP_OFF_MS_MAX = 1
/** To a machine that leaves and back, to another and back, and for a block. */
const HAND_BACK_WAYS = 6
/** Half of the time for which a machine that leaves keeps its connections. */
const HAND_BACK_MS = 100

/** Steps of its home's own run up to a checkpoint. */
const VERIFY_STEPS = 4
/** To keep it. */
const VERIFY_MS = 10
/** Answers before the second wait of an errand. */
const WAITS_BEHIND = 2

export const nameOf = ({ number, level, what }: Asked): string =>
  `call ${number}, ${'map' in what ? `map of ${what.map}` : `${what.durable ? 'errand' : 'move'} ${what.move}`} at ${'n' in level ? `quorum:${level.n}` : level.level}`

/** As it should be, and not put out. */
export const isSound = ({ plan: { kinds }, revoked }: Record, i: number): boolean =>
  isHonest(kinds[i] ?? 'liar') && !revoked.has(i)

/** Where nothing breaks, whoever knows another knows how far away it is. */
export const waysKnown: Checker = (record) => {
  const { left, plan } = record
  if (plan.faults.length > 0) return []
  const ms = 2 * plan.latencyMs
  return left
    .filter(({ peer }) => isSound(record, peer))
    .flatMap(({ peer, trust }) =>
      [...trust].flatMap(([i, { roundTripMs }]) =>
        isSound(record, i) && Math.abs(roundTripMs - ms) > ROUND_TRIP_OFF_MS_MAX
          ? [`peer ${peer} takes the ${ms} ms to peer ${i} and back for ${roundTripMs}`]
          : [],
      ),
    )
}

/** Where nothing breaks, nothing is private and all is run again at home, what one has caught a liar at all know. */
export const proofsTravel: Checker = (record) => {
  const { left, plan } = record
  const isOpen = plan.calls.every(({ level, ...call }) => call.public && level.level === 'self' && 'map' in call.what)
  if (plan.faults.length > 0 || !isOpen) return []
  const sound = left.filter(({ peer }) => isSound(record, peer))
  const caughtBy = ({ trust }: Left, i: number) => trust.get(i)?.caught ?? 0
  return plan.kinds.flatMap((kind, i) => {
    if (!isLiar(kind) || !sound.some((one) => caughtBy(one, i) > 0)) return []
    const unaware = sound.filter((one) => one.trust.has(i) && caughtBy(one, i) === 0)
    return unaware.map(({ peer }) => `peer ${peer} has not heard that peer ${i} was caught`)
  })
}

/**
 * Where nothing breaks, who signed two journals where there is one is out at all, once one has seen it; but where a link with it
 * had just ended for something else that it said, nobody is told, as nobody is who does not deal with it.
 */
export const contradictionsTravel: Checker = (record) => {
  const { left, names, plan } = record
  if (plan.faults.length > 0) return []
  const sound = left.filter(({ peer }) => isSound(record, peer))
  const hasOf = (event: LogEventName, { events }: Left, i: number) =>
    events.some(({ name, fields }) => name === event && fields.peer === names[i])
  return plan.kinds.flatMap((kind, i) => {
    if (kind !== 'two-faced' || !sound.some((one) => hasOf('peer.expelled', one, i))) return []
    const unaware = sound.filter((one) => !hasOf('peer.expelled', one, i) && !hasOf('peer.misbehaved', one, i))
    return unaware.map(({ peer }) => `peer ${peer} has not heard that peer ${i} signs two journals where there is one`)
  })
}

/** Whoever asks for nothing else meanwhile, of one task and at once. */
const isAlone = ({ called }: Record, one: Called): boolean =>
  'map' in one.asked.what &&
  one.asked.level.level === 'none' &&
  called.every((other) => other === one || (other.endedMs ?? 0) < one.beganMs || other.beganMs > (one.endedMs ?? 0))

const areHonest = ({ kinds, natted, isSecluded }: Plan): boolean =>
  kinds.every(isHonest) && natted === undefined && !isSecluded

/**
 * Where nothing breaks, and one call is made after another, nobody runs what its caller does not know to have been run: but the first
 * run of each, which waits for the code, may begin while it is being taken back.
 */
export const runsKnown: Checker = (record) => {
  const { called, plan, runs } = record
  const told = called.flatMap((one) => one.told)
  if (plan.faults.length > 0 || !areHonest(plan) || told.some(({ result }) => !result)) return []
  if (!called.every((one) => isAlone(record, one))) return []
  const known = told.reduce((sum, { result }) => sum + (result?.executions ?? 0), 0)
  return runs > known + plan.kinds.length - 1 ? [`of ${runs} runs callers know of ${known}`] : []
}

/** Several have signed for it, and their home has compared them. */
const isCompared = ({ verification: { by, verifiers } }: CallResult): boolean =>
  by === 'quorum' || (by === 'audit' && verifiers > 0)

/** Where nothing breaks, whoever was compared with others can see how these were drawn: by the secret that its invocation committed to. */
export const drawsShown: Checker = ({ called, plan, names, secrets }) => {
  if (plan.faults.length > 0 || !areHonest(plan)) return []
  const results = called.flatMap(({ told }) => told.flatMap(({ result }) => result ?? []))
  return results.filter(isCompared).flatMap(({ performed }) =>
    performed.flatMap(({ executor, item: { invocation, invocationBytes } }) => {
      const { commitment } = Invocation.decode(invocationBytes).draw
      const shown = secrets.filter((one) => names[one.peer] === executor && one.invocation.equals(invocation))
      if (shown.length === 1 && sameBytes((shown[0] as Shown).commitment, commitment)) return []
      return [`peer ${names.indexOf(executor)} was shown ${shown.length} secrets, and none that it can check`]
    }),
  )
}

/** Where one leaves or is put out, and nothing else breaks, whoever lost a neighbour by that knows why. */
export const toldWhy: Checker = ({ left, names, plan }) => {
  const [fault, ...others] = plan.faults
  if (!fault || (fault.kind !== 'leave' && fault.kind !== 'revoke') || others.length > 0 || !areHonest(plan)) return []
  const code: ErrorCode = fault.kind === 'leave' ? 'E_STOPPING' : 'E_NOT_ADMITTED'
  return left.flatMap(({ peer, events }) =>
    events
      .filter(({ name, fields }) => name === 'peer.left' && (fields.peer === names[fault.peer] || peer === fault.peer))
      .flatMap(({ fields }) =>
        fields.code === code ? [] : [`peer ${peer} lost ${fields.peer} and knows no more than: ${fields.reason}`],
      ),
  )
}

/** What a machine that leaves has or gets is begun anew at once, not when its connections end. */
export const handedBack: Checker = (record) => {
  const { called, plan, beganMs } = record
  const [fault, ...others] = plan.faults
  if (fault?.kind !== 'leave' || others.length > 0 || !areHonest(plan)) return []
  const leftMs = beganMs + fault.atMs
  const runMs = Math.max(...plan.stepMs)
  return called.flatMap((one) => {
    const { asked, endedMs = 0 } = one
    if (!isAlone(record, one) || !('map' in asked.what) || asked.what.map > 1 || endedMs < leftMs) return []
    const dueMs = Math.max(leftMs, one.beganMs) + runMs + HAND_BACK_WAYS * plan.latencyMs + HAND_BACK_MS
    return endedMs > dueMs ? [`${nameOf(asked)} ended ${Math.round(endedMs - dueMs)} ms late, for one had left`] : []
  })
}

/**
 * Where one machine is killed, and nothing else breaks, an errand that it ran, or that was its own, goes on from the checkpoint at which
 * it waited, if its home had time to verify that: nothing that lies before is run again.
 */
export const goesOn: Checker = ({ called, errandRuns, errandRests, plan, beganMs }) => {
  const [fault, ...others] = plan.faults
  if (fault?.kind !== 'kill' || others.length > 0 || !areHonest(plan)) return []
  const killedMs = beganMs + fault.atMs
  const verifyMs = plan.latencyMs + VERIFY_STEPS * (plan.stepMs[0] as number) + VERIFY_MS
  return called.flatMap(({ asked }) => {
    const isIt = ({ number }: Errand) => number === asked.number
    const rest = errandRests.findLast((one) => isIt(one) && one.atMs < killedMs)
    // What it has read since its last commit may have changed: then it begins that step anew.
    const isWaiting = rest?.answers === WAITS_BEHIND && rest.atMs + verifyMs < killedMs
    const isStruck = fault.peer === 0 || fault.peer === rest?.peer
    const next = errandRuns.find((one) => isIt(one) && one.atMs > killedMs)
    if (asked.level.level !== 'self' || !isWaiting || !isStruck || !next || next.answers >= rest.answers) return []
    return [`${nameOf(asked)} went on behind ${next.answers} answers, and not behind ${rest.answers}`]
  })
}
