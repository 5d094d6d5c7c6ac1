/**
 * How fast the simulator is at level 2: 1,000,000 peers of which an eighth ask, jobs of 1 s at load 0.6, peers that come and go,
 * each decision that of peer/. Beside it, in turn, the bare timing wheel: as many events pending, whose handlers set the next
 * one and do nothing else. Twice the same world: what happened, when and in which order, must be the same.
 */
import { randomInt } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { quickChance } from '../simulations/level2/chance.ts'
import { LargeRoutingWorld } from '../simulations/level2/routing.ts'
import { type Handler, ticksOf, Wheel } from '../simulations/level2/wheel.ts'
import { median, rounded } from './measure.ts'

const PEERS = 1_000_000
const WORLD = { invokers: PEERS / 8, jobMs: 1000, load: 0.6, workload: 'poisson', churn: true } as const
/** Until as much is under way as will be. */
const FIRST_MS = 3000
const ROUNDS = 3
const ROUND_MS = 500

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heldBytes = (): number => {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const perSecond = (wheel: Wheel, run: () => void): number => {
  const before = wheel.happened
  const startedAt = performance.now()
  run()
  return ((wheel.happened - before) * 1000) / (performance.now() - startedAt)
}

/** Delays as those of the world: up to 1 s. */
const bareWheel = (pending: number, seed: number): { wheel: Wheel; handlers: Handler[] } => {
  const wheel = new Wheel(pending)
  const { below } = quickChance(seed)
  const longest = ticksOf(1000)
  const next = (index: number) => wheel.after(below(longest), 0, index)
  for (let index = 0; index < pending; index++) next(index)
  return { wheel, handlers: [next] }
}

interface Run {
  hash: number
  events: number[]
  bare: number[]
  bytes: number
}

const worldOf = (seed: number): Run => {
  const before = heldBytes()
  const world = new LargeRoutingWorld({ ...WORLD, seed, peers: PEERS, firstJobs: 0, jobs: 1 })
  world.runMs(FIRST_MS)
  const bytes = heldBytes() - before
  const { wheel } = world.world
  const bare = bareWheel(wheel.pending, seed)
  const figures: Pick<Run, 'events' | 'bare'> = { events: [], bare: [] }
  for (let round = 0; round < ROUNDS; round++) {
    figures.events.push(perSecond(wheel, () => world.runMs(ROUND_MS)))
    figures.bare.push(perSecond(bare.wheel, () => bare.wheel.run(bare.wheel.now + ticksOf(ROUND_MS), bare.handlers)))
  }
  return { ...figures, hash: wheel.hash, bytes }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number | boolean>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32))
  print(`WAYSIDE_SEED=${seed}: ${PEERS} peers, twice`)
  const runs = [worldOf(seed), worldOf(seed)]
  const events = runs.flatMap((one) => one.events)
  const bare = runs.flatMap((one) => one.bare)
  const ratio = median(events.map((figure, i) => figure / (bare[i] as number)))
  const bytes = Math.max(...runs.map((one) => one.bytes)) / PEERS
  print(
    `${events.map(rounded).join(', ')} events a second; bare ${bare.map(rounded).join(', ')}: ${rounded(ratio)} of it`,
  )
  return {
    events_per_s: rounded(median(events)),
    bare_events_per_s: rounded(median(bare)),
    bytes_per_peer: rounded(bytes),
    same_hash_twice: runs[0]?.hash === runs[1]?.hash,
  }
}
