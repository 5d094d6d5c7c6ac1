/** Many invokers that send jobs of one length to machines far apart and of different speeds, and what a seer would do. */
import type { CallResult } from '../peer/calls.ts'
import type { Peer } from '../peer/peer.ts'
import type { CID } from '../protocol/cid.ts'
import type { Clock, Ports } from '../protocol/ports.ts'
import { decodeValue } from '../protocol/values.ts'
import { booksOf, checkLeft, leftAt, QUIET_MS } from './checkers/quiet.ts'
import { checkUsage } from './checkers/usage.ts'
import { createCostModelHost, MODEL_FUNCTION, modelInput, modelResult } from './cost-model.ts'
import { ln } from './exact-math.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { createDelays } from './places.ts'
import { deriveSeed, seededRandom } from './random.ts'
import { type Arrival, type Machines, replay } from './routing-oracle.ts'
import { matrixDelays, type RttMatrix } from './rtt-matrix.ts'
import { createWorld, type Machine } from './world.ts'

export interface RoutingScenario {
  machine: Machine
  /** 32 bits. */
  seed: number
  /** Each lends one slot. */
  agents: number
  /** How many of them ask as well. */
  invokers: number
  /** At speed 1. */
  jobMs: number
  /** Work that arrives, in parts of what all machines together do. */
  load: number
  /** Counted, after those from which speeds, and what the function takes, are learnt. */
  jobs: number
  firstJobs: number
  /** Instead of the delays of `places.ts`. */
  rtts?: RttMatrix
  /** Listens to each peer through its ports. */
  ports?(ports: Ports): Ports
}

export interface RoutingFigures {
  /** From call to answer, ms: the mean of the peers, of the oracle, and of the best by a load told a second ago. */
  meanMs: number
  oracleMs: number
  oldLoadMs: number
  /** Work done in vain, in parts of that which was not. */
  duplicateShare: number
  executions: number
  hedges: number
  meanRoundTripMs: number
  /** Answers that are not what the function gives. */
  wrong: number
}

/** One of the jobs, counted or not. Machines by number; times are those of the world. */
export interface JobSeen {
  invoker: number
  executor: number
  atMs: number
  tookMs: number
  /** One way. */
  travelMs: number
  oracleMs: number
  oldLoadMs: number
  executions: number
}

/** What one machine has computed on a job, to the end or not. */
export interface RunSeen {
  id: number
  endedMs: number
  ms: number
}

/** Beside the figures, what they come from. */
export interface RoutingReport extends RoutingFigures {
  jobs: readonly JobSeen[]
  runs: readonly RunSeen[]
  peerIds: readonly string[]
  /** What must not be once all is quiet, in words. */
  violations: readonly string[]
  /** When the first job arrived, from which on jobs are timed. */
  beganMs: number
}

/** Each machine's in turn. */
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2]
/** A word on load goes out about once a second. */
const OLD_LOAD_MS = 1000
/** Until all know each other, and how far apart they are. */
const SETTLE_MS = 60_000
const TIMEOUT_MS = 10 * 60_000

export const speedOf = (i: number): number => SPEEDS[i % SPEEDS.length] as number

type Arriving = Pick<RoutingScenario, 'seed' | 'agents' | 'invokers' | 'jobMs' | 'load' | 'jobs' | 'firstJobs'>

/** Poisson, with as many from each invoker on average; from 0 on. */
export const arrivalsOf = ({ seed, agents, invokers, jobMs, load, jobs, firstJobs }: Arriving): Arrival[] => {
  const random = seededRandom(deriveSeed(seed, 'arrivals'))
  const speed = Array.from({ length: agents }, (_, i) => speedOf(i)).reduce((sum, one) => sum + one, 0)
  const meanGapMs = jobMs / (load * speed)
  let atMs = 0
  return Array.from({ length: firstJobs + jobs }, (_, id) => {
    atMs -= meanGapMs * ln((1 + random.below(2 ** 32)) / 2 ** 32)
    return { id, atMs, invoker: random.below(invokers), ms: jobMs }
  })
}

export const isRight = ({ id }: Arrival, { outcome: { result } }: CallResult): boolean =>
  result.ok && decodeValue(result.value) === modelResult(id)

const meanOf = (figures: readonly number[]): number => figures.reduce((sum, one) => sum + one, 0) / figures.length

export interface Answered {
  result: CallResult
  tookMs: number
}

/** Puts the function of the model on each; the name of what all of them have now. */
export const publishModel = async (peers: readonly Peer[]): Promise<CID> => {
  const published = await Promise.all(peers.map((peer) => peer.publish(MODEL_FUNCTION)))
  return (published[0] as (typeof published)[number]).cid
}

