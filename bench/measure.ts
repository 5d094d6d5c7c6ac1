/** Figures of repeated runs: medians and spread; ours and rivals are measured in turn, in one run. */

export const median = (values: readonly number[]): number => percentile(values, 50)

/** Nearest rank. */
export const percentile = (values: readonly number[], p: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = Math.ceil((p / 100) * sorted.length) - 1
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN
}

/** To three significant digits: more is noise. */
export const rounded = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(3)) : x)

export interface Subject<T> {
  name: string
  run(): Promise<T>
}

/** Runs every subject once a round, in turn, so that a machine whose speed drifts is the same to all. */
export const interleave = async <T>(
  subjects: readonly Subject<T>[],
  rounds: number,
  warmups: number,
): Promise<Map<string, T[]>> => {
  const results = new Map<string, T[]>(subjects.map(({ name }) => [name, []]))
  for (let round = -warmups; round < rounds; round++) {
    for (const subject of subjects) {
      const result = await subject.run()
      if (round >= 0) results.get(subject.name)?.push(result)
    }
  }
  return results
}

/** Calls per second of `call` with `inFlight` under way, over `durationMs`. */
export const throughput = async (
  call: () => Promise<unknown>,
  inFlight: number,
  durationMs: number,
): Promise<number> => {
  const startMs = performance.now()
  const endMs = startMs + durationMs
  let done = 0
  const lane = async () => {
    while (performance.now() < endMs) {
      await call()
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return (done * 1000) / (performance.now() - startMs)
}

/** Throws for a rival that was slower than it can be: the machine did something else, and comparing would flatter us. */
export const ensurePlausible = (rival: string, figure: number, min: number, unit: string): void => {
  if (figure >= min) return
  throw new Error(
    `${rival} came to ${rounded(figure)} ${unit}, not the ${rounded(min)} it should: this run does not count`,
  )
}

/** Milliseconds of each of `count` calls, one after another. */
export const latencies = async (call: () => Promise<unknown>, count: number): Promise<number[]> => {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const startMs = performance.now()
    await call()
    times.push(performance.now() - startMs)
  }
  return times
}

/** One line of a table: name, median, and the range over the rounds. */
export const row = (name: string, unit: string, values: readonly number[]): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${name.padEnd(34)} ${String(rounded(median(values))).padStart(10)} ${unit.padEnd(8)} (${rounded(low)} to ${rounded(high)})`
}
