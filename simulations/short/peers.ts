/** The peers of a short world, as its plan has them: what each is given in place of an honest machine. */
import { MeshError } from '../../protocol/errors.ts'
import type { PeerFrame } from '../../protocol/frames.ts'
import type { Clock, Ports, SandboxHost, Storage } from '../../protocol/ports.ts'
import { withAccusations } from '../accuser.ts'
import { forgingHost, lyingHost, lyingWhen, sleeperHost, slowHost } from '../adversaries.ts'
import { withFrames } from '../channels.ts'
import { type Overheard, withCopiedReceipts } from '../overheard.ts'
import { poisoningHost } from '../poisoner.ts'
import { createProgramsHost, type Program, type ProgramEvents, type Programs } from '../programs.ts'
import { deriveSeed, seededRandom } from '../random.ts'
import { twoFacedHome } from '../two-faced-home.ts'
import type { PeerSetup } from '../world.ts'
import { PROGRAMS } from './functions.ts'
import { hasFriends, type Kind, type Plan } from './plan.ts'
import type { Till } from './till.ts'

/** What executors say once they know each other: said twice or not at all, it must do no harm. */
const WORK: readonly PeerFrame['t'][] = [
  ...(['accepted', 'started', 'progress', 'answers', 'receipts', 'failed', 'request', 'journals', 'pong'] as const),
]
const LOST_ONE_IN = 6
const COPIED_ONE_IN = 3
const RARELY_ONE_IN = 5
const SLEEPS_FOR = 3

type Below = (limit: number) => number

const hostOf = (kind: Kind, host: SandboxHost, seed: number, overheard: Overheard): SandboxHost => {
  const random = seededRandom(seed)
  switch (kind) {
    case 'liar':
      return lyingHost(host)
    case 'rare':
      return lyingWhen(host, () => random.below(RARELY_ONE_IN) === 0)
    case 'sleeper':
      return sleeperHost(host, SLEEPS_FOR, () => true)
    case 'forger':
      return forgingHost(host)
    case 'poisoner':
      return poisoningHost(host, random, () => {})
    case 'copier':
      return overheard.copying(host)
    default:
      return host
  }
}

const isWork = ({ t }: PeerFrame) => WORK.includes(t)

/** A machine that says what its peer says twice, or not at all, or offers what it has not, or says what is not so. */
const portsOf = (kind: Kind, ports: Ports, below: Below, overheard: Overheard): Ports => {
  if (kind === 'copier') return withCopiedReceipts(ports, overheard, () => below(COPIED_ONE_IN) === 0)
  if (kind === 'accuser') return withAccusations(ports, overheard, below)
  if (kind === 'two-faced') return twoFacedHome(ports)
  if (kind === 'stutterer') return withFrames(ports, { sent: (frame) => (isWork(frame) ? [frame, frame] : [frame]) })
  if (kind === 'loser')
    return withFrames(ports, { sent: (frame) => (isWork(frame) && below(LOST_ONE_IN) === 0 ? [] : [frame]) })
  if (kind === 'inflator')
    return withFrames(ports, {
      sent: (frame) => (frame.t === 'load' ? [{ ...frame, slots: 64, free: 64, queued: 0 }] : [frame]),
    })
  return ports
}

/** Writes fail while `isBroken` says so. */
const failing = (storage: Storage, isBroken: () => boolean): Storage => ({
  get: (key) => storage.get(key),
  getMany: (keys) => storage.getMany(keys),
  scan: (...range) => storage.scan(...range),
  close: () => storage.close(),
  write: async (writes, options) => {
    if (isBroken()) throw new MeshError('E_STORAGE', 'this disk fails now')
    await storage.write(writes, options)
  },
})

export interface Surroundings {
  overheard: Overheard
  till: Till
  /** Whether its disk fails now. */
  isBroken(): boolean
  /** It begins to compute. */
  ran(): void
  /** What is seen of its runs. */
  runs(clock: Clock): ProgramEvents
  /** The disk of its next life. */
  disk(): Storage
}

/** `ran` is told of each run that computes. */
const counted = (ran: () => void): Programs => ({
  ...PROGRAMS,
  default: function* (input) {
    ran()
    return yield* (PROGRAMS.default as Program)(input)
  },
})

/** Of peer `i`. */
export const setupOf = (plan: Plan, i: number, around: Surroundings): PeerSetup => {
  const { overheard, till, isBroken, ran, runs, disk } = around
  const kind = plan.kinds[i] as Kind
  const seed = deriveSeed(plan.seed, `adversary ${i}`)
  const { below } = seededRandom(seed)
  const areHeard = plan.kinds.some(hasFriends)
  const heard = (host: SandboxHost) => (areHeard && kind !== 'copier' ? overheard.at(host) : host)
  return {
    ...((i === 0 || kind === 'guest') && { policy: { slots: 0 } }),
    ...(i === 0 && { web: till.web }),
    sandboxHost: (_, clock: Clock) => {
      const host = heard(hostOf(kind, createProgramsHost(counted(ran), runs(clock)), seed, overheard))
      return slowHost(host, clock, () => plan.stepMs[i] as number)
    },
    ports: (ports) => {
      const drawn = portsOf(kind, { ...ports, storage: failing(disk(), isBroken) }, below, overheard)
      return areHeard ? overheard.over(drawn) : drawn
    },
  }
}
