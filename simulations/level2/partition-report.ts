/** What a cut does to jobs: those that are asked for before it, while it lasts, and once it has healed. */
import type { RttMatrix } from '../rtt-matrix.ts'
import type { Cut } from './partition.ts'
import { type LargeRoutingReport, meanOf, p99Of, type RoutingWatch, runLargeRouting } from './routing.ts'
import { msOf } from './wheel.ts'

export interface PartitionOptions {
  /** 32 bits. */
  seed: number
  peers: number
  invokers: number
  /** Of all places, those that are cut off. */
  share: number
  rtts?: RttMatrix | undefined
  /** Is shown what happens, and changes nothing. */
  watch?: RoutingWatch
}

export interface PartitionReport {
  /** Of jobs that were asked for before the cut, while it lasted, and at least `SETTLED_MS` after it, ms. */
  beforeMs: number
  cutMs: number
  cutP99Ms: number
  healedMs: number
  /** Of all. */
  report: LargeRoutingReport
}

const FROM_MS = 30_000
/** As long as a link may be silent: less than `LINK_MS_MAX`. */
export const CUT_MS = 30_000
const SETTLED_MS = 5000
/** Of 1 s at load 0.6: they come for some 95 s. */
const JOBS_PER_PEER = 80

export const runPartition = (options: PartitionOptions): PartitionReport => {
  const { share, watch, peers } = options
  const cut: Cut = { share, fromMs: FROM_MS, forMs: CUT_MS }
  let beganMs = 0
  const [before, during, healed]: [number[], number[], number[]] = [[], [], []]
  const sorted = (askedMs: number) => {
    if (askedMs < FROM_MS) return before
    if (askedMs < FROM_MS + CUT_MS) return during
    return askedMs >= FROM_MS + CUT_MS + SETTLED_MS ? healed : undefined
  }
  const report = runLargeRouting({
    ...{ ...options, cut, jobMs: 1000, load: 0.6, workload: 'poisson', jobs: JOBS_PER_PEER * peers, firstJobs: 0 },
    ...{ churn: false },
    watch: {
      second(routing) {
        if (beganMs === 0) beganMs = msOf(routing.world.wheel.now)
        watch?.second(routing)
      },
      answered(job, routing) {
        const askedMs = msOf(routing.world.wheel.now - job.ticks) - beganMs
        sorted(askedMs)?.push(msOf(job.ticks))
        watch?.answered(job, routing)
      },
    },
  })
  const means = { beforeMs: meanOf(before), cutMs: meanOf(during), cutP99Ms: p99Of(during), healedMs: meanOf(healed) }
  return { ...means, report }
}
