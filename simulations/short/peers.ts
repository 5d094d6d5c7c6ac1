/** The peers of a short world, as its plan has them: what each is given in place of an honest machine. */
import { MeshError } from '../../protocol/errors.ts'
import type { PeerFrame } from '../../protocol/frames.ts'
import type { Clock, Ports, SandboxHost, Storage } from '../../protocol/ports.ts'
import { forgingHost, lyingHost, lyingWhen, sleeperHost, slowHost } from '../adversaries.ts'
import { withFrames } from '../channels.ts'
import { poisoningHost } from '../poisoner.ts'
import { createProgramsHost } from '../programs.ts'
import { deriveSeed, seededRandom } from '../random.ts'
import type { PeerSetup } from '../world.ts'
import { PROGRAMS } from './functions.ts'
import type { Kind, Plan } from './plan.ts'

/** What executors say once they know each other: said twice or not at all, it must do no harm. */
const WORK: readonly PeerFrame['t'][] = [
  ...(['accepted', 'started', 'progress', 'answers', 'receipts', 'failed', 'request', 'journals', 'pong'] as const),
]
const LOST_ONE_IN = 6
const RARELY_ONE_IN = 5
const SLEEPS_FOR = 3

type Below = (limit: number) => number

const hostOf = (kind: Kind, host: SandboxHost, seed: number): SandboxHost => {
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
    default:
      return host
  }
}

const isWork = ({ t }: PeerFrame) => WORK.includes(t)

/** A machine that says what its peer says twice, or not at all, or offers what it has not. */
const portsOf = (kind: Kind, ports: Ports, below: Below): Ports => {
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

/** `isBroken`: whether the disk of peer `i` fails now. */
export const setupOf = (plan: Plan, i: number, isBroken: () => boolean): PeerSetup => {
  const kind = plan.kinds[i] as Kind
  const seed = deriveSeed(plan.seed, `adversary ${i}`)
  const { below } = seededRandom(seed)
  return {
    ...(i === 0 && { policy: { slots: 0 } }),
    sandboxHost: (_, clock: Clock) =>
      slowHost(hostOf(kind, createProgramsHost(PROGRAMS), seed), clock, () => plan.stepMs[i] as number),
    ports: (ports) => portsOf(kind, { ...ports, storage: failing(ports.storage, isBroken) }, below),
  }
}
