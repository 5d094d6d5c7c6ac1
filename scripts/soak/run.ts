/** A soak: real agents under load for a time, what they hold sampled, and what grows. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../protocol/ports.ts'
import type { Sample } from './agent.ts'
import { SoakAgent } from './agents.ts'
import { type Allowance, type Growth, growthOf } from './growth.ts'
import { type Ends, Load } from './load.ts'

const AGENTS = 3
const CALLERS_PER_AGENT = 2
/** What is still under way so long after the load has ended, receipts, progress or links to guests, is left over. */
const SETTLE_MS_MAX = 60_000
const LOOK_EVERY_MS = 100

/** What may be added in the second half. Memory is given back late, and tables breathe with their guests. */
const ALLOWED: Record<keyof Sample, Allowance> = {
  rss_mb: { share: 0.1, least: 15 },
  pss_mb: { share: 0.1, least: 20 },
  heap_mb: { share: 0.1, least: 4 },
  // Timers among them: one or two for each thing under way at that moment, of which there are up to 66.
  handles: { share: 0.1, least: 40 },
  files: { share: 0.1, least: 6 },
  lag_ms: { share: 0.5, least: 100 },
  queued: { share: 0.5, least: 20 },
  in_flight: { share: 0.5, least: 20 },
  neighbours: { share: 0.1, least: 1 },
  blocks: { share: 0.1, least: 5 },
  // Its budget of 1 MiB holds 1,024 entries at most; below that it breathes with what is evicted.
  memo: { share: 0.1, least: 1024 },
}
export const METRICS = Object.keys(ALLOWED) as (keyof Sample)[]

export interface Row extends Growth {
  agent: number
  metric: keyof Sample
  first: number
  most: number
}

export interface Soaked {
  rows: Row[]
  ends: Ends
  samples: number
  /** After the load: nothing is under way any more. */
  after: Sample[]
}

const rowsOf = (series: readonly (readonly { atMs: number; sample: Sample }[])[]): Row[] =>
  series.flatMap((samples, agent) =>
    METRICS.map((metric) => {
      const points = samples.map(({ atMs, sample }) => ({ atMs, value: sample[metric] }))
      const values = points.map(({ value }) => value)
      const growth = growthOf(points, ALLOWED[metric])
      return { agent, metric, first: values[0] ?? 0, most: Math.max(...values), ...growth }
    }),
  )

const isSettled = ({ queued, in_flight, neighbours }: Sample) =>
  queued === 0 && in_flight === 0 && neighbours === AGENTS - 1

const settled = async (agents: readonly SoakAgent[]): Promise<Sample[]> => {
  const endMs = performance.now() + SETTLE_MS_MAX
  for (;;) {
    const samples = await Promise.all(agents.map((agent) => agent.sample()))
    if (samples.every(isSettled) || performance.now() > endMs) return samples
    await sleep(LOOK_EVERY_MS)
  }
}

export const soak = async (
  durationMs: number,
  everyMs: number,
  random: Random,
  onSample: (agent: number, atMs: number, sample: Sample) => void = () => {},
): Promise<Soaked> => {
  const agents: SoakAgent[] = []
  try {
    for (let i = 0; i < AGENTS; i++) agents.push(await SoakAgent.start(agents.slice(0, 1).map(({ ticket }) => ticket)))
    const startedMs = performance.now()
    const load = new Load(random, startedMs + durationMs)
    const series = agents.map(() => [] as { atMs: number; sample: Sample }[])
    const sampling = (async () => {
      while (performance.now() < startedMs + durationMs) {
        await sleep(everyMs)
        for (const [i, agent] of agents.entries()) {
          const sample = await agent.sample()
          const atMs = performance.now() - startedMs
          series[i]?.push({ atMs, sample })
          onSample(i, atMs, sample)
        }
      }
    })()
    const callers = agents.flatMap((agent) => Array.from({ length: CALLERS_PER_AGENT }, () => load.call(agent)))
    await Promise.all([sampling, load.churn(agents[0] as SoakAgent), ...callers])
    return { rows: rowsOf(series), ends: load.ends, samples: series[0]?.length ?? 0, after: await settled(agents) }
  } finally {
    await Promise.all(agents.map((agent) => agent.stop()))
  }
}
