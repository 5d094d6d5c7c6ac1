/**
 * How near the choice of executors comes to one who sees everything: 24 agents with one slot each, six of which ask as
 * well, speeds from 0.5 to 2, delays of a stated model (`simulations/places.ts`), jobs of 1 s and of 200 ms at speed 1,
 * arriving by chance (Poisson) at 0.3 and 0.6 of what all agents together can do. The oracle replays the same arrivals
 * (`simulations/routing-oracle.ts` says what it knows). Rival, in the same replay: the best by a load told a second ago.
 * Three worlds each, of other places and arrivals; means over all their jobs.
 */
import { randomInt } from 'node:crypto'
import type { RoutingFigures, RoutingReport } from '../simulations/routing-scenario.ts'
import { rounded } from './measure.ts'
import { start } from './processes.ts'

const WORLDS = 3
const WORLD = { agents: 24, invokers: 6, jobs: 2000, firstJobs: 600 }

const RUNS = [
  { jobMs: 1000, load: 0.6 },
  { jobMs: 1000, load: 0.3 },
  { jobMs: 200, load: 0.6 },
  { jobMs: 200, load: 0.3 },
]
type Run = (typeof RUNS)[number]

const worldOf = async (seed: number, run: Run): Promise<RoutingReport> => {
  const { ready } = await start<RoutingReport>('./routing-world.ts', [JSON.stringify({ ...WORLD, ...run, seed })])
  return ready
}

/** Two at once: what else the machine does changes no figure, since each world has a clock of its own. */
const worldsOf = async (seed: number, run: Run): Promise<RoutingReport[]> => {
  const reports: RoutingReport[] = []
  for (let i = 0; i < WORLDS; i += 2) {
    const seeds = Array.from({ length: Math.min(2, WORLDS - i) }, (_, k) => seed + i + k)
    reports.push(...(await Promise.all(seeds.map((one) => worldOf(one, run)))))
  }
  return reports
}

const figuresOf = (reports: readonly RoutingReport[]) => {
  const mean = (key: keyof RoutingFigures) => reports.reduce((sum, one) => sum + one[key], 0) / reports.length
  return {
    ours: rounded(mean('meanMs') / mean('oracleMs')),
    oldLoad: rounded(mean('oldLoadMs') / mean('oracleMs')),
    duplicates: rounded(mean('duplicateShare')),
    hedges: rounded(mean('hedges') / (WORLD.jobs + WORLD.firstJobs)),
    oracleMs: rounded(mean('oracleMs')),
    roundTripMs: rounded(mean('meanRoundTripMs')),
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32 - WORLDS))
  print(`WAYSIDE_SEED=${seed}: ${WORLDS} worlds of ${WORLD.agents} agents a run, ${WORLD.jobs} jobs counted in each`)
  const figures: ReturnType<typeof figuresOf>[] = []
  for (const one of RUNS) {
    const found = figuresOf(await worldsOf(seed, one))
    figures.push(found)
    const { ours, oldLoad, duplicates, hedges, oracleMs, roundTripMs } = found
    print(`${one.jobMs} ms jobs at load ${one.load}, mean round trip ${roundTripMs} ms, oracle ${oracleMs} ms`)
    print(`  ours ${ours} x the oracle, ${duplicates} of the work in vain, ${hedges} hedges a job`)
    print(`  best by a load told a second ago ${oldLoad} x`)
  }
  const [long, , short] = figures as [(typeof figures)[0], (typeof figures)[0], (typeof figures)[0]]
  return {
    mean_vs_oracle_1s: long.ours,
    mean_vs_oracle_200ms: short.ours,
    duplicate_share_1s: long.duplicates,
    duplicate_share_200ms: short.duplicates,
    old_load_vs_oracle_1s: long.oldLoad,
    old_load_vs_oracle_200ms: short.oldLoad,
  }
}
