/** What this peer has seen of how long functions take: first-hand, in ms, forgetting slowly. */

/** Weight of the newest sample. */
const ALPHA = 0.2
const SAMPLES = 64
/** Functions remembered; the least recently called is forgotten. */
const FUNCTIONS_MAX = 1024

interface FunctionStats {
  /** Mean of run time at an executor, ms an item. */
  serviceMs: number
  /** Newest completion times (sent to answered), ms, as a ring. */
  completions: Float64Array
  count: number
  medianMs: number
}

export interface Experience {
  /** Expected ms to run one item of `function`; 0: never seen. */
  serviceMs(functionId: string): number
  /** Median of the newest completions, ms; 0: fewer than 5 seen. */
  usualMs(functionId: string): number
  record(functionId: string, serviceMs: number, completionMs: number): void
}

const median = (stats: FunctionStats): number => {
  const seen = Math.min(stats.count, SAMPLES)
  if (seen < 5) return 0
  const sorted = stats.completions.slice(0, seen).sort()
  return sorted[seen >> 1] as number
}

export const createExperience = (): Experience => {
  const functions = new Map<string, FunctionStats>()

  const statsOf = (functionId: string): FunctionStats => {
    let stats = functions.get(functionId)
    if (!stats) {
      stats = { serviceMs: 0, completions: new Float64Array(SAMPLES), count: 0, medianMs: 0 }
      functions.set(functionId, stats)
      if (functions.size > FUNCTIONS_MAX) functions.delete(functions.keys().next().value as string)
    }
    return stats
  }

  return {
    serviceMs: (functionId) => functions.get(functionId)?.serviceMs ?? 0,
    usualMs: (functionId) => functions.get(functionId)?.medianMs ?? 0,
    record: (functionId, serviceMs, completionMs) => {
      const stats = statsOf(functionId)
      stats.serviceMs = stats.count === 0 ? serviceMs : stats.serviceMs + ALPHA * (serviceMs - stats.serviceMs)
      stats.completions[stats.count % SAMPLES] = completionMs
      stats.count++
      if (stats.count < SAMPLES || stats.count % 16 === 0) stats.medianMs = median(stats)
    },
  }
}
