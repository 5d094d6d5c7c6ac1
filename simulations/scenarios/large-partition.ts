import { CUT_MS, runPartition } from '../level2/partition-report.ts'
import { LargeRoutingWatch } from '../pictures/large-routing.ts'
import { type Scenario, violated } from '../scenarios.ts'

const SHARE = 0.3

export const scenario: Scenario = {
  about: `level 2: jobs of 1 s arrive by chance at load 0.6, and ${SHARE} of all places are cut off from the others for ${CUT_MS / 1000} s`,
  peers: 320,
  takesMatrix: true,
  async run({ seed, peers, rtts }) {
    const watch = new LargeRoutingWatch()
    const invokers = Math.max(1, Math.floor(peers / 4))
    const { beforeMs, cutMs, cutP99Ms, healedMs, report } = runPartition({
      seed,
      peers,
      invokers,
      share: SHARE,
      rtts,
      watch,
    })
    const { unanswered, duplicateShare, lost, executionsPerJob, hash } = report
    return {
      figures: {
        ...{ before_ms: beforeMs, cut_ms: cutMs, cut_p99_ms: cutP99Ms, healed_ms: healedMs, lost },
        ...{ duplicate_share: duplicateShare, executions_per_job: executionsPerJob, hash },
      },
      violations: violated({
        [`${unanswered} jobs have no answer`]: unanswered === 0,
        'no attempt was lost': lost > 0,
        [`${healedMs} ms after it healed, ${beforeMs} before the cut`]: healedMs < 1.5 * beforeMs,
      }),
      pictures: watch.pictures(report),
    }
  },
}
