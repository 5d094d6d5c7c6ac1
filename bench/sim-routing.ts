/**
 * How near the choice of executors comes to one who sees everything, at level 2: 320 servers, desktops, phones, routers and
 * tabs, 80 of which ask as well, in three worlds of each kind, 10,000 jobs counted in each. Delays are those of a stated model
 * (`simulations/level2/`), or of `--rtt-matrix FILE`. The oracle replays the same arrivals (`simulations/routing-oracle.ts`).
 */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { machine } from '../scripts/sim/machine.ts'
import { idleTraffic } from '../simulations/idle-traffic.ts'
import { quickChance } from '../simulations/level2/chance.ts'
import { matrixGeography, modelGeography } from '../simulations/level2/geography.ts'
import { nearestRatio } from '../simulations/level2/nearest.ts'
import { runPartition } from '../simulations/level2/partition-report.ts'
import { Population } from '../simulations/level2/population.ts'
import { type LargeRouting, runLargeRouting } from '../simulations/level2/routing.ts'
import { WORKLOADS, type WorkloadName } from '../simulations/level2/workloads.ts'
import { parseRttMatrix, type RttMatrix } from '../simulations/rtt-matrix.ts'
import { rounded } from './measure.ts'

const WORLDS = 3
const WORLD = { peers: 320, invokers: 80, jobs: 10_000, firstJobs: 10_000, churn: false, oracle: 'all' } as const

/** More than a peer has places for neighbours. */
const IDLE_PEERS = 80
const IDLE_MS = 2 * 60_000

interface Kind extends Pick<LargeRouting, 'speedsKnown' | 'loadsSeen'> {
  jobMs: number
  load: number
  workload: WorkloadName
}

interface Figures {
  mean: number
  p99: number
  /** The p99 of an oracle that sees as much and may ask neighbours alone. */
  neighboursP99: number
  duplicates: number
}

const measured = (seed: number, kind: Kind, rtts: RttMatrix | undefined): Figures => {
  const reports = Array.from({ length: WORLDS }, (_, i) => runLargeRouting({ ...WORLD, ...kind, rtts, seed: seed + i }))
  for (const { unanswered } of reports) if (unanswered > 0) throw new Error(`${unanswered} jobs had no answer`)
  const meanOf = (of: (one: (typeof reports)[number]) => number) =>
    rounded(reports.reduce((sum, one) => sum + of(one), 0) / WORLDS)
  return {
    mean: meanOf((one) => one.meanMs / one.oracleMeanMs),
    p99: meanOf((one) => one.p99Ms / one.oracleP99Ms),
    neighboursP99: meanOf((one) => one.neighboursOracleP99Ms / one.oracleP99Ms),
    duplicates: meanOf((one) => one.duplicateShare),
  }
}

const nearest = (seed: number, rtts: RttMatrix | undefined): number => {
  const chance = quickChance(seed)
  const geography = rtts ? matrixGeography(rtts) : modelGeography(chance)
  return rounded(nearestRatio(new Population(400, geography, chance), chance))
}

/** Of all places, those that are cut off. */
const CUT_SHARES = [0.1, 0.3, 0.5]

/** Means of jobs asked for in a cut of 30 s, in parts of the mean before it; the worst of the shares. */
const partitioned = (seed: number, rtts: RttMatrix | undefined, print: (line: string) => void): number => {
  const all = CUT_SHARES.map((share) => {
    const reports = Array.from({ length: WORLDS }, (_, i) =>
      runPartition({ seed: seed + i, peers: WORLD.peers, invokers: WORLD.invokers, share, rtts }),
    )
    for (const { report } of reports)
      if (report.unanswered > 0) throw new Error(`${report.unanswered} jobs had no answer`)
    const meanOf = (of: (one: (typeof reports)[number]) => number) =>
      reports.reduce((sum, one) => sum + of(one), 0) / WORLDS
    const ratio = rounded(meanOf(({ cutMs, beforeMs }) => cutMs / beforeMs))
    const p99Ms = Math.round(meanOf(({ cutP99Ms }) => cutP99Ms))
    const healed = rounded(meanOf(({ healedMs, beforeMs }) => healedMs / beforeMs))
    const inVain = rounded(meanOf(({ report }) => report.duplicateShare))
    print(
      `${share} of all places cut off for 30 s: mean ${ratio} x that before, p99 ${p99Ms} ms, ${healed} x once it healed, ${inVain} in vain`,
    )
    return ratio
  })
  return Math.max(...all)
}

