/** What must hold in every short world, whatever befell it: each checker says in words what does not. */
import type { CallResult } from '../../peer/calls.ts'
import { placesOf } from '../../peer/places.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import { NEIGHBOURS_MAX } from '../../protocol/limits.ts'
import { decodeValue } from '../../protocol/values.ts'
import type { Recorded, Seen } from '../checkers/history.ts'
import { checkLeft } from '../checkers/quiet.ts'
import { checkHistory } from '../checkers/serialisability.ts'
import { checkLent, checkUsage } from '../checkers/usage.ts'
import { modelResult } from '../cost-model.ts'
import {
  type Checker,
  contradictionsTravel,
  drawsShown,
  goesOn,
  handedBack,
  isSound,
  nameOf,
  proofsTravel,
  runsKnown,
  toldWhy,
  waysKnown,
} from './calm-checks.ts'
import { DONE_PREFIX, type Moved, REGISTER_PREFIX } from './functions.ts'
import { type Asked, isHonest, isLiar, lendersTo, PATIENT_MS, type Plan } from './plan.ts'
import type { Called, Record, Told } from './record.ts'
import { taskId } from './run.ts'

/** Its timer, and what had to be done then. */
const LATE_MS_MAX = 1000
/** Of one execution each, and of those that replace it or check it; where more is asked for, of each task one and one more to check it. */
const RUNNING_MAX = 64
const RUNS_A_TASK = 2
/** Of a peer that waits for nothing eight are set, but for what it waits for at each neighbour: an advertisement, a frame on its way. */
const OWN_TIMERS = 8
const TIMERS_PER_PEER_MAX = 30
const PLACES = placesOf(NEIGHBOURS_MAX)

/** What may keep a patient call from its answer, while something breaks or somebody lies: nobody was in reach for 2 s, or too few. */
const EXCUSES: readonly ErrorCode[] = [
  ...([
    'E_BLOCK_MISSING',
    'E_EFFECT_OUTCOME_UNKNOWN',
    'E_EXECUTOR_LOST',
    'E_INCONCLUSIVE',
    'E_NO_PEER',
    'E_QUORUM_INSUFFICIENT',
  ] as const),
  ...(['E_RECEIPT', 'E_REPLAY_DIVERGED', 'E_STOPPING', 'E_STORAGE', 'E_VERIFICATION_FAILED'] as const),
]

/** Nothing breaks, nobody lies, and as many lend as are needed. */
const isCalm = ({ plan: { kinds, faults, natted, isSecluded } }: Record, { by, level }: Asked): boolean => {
  const lenders = lendersTo(by, kinds)
  if (natted !== undefined || isSecluded) return false
  return faults.length === 0 && kinds.every(isHonest) && lenders >= (level.level === 'quorum' ? level.n : 1)
}

/** Whoever has time has an answer; the others are told why they have none. */
const nothingLost: Checker = (record) =>
  record.called.flatMap(({ asked, told, endedMs, callerDied }) => {
    if (callerDied) return []
    if (endedMs === undefined) return [`${nameOf(asked)} never ended`]
    const wanted = 'map' in asked.what ? asked.what.map : 1
    const missing = wanted - new Set(told.map(({ index }) => index)).size
    const excuses: readonly ErrorCode[] = isCalm(record, asked) ? [] : EXCUSES
    const isExcused = (code: ErrorCode) =>
      (code === 'E_TIMEOUT' && asked.timeoutMs < PATIENT_MS) || excuses.includes(code)
    const failed = told.flatMap(({ error }) => (error && !isExcused(error.code) ? [error] : []))
    return [
      ...(missing > 0 ? [`${nameOf(asked)}: of ${wanted} tasks ${missing} came to nothing`] : []),
      ...failed.map(({ code, message }) => `${nameOf(asked)} has no answer: ${code} ${message}`),
    ]
  })

const deliveredOnce: Checker = ({ called }) =>
  called.flatMap(({ asked, told }) => {
    const twice = told.filter(({ index }, i) => told.findIndex((one) => one.index === index) !== i)
    return twice.map(({ index }) => `${nameOf(asked)}: task ${index} was answered twice`)
  })

const isErrand = ({ what }: Asked): boolean => 'move' in what && what.durable

const resultOf = ({ outcome: { result } }: CallResult): unknown => (result.ok ? decodeValue(result.value) : result.code)

/** How many different peers are behind an answer. */
const behind = ({ performed }: CallResult): Set<string> => {
  const [first] = performed
  return new Set(
    performed.flatMap(({ executor, outcomeCid }) => (first?.outcomeCid.equals(outcomeCid) ? [executor] : [])),
  )
}

