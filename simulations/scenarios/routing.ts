import type { Ports } from '../../protocol/ports.ts'
import { routingPictures } from '../pictures/routing.ts'
import { Traffic } from '../pictures/traffic.ts'
import { runRoutingScenario } from '../routing-scenario.ts'
import { type Scenario, violated } from '../scenarios.ts'

export const scenario: Scenario = {
  about: 'level 1: jobs of 1 s arrive by chance at load 0.6, at machines far apart; beside one who sees everything',
  peers: 24,
  takesMatrix: true,
  async run({ machine, seed, peers, rtts }) {
    const invokers = Math.max(1, Math.floor(peers / 4))
    const jobs = { jobMs: 1000, load: 0.6, jobs: 300, firstJobs: 200 }
    const traffic = new Traffic()
    const ports = (honest: Ports) => traffic.over(honest)
    const world = { machine, seed, agents: peers, invokers, ...jobs, ports, ...(rtts && { rtts }) }
    const report = await runRoutingScenario(world)
    const { meanMs, oracleMs, oldLoadMs, duplicateShare, executions, hedges, meanRoundTripMs, wrong } = report
    return {
      figures: {
        ...{ mean_ms: meanMs, mean_vs_oracle: meanMs / oracleMs, old_load_vs_oracle: oldLoadMs / oracleMs },
        ...{ duplicate_share: duplicateShare, executions_per_job: executions, hedges, round_trip_ms: meanRoundTripMs },
      },
      violations: [
        ...report.violations,
        ...violated({
          [`${wrong} of ${jobs.firstJobs + jobs.jobs} answers are not what the function gives`]: wrong === 0,
          [`an attempt at everything was made ${executions} times a job`]: executions < 2,
          [`a mean of ${meanMs} ms is less than the ${oracleMs} of who sees everything`]: meanMs > 0.95 * oracleMs,
        }),
      ],
      pictures: routingPictures(world, report, traffic),
    }
  },
}
