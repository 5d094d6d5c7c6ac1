/** What the scenarios of jobs at level 2 share: jobs that come somehow at load 0.6, and an oracle beside the peers. */
import { type LargeRouting, runLargeRouting } from '../level2/routing.ts'
import { tracedWorkload, type WorkloadName } from '../level2/workloads.ts'
import { LargeRoutingWatch } from '../pictures/large-routing.ts'
import { type Finding, type Scenario, type Setting, violated } from '../scenarios.ts'

/** So that each invoker has had as many whatever the size: before it has learnt it hedges thrice as often. */
const JOBS_PER_PEER = 4
const JOBS_MIN = 4000
/** Peers × jobs for whom somebody is asked who sees everything: half a second. */
const ORACLE_MAX = 10_000_000
/** Counted jobs of which somebody is asked who sees everything and has neighbours alone: a second, and half a GB. */
const NEIGHBOURS_ORACLE_MAX = 1_000_000

interface World {
  /** How jobs come, of 1 s on average, unless there is a trace. */
  drawn: WorkloadName
  /** One peer of so many asks. */
  oneAsksOf: number
  /** Do peers come and go? The oracle always has all of them. */
  churn: boolean
}

export const findJobs = ({ seed, peers, rtts, trace }: Setting, { drawn, oneAsksOf, churn }: World): Finding => {
  const workload: LargeRouting['workload'] = trace ? tracedWorkload(trace) : drawn
  const jobs = trace?.length ?? Math.max(JOBS_MIN, JOBS_PER_PEER * peers)
  const work = { jobMs: 1000, load: 0.6, workload, jobs, firstJobs: trace ? 0 : jobs }
  const invokers = Math.max(1, Math.floor(peers / oneAsksOf))
  const watch = new LargeRoutingWatch()
  const oracle = peers * jobs <= ORACLE_MAX ? 'all' : jobs <= NEIGHBOURS_ORACLE_MAX ? 'neighbours' : undefined
  const asked = { ...work, seed, peers, invokers, rtts, churn, watch }
  const report = runLargeRouting(oracle ? { ...asked, oracle } : asked)
  const { meanMs, p99Ms, duplicateShare, unanswered, executionsPerJob, hash } = report
  return {
    figures: {
      ...(oracle === 'all' && { mean_vs_oracle: meanMs / report.oracleMeanMs }),
      ...(oracle && { mean_vs_neighbours_oracle: meanMs / report.neighboursOracleMeanMs }),
      ...{ mean_ms: meanMs, p99_ms: p99Ms, duplicate_share: duplicateShare, executions_per_job: executionsPerJob },
      ...(typeof workload === 'object' &&
        workload.spanMs > 0 && { load: workload.workMs / (workload.spanMs * report.capacity) }),
      ...{ hedges: report.hedges, lost: report.lost, bytes_per_job: report.bytesPerJob, events: report.events, hash },
    },
    violations: violated({
      [`${unanswered} of ${jobs} jobs have no answer`]: unanswered === 0,
      [`${duplicateShare} of the work is done in vain`]: trace !== undefined || duplicateShare < 0.25,
    }),
    pictures: watch.pictures(report),
  }
}

/** One of the worlds of `bench/sim-routing.ts`; `come`: how jobs come. */
export const workloadScenario = (drawn: WorkloadName, come: string): Scenario => ({
  about: `level 2: ${come} at load 0.6, at servers, desktops, phones, routers and tabs that stay`,
  peers: 160,
  takesMatrix: true,
  run: async (setting) => findJobs(setting, { drawn, oneAsksOf: 4, churn: false }),
})
