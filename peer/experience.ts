/** What this peer has seen of how long functions take: first-hand, in ms, forgetting slowly. */

/** Weight of the newest sample. */
const ALPHA = 0.2
const SAMPLES = 64
/** With fewer nothing is said of what is usual. */
const SAMPLES_MIN = 5
/** Functions remembered; the least recently called is forgotten. */
const FUNCTIONS_MAX = 1024

/** The newest of some figures, in a ring. */
class Newest {
  readonly #ring = new Float64Array(SAMPLES)
  readonly #percent: number
  #count = 0
  /** That percentile of them (nearest rank); 0: too few. */
  value = 0

  constructor(percent: number) {
    this.#percent = percent
  }

  add(figure: number): void {
    this.#ring[this.#count % SAMPLES] = figure
    this.#count++
    if (this.#count >= SAMPLES && this.#count % 16 !== 0) return
    const seen = Math.min(this.#count, SAMPLES)
    if (seen < SAMPLES_MIN) return
    const sorted = this.#ring.slice(0, seen).sort()
    this.value = sorted[Math.ceil((this.#percent / 100) * seen) - 1] as number
  }
}

interface FunctionStats {
  /** Mean of run time at an executor, ms an item. */
  serviceMs: number
  /** Mean of what it used. */
  fuel: number
  /** From sent to answered, ms. */
  completion: Newest
  /** The same in parts of what was predicted. */
  lateness: Newest
}

/** What became of one attempt; times in ms. */
export interface Experienced {
  serviceMs: number
  fuel: number
  completionMs: number
  /** 0: nothing was known then. */
  predictedMs: number
}

export interface Experience {
  /** Expected ms to run one item of `function`; 0: never seen. */
  serviceMs(functionId: string): number
  /** What one item of it is expected to use; 0: never seen. */
  fuel(functionId: string): number
  /** Median of the newest completions, ms; 0: fewer than 5 seen. */
  usualMs(functionId: string): number
  /**
   * 95th percentile of the newest completions, each divided by what had been predicted for its executor; 0: fewer than
   * 5 seen. An executor that is always slow does not raise it, once that is known.
   */
  lateness(functionId: string): number
  record(functionId: string, experienced: Experienced): void
}

/** How slow one executor is may be taken from so few runs. */
const SLOWNESS_ALPHA = 0.1

/** How its run times compare with the mean over all executors, after one more run of `serviceMs` where `usualMs` is usual. */
export const slownessAfter = (slowness: number, serviceMs: number, usualMs: number): number =>
  usualMs > 0 ? slowness + SLOWNESS_ALPHA * (Math.min(50, Math.max(0.05, serviceMs / usualMs)) - slowness) : slowness

/** Of an attempt that did not say when it started. Times in ms. */
export interface UnsaidStart {
  completionMs: number
  roundTripMs: number
  slots: number
  /** Items there when it was sent, itself included. */
  load: number
}

/** By Little's law: with `load` items there on average, each took the share of `slots` in the completion time. In ms. */
export const servedMs = ({ completionMs, roundTripMs, slots, load }: UnsaidStart): number =>
  (completionMs - roundTripMs) * Math.min(1, slots / load)

export const createExperience = (): Experience => {
  const functions = new Map<string, FunctionStats>()

  const statsOf = (functionId: string): FunctionStats => {
    let stats = functions.get(functionId)
    if (!stats) {
      stats = { serviceMs: 0, fuel: 0, completion: new Newest(50), lateness: new Newest(95) }
      functions.set(functionId, stats)
      if (functions.size > FUNCTIONS_MAX) functions.delete(functions.keys().next().value as string)
    }
    return stats
  }

  return {
    serviceMs: (functionId) => functions.get(functionId)?.serviceMs ?? 0,
    fuel: (functionId) => functions.get(functionId)?.fuel ?? 0,
    usualMs: (functionId) => functions.get(functionId)?.completion.value ?? 0,
    lateness: (functionId) => functions.get(functionId)?.lateness.value ?? 0,
    record: (functionId, { serviceMs, fuel, completionMs, predictedMs }) => {
      const stats = statsOf(functionId)
      const isFirst = stats.serviceMs === 0
      stats.serviceMs = isFirst ? serviceMs : stats.serviceMs + ALPHA * (serviceMs - stats.serviceMs)
      stats.fuel = isFirst ? fuel : stats.fuel + ALPHA * (fuel - stats.fuel)
      stats.completion.add(completionMs)
      if (predictedMs > 0) stats.lateness.add(completionMs / predictedMs)
    },
  }
}