const wrongIn = ({ plan: { kinds }, names }: Record, asked: Asked, { index, result }: Told): string[] => {
  if (!result || !('map' in asked.what)) return []
  const value = resultOf(result)
  const right = modelResult(taskId(asked, index))
  if (value === right) return []
  const signers = behind(result)
  const liars = [...signers].filter((name) => isLiar(kinds[names.indexOf(name)] ?? 'honest')).length
  const { level } = asked
  const least = level.level === 'quorum' ? level.n : 1
  if (level.level !== 'self' && liars === signers.size && liars >= least) return []
  return [
    `${nameOf(asked)}: task ${index} gave ${value} instead of ${right}, of ${signers.size} that agreed ${liars} lie`,
  ]
}

/** Never at `self`; else only what all that agreed have lied about, n of them at `quorum:n`. */
const rightAnswers: Checker = (record) =>
  record.called.flatMap(({ asked, told }) => told.flatMap((one) => wrongIn(record, asked, one)))

/** How far the clock of a home may have been set back at most, ms. */
const setBackMs = ({ faults }: Plan): number => {
  const aheadMs = faults.flatMap((fault) => (fault.kind === 'skew' ? [fault.aheadMs] : []))
  return Math.max(0, ...aheadMs) - Math.min(0, ...aheadMs)
}

const endInTime: Checker = ({ called, plan }) =>
  called.flatMap(({ asked, beganMs, endedMs, callerDied, callerStoodUntilMs }) => {
    if (endedMs === undefined || callerDied) return []
    // Of one that outlives its home the deadline is an instant of the wall clock.
    const leewayMs = isErrand(asked) ? setBackMs(plan) : 0
    const dueMs = Math.max(beganMs + asked.timeoutMs, callerStoodUntilMs) + leewayMs
    return endedMs > dueMs + LATE_MS_MAX
      ? [`${nameOf(asked)} ended ${Math.round(endedMs - dueMs)} ms after its deadline`]
      : []
  })

const isMove = ({ asked }: Called): boolean => 'move' in asked.what

const timesOf = ({ entries }: Record, { number }: Asked): number => entries.get(`${DONE_PREFIX}${number}`)?.value ?? 0

const movedIn = ({ result, done }: Told): Moved | undefined => (result ? resultOf(result) : done) as Moved | undefined

/** What was answered was done once, and what was not, once at most. */
const effectsOnce: Checker = (record) =>
  record.called.filter(isMove).flatMap(({ asked, told }) => {
    const moved = told.map(movedIn).find((one) => one !== undefined)
    const wrong = (what: string, times: number, isKnown: boolean) =>
      times > 1 || (isKnown && times < 1) ? [`${nameOf(asked)} ${what} ${times} times`] : []
    const paid = record.paid.get(asked.number) ?? 0
    return [
      ...wrong('was done', timesOf(record, asked), moved !== undefined),
      ...wrong('was paid for', paid, moved?.isPaid === true),
    ]
  })

/** What those who moved saw, and what was written, has one order in time. */
const serialisable: Checker = (record) => {
  const { entries } = record
  const revisionOf = (number: number) => entries.get(`${DONE_PREFIX}${number}`)?.version
  const unknown: string[] = []
  const seen = ([key, by]: Moved['read'][number]): Seen[] => {
    const version = by === 0 ? 0 : revisionOf(Math.floor(by / 2))
    if (version === undefined) unknown.push(`${key} was read as write ${by} left it, which nobody has committed`)
    return version === undefined ? [] : [{ key, value: by, version }]
  }
  const history = record.called.filter(isMove).map(({ asked, beganMs, endedMs, told }, i): Recorded => {
    const { number, what } = asked
    const moved = told[0] && movedIn(told[0])
    const reads = moved ? moved.read.flatMap(seen) : []
    const [from, to] = (what as { move: [number, number] }).move
    const revision = revisionOf(number)
    return {
      ...{
        id: `${number}`,
        beganAt: Math.round(beganMs * 1024) * 8 + i,
        endedAt: Math.round((endedMs ?? 0) * 1024) * 8 + i,
      },
      ...{ outcome: moved ? 'committed' : 'unknown', reads, lists: [], revision },
      snapshot: Math.max(0, ...reads.map(({ version }) => version)),
      writes: [
        { key: `${REGISTER_PREFIX}${from}`, value: 2 * number },
        { key: `${REGISTER_PREFIX}${to}`, value: 2 * number + 1 },
      ],
    }
  })
  const wholly = history.filter(({ outcome, revision }) => outcome === 'unknown' || revision !== undefined)
  return [...unknown, ...checkHistory(wholly).map(({ words }) => words), ...newestStand(record, history)]
}

