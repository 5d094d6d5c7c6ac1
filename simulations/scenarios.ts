/** The scenarios of `npm run sim`, by name: what each sets up, and what it finds wrong. */
import type { JobTrace } from './job-trace.ts'
import type { Pictures } from './pictures/pictures.ts'
import type { RttMatrix } from './rtt-matrix.ts'
import type { Plan } from './short/plan.ts'
import type { Machine } from './world.ts'

export interface Setting {
  machine: Machine
  /** 32 bits: the same setting finds the same. */
  seed: number
  peers: number
  /** For a scenario that takes one; delays are those of a model without it. */
  rtts?: RttMatrix
  /** For a scenario that takes one: its jobs, in place of those that it draws. */
  trace?: JobTrace
  /** For a scenario that has `planOf`: what happens, in place of what it draws. */
  plan?: Plan
}

export interface Finding {
  /** Units come last in their names; shares are parts of one. */
  figures: Record<string, number>
  /** What must not be, in words; none: it held. */
  violations: string[]
  /** For its report. */
  pictures?: Pictures
}

export interface Scenario {
  about: string
  /** Unless others are asked for; kept worlds of that size take a few seconds. */
  peers: number
  /** More than 3 s: `npm test` leaves it out. */
  takesLong?: true
  takesTrace?: true
  takesMatrix?: true
  /** What it draws, if that may be given in its place. */
  planOf?(seed: number, peers: number): Plan
  run(setting: Setting): Promise<Finding>
}

export const SCENARIOS: Readonly<Record<string, () => Promise<{ scenario: Scenario }>>> = {
  routing: () => import('./scenarios/routing.ts'),
  audit: () => import('./scenarios/audit.ts'),
  loss: () => import('./scenarios/loss.ts'),
  short: () => import('./scenarios/short.ts'),
  're-entry': () => import('./scenarios/re-entry.ts'),
  'large-routing': () => import('./scenarios/large-routing.ts'),
  'large-bursts': () => import('./scenarios/large-bursts.ts'),
  'large-heavy-tails': () => import('./scenarios/large-heavy-tails.ts'),
  'large-maps': () => import('./scenarios/large-maps.ts'),
  'large-day': () => import('./scenarios/large-day.ts'),
  'large-inflators': () => import('./scenarios/large-inflators.ts'),
  'large-partition': () => import('./scenarios/large-partition.ts'),
  'large-loss': () => import('./scenarios/large-loss.ts'),
  'large-eclipse': () => import('./scenarios/large-eclipse.ts'),
  'large-discovery': () => import('./scenarios/large-discovery.ts'),
}

/** The lines of those conditions that do not hold. */
export const violated = (conditions: Readonly<Record<string, boolean>>): string[] =>
  Object.entries(conditions).flatMap(([violation, holds]) => (holds ? [] : [violation]))