/** Calls the model for each job from the peer that is its invoker, at its time from now. */
export const performArrivals = (
  clock: Pick<Clock, 'monotonic' | 'after'>,
  peerOf: (invoker: number) => Peer,
  model: CID,
  arrivals: readonly Arrival[],
): Promise<Answered[]> => {
  const call = async ({ id, invoker, ms }: Arrival): Promise<Answered> => {
    const beganMs = clock.monotonic()
    const result = await peerOf(invoker).call({
      ...{ function: model, export: 'default', level: { level: 'none' } },
      ...{ input: modelInput({ id, ms }), timeoutMs: TIMEOUT_MS, remote: true, depth: 0 },
    })
    return { result, tookMs: clock.monotonic() - beganMs }
  }
  return Promise.all(
    arrivals.map(
      (job) => new Promise<Answered>((resolve, reject) => clock.after(job.atMs, () => call(job).then(resolve, reject))),
    ),
  )
}

const jobsSeen = (
  machines: Machines,
  names: readonly string[],
  arrivals: readonly Arrival[],
  answered: readonly Answered[],
): JobSeen[] => {
  const [oracle, oldLoad] = [replay(machines, arrivals), replay(machines, arrivals, OLD_LOAD_MS)]
  return arrivals.map(({ invoker, atMs }, i) => {
    const { result, tookMs } = answered[i] as Answered
    const executor = names.indexOf((result.performed[0] as { executor: string }).executor)
    return {
      ...{ invoker, executor, atMs, tookMs, travelMs: machines.delayMs(invoker, executor) },
      ...{ oracleMs: oracle[i] as number, oldLoadMs: oldLoad[i] as number, executions: result.executions },
    }
  })
}

/** The same report for the same scenario. */
export const runRoutingScenario = async (scenario: RoutingScenario): Promise<RoutingReport> => {
  const { seed, agents, firstJobs } = scenario
  const delayMs = scenario.rtts ? matrixDelays(seed, scenario.rtts) : createDelays(seed)
  const runs: RunSeen[] = []
  const world = await createWorld({
    ...{ machine: withKeyedHashes(scenario.machine), seed, peers: agents, latencyMs: delayMs },
    setup: (i) => ({
      policy: { slots: 1 },
      ...(scenario.ports && { ports: scenario.ports }),
      sandboxHost: (_, clock) =>
        createCostModelHost(
          clock,
          () => speedOf(i),
          ({ id }, ms) => runs.push({ id, ms, endedMs: clock.monotonic() }),
        ),
    }),
    keepsEvent: (name) => name === 'call.hedged',
  })
  await world.clock.advance(SETTLE_MS)
  const names = world.peers.map(({ peerId }) => peerId)
  const machines: Machines = {
    speeds: names.map((_, i) => speedOf(i)),
    delayMs: (from, to) => delayMs(names[from] as string, names[to] as string),
  }
  const arrivals = arrivalsOf(scenario)
  const peers = world.peers.map(({ peer }) => peer)
  const peerOf = (i: number) => peers[i] as Peer
  const model = await publishModel(peers)
  const beganMs = world.clock.monotonic()
  const answered = await world.until(performArrivals(world.clock, peerOf, model, arrivals))
  const hedges = world.peers.reduce((sum, { events }) => sum + events.length, 0)
  await world.clock.advance(QUIET_MS)
  const left = world.peers.map((one, i) => ({ peer: i, ...leftAt(one) }))
  const violations = [...checkLeft(left), ...checkUsage(booksOf(world.peers))]
  await world.stop()
  const jobs = jobsSeen(machines, names, arrivals, answered)
  const counted = jobs.slice(firstJobs)
  const needed = counted.reduce((sum, { executor }) => sum + scenario.jobMs / speedOf(executor), 0)
  const spent = runs.reduce((sum, { id, ms }) => (id < firstJobs ? sum : sum + ms), 0)
  const pairs = names.flatMap((_, a) => names.flatMap((_, b) => (a === b ? [] : [2 * machines.delayMs(a, b)])))
  return {
    meanMs: meanOf(counted.map(({ tookMs }) => tookMs)),
    oracleMs: meanOf(counted.map(({ oracleMs }) => oracleMs)),
    oldLoadMs: meanOf(counted.map(({ oldLoadMs }) => oldLoadMs)),
    duplicateShare: spent / needed - 1,
    executions: meanOf(counted.map(({ executions }) => executions)),
    hedges,
    meanRoundTripMs: meanOf(pairs),
    wrong: answered.filter(({ result }, i) => !isRight(arrivals[i] as Arrival, result)).length,
    ...{ jobs, runs, peerIds: names, violations, beganMs },
  }
}
