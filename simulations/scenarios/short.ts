import { shortPictures } from '../pictures/short.ts'
import { Traffic } from '../pictures/traffic.ts'
import type { Scenario } from '../scenarios.ts'
import { violationsOf } from '../short/checks.ts'
import { planOf } from '../short/plan.ts'
import { runShortWorld } from '../short/run.ts'

export const scenario: Scenario = {
  about:
    'level 1: three peers or more, and a few calls, while all that can break does and some lie; drawn from the seed',
  peers: 5,
  planOf,
  async run({ machine, seed, peers, plan = planOf(seed, peers) }) {
    const traffic = new Traffic()
    const record = await runShortWorld({ machine, plan, heard: (frame, atMs) => traffic.hear(frame, atMs) })
    const { called, hash, runningMax } = record
    const told = called.flatMap((one) => one.told)
    const figures = {
      ...{ peers: plan.kinds.length, calls: called.length, faults: plan.faults.length },
      ...{ answers: told.filter(({ error }) => !error).length, errors: told.filter(({ error }) => error).length },
      ...{ running_max: runningMax, hash },
    }
    return { figures, violations: violationsOf(record), pictures: shortPictures(record, traffic) }
  },
}
