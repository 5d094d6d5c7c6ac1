import type { Ports } from '../../protocol/ports.ts'
import { runAuditScenario } from '../audit-scenario.ts'
import { auditPictures } from '../pictures/audit.ts'
import { Traffic } from '../pictures/traffic.ts'
import { createDelays } from '../places.ts'
import { matrixDelays } from '../rtt-matrix.ts'
import { type Scenario, violated } from '../scenarios.ts'

export const scenario: Scenario = {
  about:
    'level 1: 3,000 tasks at `audit`, a fifth of the executors, all over the Earth, collude and lie on all they can',
  peers: 11,
  takesMatrix: true,
  async run({ machine, seed, peers, rtts }) {
    const tasks = 3000
    const colluders = Math.floor((peers - 1) / 5)
    const traffic = new Traffic()
    const ports = (honest: Ports) => traffic.over(honest)
    const latencyMs = rtts ? matrixDelays(seed, rtts) : createDelays(seed)
    const report = await runAuditScenario({ machine, seed, peers, tasks, colluders, lieRate: 1, latencyMs, ports })
    const { results, executions, wrongAccepted, wrongAfterRecheck, colludersExpelled, honestExpelled } = report
    return {
      figures: {
        ...{ results, executions_per_result: executions / results, wrong_share: wrongAccepted / results },
        ...{ wrong_share_after_recheck: wrongAfterRecheck / results, colluders, colluders_expelled: colludersExpelled },
      },
      violations: [
        ...report.violations,
        ...violated({
          [`${results} of ${tasks} tasks had a result`]: results === tasks,
          [`${honestExpelled} honest peers were expelled`]: honestExpelled === 0,
          [`of ${colluders} colluders that always lie ${colludersExpelled} were expelled`]:
            colludersExpelled === colluders,
        }),
      ],
      pictures: auditPictures(report, traffic, rtts ? undefined : seed),
    }
  },
}
