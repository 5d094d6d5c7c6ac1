/** How jobs come: each a source of gaps, sizes and how many are asked for at once. */
import { exp, ln } from '../exact-math.ts'
import type { JobTrace } from '../job-trace.ts'
import { type Chance, exponential, uniform } from './chance.ts'
import { HOUR_MS } from './population.ts'

export interface Jobs {
  /** Until the next ones arrive. */
  gapMs: number
  /** At speed 1, of each. */
  workMs: number
  /** Asked for at once, by one invoker. */
  count: number
  /** That one, numbered by the workload; undefined: any. */
  invoker?: number | undefined
}

/** Fills `jobs`, which is used again; false: there are no more. */
export type Workload = (jobs: Jobs) => boolean

export const WORKLOADS = ['poisson', 'bursty', 'heavy', 'map'] as const
export type WorkloadName = (typeof WORKLOADS)[number]

/** Eight times the mean for 2 s, in one of 20 s: the rest of the time little. */
const BURST = 8
const BURST_MS = 2000
const CALM_MS = 18_000
/** Pareto's exponent: the variance is not finite, but for the bound. */
const TAIL = 1.5
const TAIL_MAX = 100
const MAP_ITEMS = 64

/** Bounded Pareto of mean 1: from its inverse; the scale is fitted to the mean. */
const heavyTailed = () => {
  const bound = exp(-TAIL * ln(TAIL_MAX))
  const mean = (TAIL / (TAIL - 1)) * ((1 - exp((1 - TAIL) * ln(TAIL_MAX))) / (1 - bound))
  return (random: Chance) => exp(-ln(1 - uniform(random) * (1 - bound)) / TAIL) / mean
}

/** `perMs`: jobs that arrive in a ms, on average, each of `workMs` on average. */
export const workloadOf = (name: WorkloadName, perMs: number, workMs: number, random: Chance): Workload => {
  const meanGapMs = 1 / perMs
  const size = heavyTailed()
  let leftMs = 0
  let isBurst = false
  const calm = (BURST_MS + CALM_MS - BURST * BURST_MS) / CALM_MS
  const modulated = (): number => {
    let gapMs = 0
    for (;;) {
      const next = exponential(random, meanGapMs / (isBurst ? BURST : calm))
      if (next <= leftMs) {
        leftMs -= next
        return gapMs + next
      }
      gapMs += leftMs
      isBurst = !isBurst
      leftMs = isBurst ? BURST_MS : CALM_MS
    }
  }
  return (jobs) => {
    jobs.count = name === 'map' ? MAP_ITEMS : 1
    jobs.gapMs = name === 'bursty' ? modulated() : exponential(random, meanGapMs * jobs.count)
    jobs.workMs = name === 'heavy' ? workMs * size(random) : workMs
    return true
  }
}

export interface Day {
  /** How long jobs come for, in each hour: what happens in between costs nothing. */
  windowMs: number
  /** By night an invoker asks for so many times as many as by day. */
  byNight: number
  invokers: number
  isDayAt(invoker: number, sinceMs: number): boolean
}

/** Those jobs, hour by hour, and by the hour of who asks: of an invoker whose night it is some are left out. */
export const throughDay = (
  drawn: Workload,
  { windowMs, byNight, invokers, isDayAt }: Day,
  random: Chance,
): Workload => {
  let [windowsMs, lastMs] = [0, 0]
  return (jobs) => {
    for (;;) {
      if (!drawn(jobs)) return false
      windowsMs += jobs.gapMs
      const atMs = Math.floor(windowsMs / windowMs) * HOUR_MS + (windowsMs % windowMs)
      const invoker = random.below(invokers)
      if (!isDayAt(invoker, atMs) && uniform(random) > byNight) continue
      jobs.invoker = invoker
      jobs.gapMs = atMs - lastMs
      lastMs = atMs
      return true
    }
  }
}

/** Jobs that are not drawn: those of `jobs`, which arrive within `spanMs` and are `workMs` of work at speed 1, all together. */
export interface TracedWorkload {
  name: 'trace'
  jobs: Workload
  spanMs: number
  workMs: number
}

/** The jobs of `trace`, when they came. */
export const tracedWorkload = (trace: JobTrace): TracedWorkload => {
  let next = 0
  let lastMs = 0
  const jobs: Workload = (into) => {
    const job = trace[next++]
    if (!job) return false
    into.gapMs = job.atMs - lastMs
    lastMs = job.atMs
    into.workMs = job.workMs
    into.count = 1
    into.invoker = job.invoker
    return true
  }
  return {
    name: 'trace',
    jobs,
    spanMs: trace.at(-1)?.atMs ?? 0,
    workMs: trace.reduce((sum, { workMs }) => sum + workMs, 0),
  }
}
