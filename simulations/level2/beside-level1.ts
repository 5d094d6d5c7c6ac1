/** The same machines, places and arrivals at both levels: what level 2 leaves out must not show. */
import { createCostModelHost } from '../cost-model.ts'
import { withKeyedHashes } from '../keyed-hash.ts'
import { performArrivals, SETTLE_MS } from '../routing-scenario.ts'
import { createWorld, type Machine } from '../world.ts'
import { DEVICES, type DeviceClass } from './devices.ts'
import { LargeRoutingWorld, untilAnswered } from './routing.ts'
import { msOf } from './wheel.ts'

export interface LevelsOptions {
  machine: Machine
  /** 32 bits. */
  seed: number
  /** Each lends one slot; one in four asks as well. */
  peers: number
  jobMs: number
  load: number
  /** Counted, after those from which speeds are learnt. */
  jobs: number
  firstJobs: number
}

/** From call to answer, ms. */
export interface Quantiles {
  p50: number
  p90: number
  p99: number
  mean: number
}

const SERVER = DEVICES[0] as DeviceClass

/** Of six speeds, as in `routing-scenario.ts`; all can reach each other, and nothing stands between them but distance. */
const MACHINES: readonly DeviceClass[] = [0.5, 0.75, 1, 1.25, 1.5, 2].map((speed, i) => ({
  ...SERVER,
  ...{ name: `speed ${speed}`, permille: i < 4 ? 167 : 166, slots: 1, speed, accessMsMax: 8 },
}))

const quantilesOf = (figures: ArrayLike<number>): Quantiles => {
  const sorted = Float64Array.from(figures).sort()
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length }
}

export const compareLevels = async (options: LevelsOptions): Promise<{ level1: Quantiles; level2: Quantiles }> => {
  const { machine, seed, peers, jobs, firstJobs } = options
  const invokers = Math.max(1, Math.floor(peers / 4))
  const routing = new LargeRoutingWorld({
    ...options,
    ...{ invokers, workload: 'poisson', churn: false, oracle: true, devices: MACHINES },
    link: { lossPpm: 0, jobBytes: 1024 },
  })
  untilAnswered(routing)
  const level2 = quantilesOf(Float64Array.from(routing.tookTicks.subarray(1), msOf))

  const { population } = routing.world
  const numbers = new Map<string, number>()
  const world = await createWorld({
    ...{ machine: withKeyedHashes(machine), seed, peers },
    latencyMs: (from, to) => msOf(population.delayTicks(numbers.get(from) ?? 0, numbers.get(to) ?? 0)),
    setup: (i) => ({
      policy: { slots: 1 },
      sandboxHost: (_, clock) => createCostModelHost(clock, () => population.deviceOf(i).speed),
    }),
    keepsEvent: () => false,
  })
  for (const [i, { peerId }] of world.peers.entries()) numbers.set(peerId, i)
  await world.clock.advance(SETTLE_MS)
  const [first] = routing.arrivals
  const arrivals = routing.arrivals
    .slice(0, firstJobs + jobs)
    .map((one) => ({ ...one, atMs: one.atMs - (first?.atMs ?? 0) }))
  const answered = await performArrivals(world, arrivals)
  await world.stop()
  return { level1: quantilesOf(answered.slice(firstJobs).map(({ tookMs }) => tookMs)), level2 }
}
