/** A trial of a mesh: where its machines are, how fast, and which jobs arrive; here it is run with real peers on a seeded clock. */
import type { Peer } from '../peer/peer.ts'
import { createCostModelHost } from './cost-model.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import { type Counts, countsBetween, MessageCounts } from './message-counts.ts'
import { createDelays } from './places.ts'
import type { Arrival } from './routing-oracle.ts'
import { arrivalsOf, performArrivals, publishModel, speedOf } from './routing-scenario.ts'
import { createWorld, type Machine, type PeerSetup, type World } from './world.ts'

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
  /** From when the first machine starts until the last does: what each does every so often must not fall together. */
  startingMs: number
  /** From when the last has joined until the first job may come. */
  settlingMs: number
}

/** Until guests have left, who stay for a minute and are not asked again for half an hour: then neighbours stay who they are. */
export const SETTLING_MS = 90_000

/** Everything that a trial is given, and which is the same wherever it is run. */
export interface Setting extends Pick<Trial, 'peers' | 'firstJobs' | 'startingMs' | 'settlingMs'> {
  /** One way, ms, by number. */
  delayMs(from: number, to: number): number
  speedOf(i: number): number
  /** Their times are from when the first may come. */
  arrivals: readonly Arrival[]
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
  /** By all peers, while counted jobs arrive. */
  sent: Counts
}

export const quantilesOf = (figures: ArrayLike<number>): Quantiles => {
  const sorted = Float64Array.from(figures).sort()
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length }
}

/** While counted jobs arrive, from when the first of all may come, ms. */
export const countedSpan = ({ arrivals, firstJobs }: Pick<Setting, 'arrivals' | 'firstJobs'>) => {
  const [first, last] = [arrivals[firstJobs], arrivals.at(-1)] as [Arrival, Arrival]
  return { fromMs: first.atMs, toMs: last.atMs }
}

export const invokersOf = (peers: number): number => Math.max(1, Math.floor(peers / 4))

/** `hopMs`: what a message takes beside the distance. */
export const settingOf = (trial: Trial, hopMs = 0): Setting => {
  const delay = createDelays(trial.seed)
  return {
    ...trial,
    speedOf,
    delayMs: (from, to) => delay(`${from}`, `${to}`) + hopMs,
    arrivals: arrivalsOf({ ...trial, agents: trial.peers, invokers: invokersOf(trial.peers) }),
  }
}

/** One after another, each joined to the first as soon as it is there. */
const startWorld = async (machine: Machine, seed: number, setting: Setting, counts: MessageCounts): Promise<World> => {
  const { peers, delayMs, startingMs } = setting
  const numbers = new Map<string, number>()
  const setup = (i: number): PeerSetup => ({
    policy: { slots: 1 },
    ports: (ports) => {
      numbers.set(ports.network.peerId, i)
      return counts.over(ports)
    },
    sandboxHost: (_, clock) => createCostModelHost(clock, () => setting.speedOf(i)),
  })
  const world = await createWorld({
    ...{ machine: withKeyedHashes(machine), seed, peers: 1, setup },
    latencyMs: (from, to) => delayMs(numbers.get(from) ?? 0, numbers.get(to) ?? 0),
    keepsEvent: () => false,
  })
  const joined: Promise<string>[] = []
  for (let i = 1; i < peers; i++) {
    await world.clock.advance(startingMs / peers)
    const { peer } = await world.add(setup(i))
    joined.push(peer.join(world.peers[0]?.address as string))
  }
  await world.until(Promise.all(joined))
  return world
}

/** On a clock that stands still while anything is computed: what nothing but distance, queues and work make of it. */
export const tryOnSeededClock = async (machine: Machine, seed: number, setting: Setting): Promise<Tried> => {
  const { arrivals, firstJobs, settlingMs } = setting
  const counts = new MessageCounts()
  const world = await startWorld(machine, seed, setting, counts)
  await world.clock.advance(settlingMs)
  const everybody = world.peers.map(({ peer }) => peer)
  const model = await publishModel(everybody)
  const { fromMs, toMs } = countedSpan(setting)
  let [before, sent]: [Counts, Counts] = [{}, {}]
  world.clock.after(fromMs, () => {
    before = counts.sent
  })
  world.clock.after(toMs, () => {
    sent = countsBetween(before, counts.sent)
  })
  const answered = await world.until(performArrivals(world.clock, (i) => everybody[i] as Peer, model, arrivals))
  await world.stop()
  return { took: quantilesOf(answered.slice(firstJobs).map(({ tookMs }) => tookMs)), sent }
}