/** In the end each register is as its last write left it. */
const newestStand = ({ entries }: Record, history: readonly Recorded[]): string[] => {
  const written = history.filter(({ revision }) => revision !== undefined)
  return [...new Set(written.flatMap(({ writes }) => writes.map(({ key }) => key)))].flatMap((key) => {
    const by = written.filter(({ writes }) => writes.some((one) => one.key === key))
    const last = by.reduce((a, b) => ((b.revision as number) > (a.revision as number) ? b : a))
    const value = last.writes.find((one) => one.key === key)?.value
    const stands = entries.get(key)?.value
    return stands === value ? [] : [`${key} holds ${stands} in the end, and its last write was ${value}`]
  })
}

/** Of a peer: in a large world, one for each neighbour beside its own. */
const timersMax = ({ kinds }: Plan): number =>
  Math.max(TIMERS_PER_PEER_MAX, OWN_TIMERS + Math.min(kinds.length - 1, NEIGHBOURS_MAX))

const runningLimit = ({ calls }: Plan): number => {
  const tasks = calls.reduce((sum, { what }) => sum + ('map' in what ? what.map : 1), 0)
  return Math.max(RUNNING_MAX, RUNS_A_TASK * tasks)
}

const queuesBounded: Checker = ({ left, runningMax, timers, plan }) => [
  ...(runningMax > runningLimit(plan) ? [`${runningMax} tasks ran or waited at one peer`] : []),
  ...(timers > timersMax(plan) * plan.kinds.length ? [`${timers} timers are set, and nothing is under way`] : []),
  ...checkLeft(left),
]

/** Those who are as they should be know and trust each other in the end; where they are more than there are places, as many as are near. */
const honestStay: Checker = (record) => {
  const { left, names, plan } = record
  // Look-ups are seldom: where who was to answer them was away, the next ones take longer than anybody waits here.
  const mustKnow = !plan.isSecluded || plan.faults.length === 0
  const areTooMany = plan.kinds.length - 1 > PLACES.near + PLACES.far
  const honest = (i: number) => isSound(record, i)
  return left
    .filter(({ peer }) => honest(peer))
    .flatMap(({ peer, trust, events }) => {
      const out = [...trust].filter(([i, { state }]) => honest(i) && (state === 'expelled' || state === 'suspended'))
      const blamed = events.filter(
        ({ name, fields }) =>
          name === 'internal.error' || (name === 'peer.misbehaved' && honest(names.indexOf(fields.peer ?? ''))),
      )
      const lost = left.filter((other) => other.peer !== peer && honest(other.peer) && !trust.has(other.peer))
      const isAlone = areTooMany && trust.size < PLACES.near
      return [
        ...(mustKnow && !areTooMany ? lost : []).map(
          (other) => `peer ${peer} does not know peer ${other.peer} any more`,
        ),
        ...(mustKnow && isAlone ? [`peer ${peer} has ${trust.size} neighbours, and places for more`] : []),
        ...out.map(([i, { state }]) => `peer ${peer} has ${state} peer ${i}, which is honest`),
        ...blamed.map(({ name, fields }) => `peer ${peer}: ${name} ${JSON.stringify(fields)}`),
      ]
    })
}

/** Whoever was put out is nobody's neighbour any more. */
const outStayOut: Checker = (record) =>
  record.left
    .filter(({ peer }) => isSound(record, peer))
    .flatMap(({ peer, trust }) =>
      [...record.revoked].flatMap((i) => (trust.has(i) ? [`peer ${peer} has peer ${i}, which was put out`] : [])),
    )

/** Nobody has lent more than the other has signed for; and where nothing broke, both count the same. */
const balancesAgree: Checker = ({ books, plan: { kinds, faults } }) =>
  faults.length === 0 && kinds.every(isHonest) ? checkUsage(books) : checkLent(books)

/** By what they look at. */
export const CHECKERS = {
  'nothing lost': nothingLost,
  'delivered once': deliveredOnce,
  'right answers': rightAnswers,
  'ends in time': endInTime,
  'effects once': effectsOnce,
  'strictly serialisable': serialisable,
  'queues bounded': queuesBounded,
  'the honest stay': honestStay,
  'who is out stays out': outStayOut,
  'ways known': waysKnown,
  'proofs travel': proofsTravel,
  'contradictions travel': contradictionsTravel,
  'runs are known': runsKnown,
  'draws are shown': drawsShown,
  'told why': toldWhy,
  'goes on': goesOn,
  'handed back': handedBack,
  'balances agree': balancesAgree,
} as const satisfies { [name: string]: Checker }

export const violationsOf = (record: Record): string[] =>
  Object.entries(CHECKERS).flatMap(([name, check]) => check(record).map((words) => `${name}: ${words}`))
