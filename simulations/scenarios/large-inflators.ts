import { type LargeRouting, type LargeRoutingReport, runLargeRouting } from '../level2/routing.ts'
import { LargeRoutingWatch } from '../pictures/large-routing.ts'
import { type Scenario, violated } from '../scenarios.ts'

/** Of those that do not ask. */
const SHARE = 0.1
const JOBS = 2000

/** The same jobs, once where all say what is so. */
const tried = (options: Omit<LargeRouting, 'watch'>) => {
  const pictures = new LargeRoutingWatch()
  let byInflators = 0
  const report = runLargeRouting({
    ...options,
    watch: {
      second: (routing) => pictures.second(routing),
      answered: (job, routing) => {
        byInflators += routing.world.inflates?.[job.executor] ?? 0
        pictures.answered(job, routing)
      },
    },
  })
  return { report, pictures, byInflators }
}

const figuresOf = (before: string, { meanMs, p99Ms, duplicateShare, executionsPerJob }: LargeRoutingReport) => ({
  [`${before}mean_ms`]: meanMs,
  [`${before}p99_ms`]: p99Ms,
  [`${before}duplicate_share`]: duplicateShare,
  [`${before}executions_per_job`]: executionsPerJob,
})

export const scenario: Scenario = {
  about: `level 2: jobs of 1 s arrive by chance at load 0.6, and ${SHARE} of those that lend and do not ask say that they are idle, always, and have twice their slots; beside a world in which all say what is so`,
  peers: 160,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const invokers = Math.max(1, Math.floor(peers / 4))
    const jobs = Math.max(JOBS, 4 * peers)
    const work = { jobMs: 1000, load: 0.6, workload: 'poisson' as const, jobs, firstJobs: jobs, churn: false }
    const options = { ...work, seed, peers, invokers, rtts }
    const [honest, lied] = [tried(options), tried({ ...options, inflators: SHARE })]
    const { report, byInflators, pictures } = lied
    return {
      figures: {
        ...figuresOf('', report),
        ...figuresOf('honest_', honest.report),
        ...{ mean_vs_honest: report.meanMs / honest.report.meanMs, answered_by_inflators: byInflators / jobs },
        hash: report.hash,
      },
      violations: violated({
        [`${report.unanswered + honest.report.unanswered} jobs have no answer`]:
          report.unanswered + honest.report.unanswered === 0,
        [`${report.meanMs} ms in the mean, ${honest.report.meanMs} where nobody says more than there is`]:
          report.meanMs < 2 * honest.report.meanMs,
      }),
      pictures: pictures.pictures(report),
    }
  },
}
