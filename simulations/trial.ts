/** A trial of a mesh: where its machines are, how fast, and which jobs arrive; here it is run with real peers on a seeded clock. */
import type { Peer } from '../peer/peer.ts'
import { createCostModelHost } from './cost-model.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { type Counts, countsBetween, MessageCounts } from './message-counts.ts'
import { createDelays } from './places.ts'
import type { Arrival } from './routing-oracle.ts'
import { arrivalsOf, performArrivals, publishModel, SETTLE_MS, speedOf } from './routing-scenario.ts'
import { createWorld, type Machine } from './world.ts'

export interface Trial {
  /** 32 bits. */
  seed: number
  /** Each lends one slot; one in four asks as well. */
  peers: number
  /** At speed 1. */
  jobMs: number
  /** Work that arrives, in parts of what all machines together do. */
  load: number
  /** Counted, after those from which speeds are learnt. */
  jobs: number
  firstJobs: number
}

/** Everything that a trial is given, and which is the same wherever it is run. */
export interface Setting {
  peers: number
  /** One way, ms, by number. */
  delayMs(from: number, to: number): number
  speedOf(i: number): number
  /** Their times are from when the first may come. */
  arrivals: readonly Arrival[]
  firstJobs: number
}

/** From call to answer, ms. */
export interface Quantiles {
  p50: number
  p90: number
  p99: number
  mean: number
}

export interface Tried {
  took: Quantiles
  /** By all peers, from when the first job may come until the last arrives. */
  sent: Counts
}

export const quantilesOf = (figures: ArrayLike<number>): Quantiles => {
  const sorted = Float64Array.from(figures).sort()
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length }
}

export const invokersOf = (peers: number): number => Math.max(1, Math.floor(peers / 4))

/** `hopMs`: what a message takes beside the distance. */
export const settingOf = (trial: Trial, hopMs = 0): Setting => {
  const delay = createDelays(trial.seed)
  return {
    ...{ peers: trial.peers, firstJobs: trial.firstJobs, speedOf },
    delayMs: (from, to) => delay(`${from}`, `${to}`) + hopMs,
    arrivals: arrivalsOf({ ...trial, agents: trial.peers, invokers: invokersOf(trial.peers) }),
  }
}

/** On a clock that stands still while anything is computed: what nothing but distance, queues and work make of it. */
export const tryOnSeededClock = async (machine: Machine, seed: number, setting: Setting): Promise<Tried> => {
  const { peers, delayMs, arrivals, firstJobs } = setting
  const numbers = new Map<string, number>()
  const counts = new MessageCounts()
  const world = await createWorld({
    ...{ machine: withKeyedHashes(machine), seed, peers },
    latencyMs: (from, to) => delayMs(numbers.get(from) ?? 0, numbers.get(to) ?? 0),
    setup: (i) => ({
      policy: { slots: 1 },
      ports: (ports) => {
        numbers.set(ports.network.peerId, i)
        return counts.over(ports)
      },
      sandboxHost: (_, clock) => createCostModelHost(clock, () => setting.speedOf(i)),
    }),
    keepsEvent: () => false,
  })
  await world.clock.advance(SETTLE_MS)
  const everybody = world.peers.map(({ peer }) => peer)
  const model = await publishModel(everybody)
  const before = counts.sent
  let sent: Counts = {}
  world.clock.after((arrivals.at(-1) as Arrival).atMs, () => {
    sent = countsBetween(before, counts.sent)
  })
  const answered = await world.until(performArrivals(world.clock, (i) => everybody[i] as Peer, model, arrivals))
  await world.stop()
  return { took: quantilesOf(answered.slice(firstJobs).map(({ tookMs }) => tookMs)), sent }
}
