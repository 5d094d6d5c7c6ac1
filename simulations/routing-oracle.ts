/** The same arrivals, placed by somebody who sees more, or less, than peers do: what choosing is measured by. Pure. */

export interface Arrival {
  id: number
  atMs: number
  /** Who asks, by index. */
  invoker: number
  /** At speed 1. */
  ms: number
}

/** Machines with one slot each. */
export interface Machines {
  speeds: readonly number[]
  /** One way. */
  delayMs(from: number, to: number): number
}

/** When `job` is answered by machine `to`, and when that is free again, if it has been free from `freeMs`. */
const answered = (machines: Machines, job: Arrival, to: number, freeMs: number) => {
  const delayMs = machines.delayMs(job.invoker, to)
  const doneMs = Math.max(job.atMs + delayMs, freeMs) + job.ms / (machines.speeds[to] as number)
  return { doneMs, answeredMs: doneMs + delayMs }
}

/**
 * Ms from arrival to answer, of each job in turn, if one scheduler knows at each arrival every machine's speed, every
 * delay, and to the ms when each machine will be done with all it has, jobs that still travel included; and
 * gives the job for good to the machine that answers it first, its own invoker's excepted. It knows nothing of jobs to come.
 * `staleMs`: it sees the machines as they were so long ago, and knows nothing of what was given to them since. `knownBy`: those
 * that jobs of an invoker may be given to; all of them, unless given.
 */
export const replay = (
  machines: Machines,
  arrivals: readonly Arrival[],
  staleMs = 0,
  knownBy: (invoker: number) => Iterable<number> = () => machines.speeds.keys(),
): number[] => {
  const free = machines.speeds.map(() => 0)
  /** What is known when, by machine: the newest that is old enough counts. */
  const known = machines.speeds.map(() => [{ atMs: 0, freeMs: 0 }])
  const seenFree = (machine: number, nowMs: number): number => {
    const news = known[machine] as { atMs: number; freeMs: number }[]
    while (news.length > 1 && (news[1] as { atMs: number }).atMs + staleMs <= nowMs) news.shift()
    return (news[0] as { freeMs: number }).freeMs
  }
  return arrivals.map((job) => {
    let best = -1
    let bestMs = Number.POSITIVE_INFINITY
    for (const to of knownBy(job.invoker)) {
      const { answeredMs } = answered(machines, job, to, seenFree(to, job.atMs))
      if (to === job.invoker || answeredMs >= bestMs) continue
      best = to
      bestMs = answeredMs
    }
    const { doneMs, answeredMs } = answered(machines, job, best, free[best] as number)
    free[best] = doneMs
    known[best]?.push({ atMs: job.atMs, freeMs: doneMs })
    return answeredMs - job.atMs
  })
}
