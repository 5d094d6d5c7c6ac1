/** How many executors get an item at once, and how long each copy waits for those before it. Pure. */
import { HOLD_MS_MAX } from '../protocol/limits.ts'
import { type CandidateView, isIdle } from './selection.ts'

/** Of shorter ones a copy costs more than the wait that it may save. */
export const TIED_FROM_MS = 50
/** Shorter ones often end before the copies could be taken back: fewer are made. */
const LONG_MS = 500
/** Besides the round trip: frames wait for company, processors for other work. */
const SLACK_MS = 10
/** From so near, what is told of load is hardly older than the wait for a first word. */
const NEAR_MS = 5

/**
 * A twentieth of what a plain loop makes on a laptop (20,000; sorting and text half of it). JSON of much data makes 300:
 * what spends itself in such long steps of the engine is taken for shorter than it is.
 */
const FUEL_PER_MS_MIN = 1000

/**
 * Ms that an item runs, of which it is known how long it mostly took and what it used. Fuel is the same however long the
 * queue was: what took long and used little has waited.
 */
export const runMs = (serviceMs: number, fuel: number): number => Math.min(serviceMs, fuel / FUEL_PER_MS_MIN)

/** Copies of an item that runs for `ms`; 1 also where nothing is known of it. */
export const copiesOf = (ms: number): number => {
  if (ms < TIED_FROM_MS) return 1
  return ms < LONG_MS ? 2 : 3
}

/**
 * Keeps of `chosen`, best first, those that are worth a copy: none besides a near one with a free slot, nor besides one
 * whose round trip is not known (0), since nobody could tell for how long to hold it.
 */
export const keepWorthwhile = (view: CandidateView, chosen: number[]): void => {
  const best = chosen[0]
  if (best !== undefined && view.roundTripMs(best) <= NEAR_MS && isIdle(view, best)) chosen.length = 1
}

/**
 * Ms for which copy `k` of `chosen` is held, from when it comes. So long those before it could take to be known as
 * started, if they start at once: then it is cancelled in time (Dean and Barroso 2013, "The Tail at Scale": the second
 * request waits for twice the mean delay). And so much longer as it would run longer than the best: whoever starts
 * first then also ends first.
 */
export const holdMs = (view: CandidateView, chosen: readonly number[], k: number): number => {
  if (k === 0) return 0
  let ms = Math.max(0, view.serviceMs(chosen[k] as number) - view.serviceMs(chosen[0] as number))
  for (let before = 0; before < k; before++) ms += view.roundTripMs(chosen[before] as number) + SLACK_MS
  return Math.min(HOLD_MS_MAX, Math.ceil(ms))
}