export const run = async (
  print: (line: string) => void,
  { matrix }: { matrix?: string | undefined } = {},
): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32 - WORLDS))
  const rtts = matrix === undefined ? undefined : parseRttMatrix(readFileSync(matrix, 'utf8'))
  print(`WAYSIDE_SEED=${seed}: ${WORLDS} worlds of ${WORLD.peers} peers each, delays of ${matrix ?? 'the model'}`)
  const of = (jobMs: number, load: number, workload: WorkloadName = 'poisson'): Figures => {
    const figures = measured(seed, { jobMs, load, workload }, rtts)
    const { mean, p99, neighboursP99, duplicates } = figures
    print(
      `${workload.padEnd(8)} ${jobMs} ms at ${load}: mean ${mean} x the oracle's, p99 ${p99} x, ${duplicates} in vain; an oracle of neighbours alone has a p99 of ${neighboursP99} x`,
    )
    return figures
  }
  const withMore = (known: Pick<LargeRouting, 'speedsKnown' | 'loadsSeen'>, words: string): number => {
    const { mean, p99, duplicates } = measured(seed, { jobMs: 1000, load: 0.6, workload: 'poisson', ...known }, rtts)
    print(`poisson  1000 ms at 0.6, ${words}: mean ${mean} x, p99 ${p99} x, ${duplicates} in vain`)
    return p99
  }
  const speedsP99 = withMore({ speedsKnown: true }, 'if speeds were known from the first')
  const loadsP99 = withMore({ loadsSeen: true }, 'if loads were seen as they are')
  const bothP99 = withMore({ speedsKnown: true, loadsSeen: true }, 'if both were')
  const [long, longFull, short, shortFull] = [of(1000, 0.6), of(1000, 0.8), of(200, 0.3), of(200, 0.6)]
  const others = WORKLOADS.filter((workload) => workload !== 'poisson').flatMap((workload) => {
    const { mean, p99, duplicates } = of(1000, 0.6, workload)
    return [
      [`mean_vs_oracle_${workload}`, mean],
      [`p99_vs_oracle_${workload}`, p99],
      [`duplicate_share_${workload}`, duplicates],
    ] as const
  })
  const cut = partitioned(seed, rtts, print)
  const nearestFound = nearest(seed, rtts)
  print(`nearest of ${20} known, six of them probed: ${nearestFound} x`)
  const idle = await idleTraffic(machine, seed, IDLE_PEERS, IDLE_MS)
  print(
    `idle, ${IDLE_PEERS} peers of level 1: ${Math.round(idle.bytesPerS)} bytes/s sent by each in ${rounded(idle.framesPerS)} frames/s, ${Math.round(idle.bytesPerSMax)} at most; a DHT's not among them`,
  )
  return {
    mean_vs_oracle_1s_load06: long.mean,
    p99_vs_oracle_1s_load06: long.p99,
    neighbours_oracle_p99_1s_load06: long.neighboursP99,
    speeds_known_p99_1s_load06: speedsP99,
    loads_seen_p99_1s_load06: loadsP99,
    both_known_p99_1s_load06: bothP99,
    mean_vs_oracle_1s_load08: longFull.mean,
    mean_vs_oracle_200ms_load03: short.mean,
    mean_vs_oracle_200ms_load06: shortFull.mean,
    duplicate_share_1s: long.duplicates,
    duplicate_share_200ms: Math.max(short.duplicates, shortFull.duplicates),
    ...Object.fromEntries(others),
    cut_vs_before: cut,
    nearest_vs_best_of_20: nearestFound,
    idle_bytes_per_s: Math.round(idle.bytesPerS),
  }
}
