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
  p95Ms: number
}

export interface Experience {
  /** Expected ms to run one item of `function`; 0: never seen. */
  serviceMs(functionId: string): number
  /** 95th percentile of completion, ms; 0: fewer than 5 seen. */
  p95Ms(functionId: string): number
  record(functionId: string, serviceMs: number, completionMs: number): void
}

const percentile95 = (stats: FunctionStats): number => {
  const seen = Math.min(stats.count, SAMPLES)
  if (seen < 5) return 0
  const sorted = stats.completions.slice(0, seen).sort()
  return sorted[Math.min(seen - 1, Math.floor(seen * 0.95))] as number
}

export const createExperience = (): Experience => {
  const functions = new Map<string, FunctionStats>()

  const statsOf = (functionId: string): FunctionStats => {
    let stats = functions.get(functionId)
    if (!stats) {
      stats = { serviceMs: 0, completions: new Float64Array(SAMPLES), count: 0, p95Ms: 0 }
      functions.set(functionId, stats)
      if (functions.size > FUNCTIONS_MAX) functions.delete(functions.keys().next().value as string)
    }
    return stats
  }

  return {
    serviceMs: (functionId) => functions.get(functionId)?.serviceMs ?? 0,
    p95Ms: (functionId) => functions.get(functionId)?.p95Ms ?? 0,
    record: (functionId, serviceMs, completionMs) => {
      const stats = statsOf(functionId)
      stats.serviceMs = stats.count === 0 ? serviceMs : stats.serviceMs + ALPHA * (serviceMs - stats.serviceMs)
      stats.completions[stats.count % SAMPLES] = completionMs
      stats.count++
      if (stats.count < SAMPLES || stats.count % 16 === 0) stats.p95Ms = percentile95(stats)
    },
  }
}
