/** Which process of a pool takes a run. */
import type { PoolProcess } from './pool-process.ts'
import type { PooledRun } from './pool-run.ts'

/** A run that has lately taken less may be sent ahead, behind others. */
const SHORT_MS = 5
/** So much predicted work is sent ahead: a process is busy while the next frame travels, and little waits behind a surprise. */
export const AHEAD_MS = 20

/**
 * One at rest that knows the function, where few wait, or any at rest, or one with little to do, or one that comes up with nothing to
 * do; undefined: none has room. `again`: it was given to some before, and what they still say of that could not be told from
 * what they say of new steps.
 */
export const processFor = (
  run: PooledRun,
  predictedMs: number,
  again: boolean,
  processes: readonly PoolProcess[],
  nowMs: number,
): PoolProcess | undefined => {
  let knowing: PoolProcess | undefined
  let atRest: PoolProcess | undefined
  let ahead: PoolProcess | undefined
  let starting: PoolProcess | undefined
  for (const process of processes) {
    if (process.ending !== undefined || !process.fits(run.job.engine) || (again && process.holds(run))) continue
    if (process.busy) {
      const room = predictedMs <= SHORT_MS && process.backlogMs + predictedMs <= AHEAD_MS && !process.isStalled(nowMs)
      if (room && process.backlogMs < (ahead?.backlogMs ?? AHEAD_MS)) ahead = process
    } else if (process.knows(run.job.functionId)) {
      if (process.parked.size < (knowing?.parked.size ?? Number.POSITIVE_INFINITY)) knowing = process
    } else if (process.starting) starting ??= process
    else atRest ??= process
  }
  return knowing ?? atRest ?? ahead ?? starting
}
