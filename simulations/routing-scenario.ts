/** Many invokers that send jobs of one length to machines far apart and of different speeds, and what a seer would do. */
import type { CallResult } from '../peer/calls.ts'
import { decodeValue } from '../protocol/values.ts'
import { createCostModelHost, MODEL_FUNCTION, modelInput, modelResult } from './cost-model.ts'
import { ln } from './exact-math.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { createDelays } from './places.ts'
import { deriveSeed, seededRandom } from './random.ts'
import { type Arrival, type Machines, replay } from './routing-oracle.ts'
import { matrixDelays, type RttMatrix } from './rtt-matrix.ts'
import { createWorld, type Machine, type World } from './world.ts'

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
}

export interface RoutingReport {
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

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2]
/** A word on load goes out about once a second. */
const OLD_LOAD_MS = 1000
/** Until all know each other, and how far apart they are. */
export const SETTLE_MS = 60_000
const TIMEOUT_MS = 10 * 60_000

const speedOf = (i: number): number => SPEEDS[i % SPEEDS.length] as number

/** Poisson, with as many from each invoker on average; from 0 on. */
const arrivalsOf = ({ seed, agents, invokers, jobMs, load, jobs, firstJobs }: RoutingScenario): Arrival[] => {
  const random = seededRandom(deriveSeed(seed, 'arrivals'))
  const speed = Array.from({ length: agents }, (_, i) => speedOf(i)).reduce((sum, one) => sum + one, 0)
  const meanGapMs = jobMs / (load * speed)
  let atMs = 0
  return Array.from({ length: firstJobs + jobs }, (_, id) => {
    atMs -= meanGapMs * ln((1 + random.below(2 ** 32)) / 2 ** 32)
    return { id, atMs, invoker: random.below(invokers), ms: jobMs }
  })
}

const isRight = ({ id }: Arrival, { outcome: { result } }: CallResult): boolean =>
  result.ok && decodeValue(result.value) === modelResult(id)

const meanOf = (figures: readonly number[]): number => figures.reduce((sum, one) => sum + one, 0) / figures.length

export interface Answered {
  result: CallResult
  tookMs: number
}

/** Calls each from the peer that is its invoker, by number, at its time from now. */
export const performArrivals = async (world: World, arrivals: readonly Arrival[]): Promise<Answered[]> => {
  const { clock, peers } = world
  const functions = await Promise.all(peers.map(({ peer }) => peer.publish(MODEL_FUNCTION)))
  const call = async ({ id, invoker, ms }: Arrival): Promise<Answered> => {
    const beganMs = clock.monotonic()
    const result = await (peers[invoker] as (typeof peers)[number]).peer.call({
      ...{
        function: (functions[invoker] as (typeof functions)[number]).cid,
        export: 'default',
        level: { level: 'none' },
      },
      ...{ input: modelInput({ id, ms }), timeoutMs: TIMEOUT_MS, remote: true, depth: 0 },
    })
    return { result, tookMs: clock.monotonic() - beganMs }
  }
  return world.until(
    Promise.all(
      arrivals.map(
        (job) =>
          new Promise<Answered>((resolve, reject) => clock.after(job.atMs, () => call(job).then(resolve, reject))),
      ),
    ),
  )
}

/** The same report for the same scenario. */
export const runRoutingScenario = async (scenario: RoutingScenario): Promise<RoutingReport> => {
  const { seed, agents, firstJobs } = scenario
  const delayMs = scenario.rtts ? matrixDelays(seed, scenario.rtts) : createDelays(seed)
  const spentMs = new Map<number, number>()
  const world = await createWorld({
    ...{ machine: withKeyedHashes(scenario.machine), seed, peers: agents, latencyMs: delayMs },
    setup: (i) => ({
      policy: { slots: 1 },
      sandboxHost: (_, clock) =>
        createCostModelHost(
          clock,
          () => speedOf(i),
          ({ id }, ms) => spentMs.set(id, (spentMs.get(id) ?? 0) + ms),
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
  const answered = await performArrivals(world, arrivals)
  const hedges = world.peers.reduce((sum, { events }) => sum + events.length, 0)
  await world.stop()
  const counted = answered.slice(firstJobs)
  const neededMs = ({ result }: Answered) =>
    scenario.jobMs / speedOf(names.indexOf((result.performed[0] as { executor: string }).executor))
  const needed = counted.reduce((sum, one) => sum + neededMs(one), 0)
  const spent = arrivals.slice(firstJobs).reduce((sum, { id }) => sum + (spentMs.get(id) ?? 0), 0)
  const pairs = names.flatMap((_, a) => names.flatMap((_, b) => (a === b ? [] : [2 * machines.delayMs(a, b)])))
  return {
    meanMs: meanOf(counted.map(({ tookMs }) => tookMs)),
    oracleMs: meanOf(replay(machines, arrivals).slice(firstJobs)),
    oldLoadMs: meanOf(replay(machines, arrivals, OLD_LOAD_MS).slice(firstJobs)),
    duplicateShare: spent / needed - 1,
    executions: counted.reduce((sum, { result }) => sum + result.executions, 0) / counted.length,
    hedges,
    meanRoundTripMs: meanOf(pairs),
    wrong: answered.filter(({ result }, i) => !isRight(arrivals[i] as Arrival, result)).length,
  }
}
