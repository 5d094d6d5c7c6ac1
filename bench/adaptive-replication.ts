/**
 * BOINC's adaptive replication, by which volunteer projects save executions: a host is trusted after 10 results in a row
 * that another host's agreed with, except with probability 1 / (results in a row). Source: BOINC, sched/sched_send.cpp,
 * `set_trust`, and CONS_VALID_UNREPLICATED in sched/sched_config.h; those not trusted in a quorum of 2.
 */

import { shareOf } from '../simulations/audit-scenario.ts'
import { modelResult } from '../simulations/cost-model.ts'
import { seededRandom } from '../simulations/random.ts'

const TRUSTED_AFTER = 10

export interface Replication {
  seed: number
  hosts: number
  tasks: number
  /** The first so many of the hosts tell the same lies, about this share of the tasks, each while it is trusted. */
  colluders: number
  lieRate: number
}

/** What became of the tasks that a scenario gives its executors, under this rule. */
export const replicateAdaptively = ({ seed, hosts, tasks, colluders, lieRate }: Replication) => {
  const random = seededRandom(seed)
  const validInARow = new Uint32Array(hosts)
  let executions = 0
  let wrong = 0

  const lies = (host: number, task: number) =>
    host < colluders && (validInARow[host] ?? 0) >= TRUSTED_AFTER && shareOf(modelResult(task)) < lieRate
  const isTrusted = (host: number) => {
    const count = validInARow[host] ?? 0
    return count >= TRUSTED_AFTER && random.below(count) > 0
  }

  for (let task = 0; task < tasks; task++) {
    const first = random.below(hosts)
    const trusted = isTrusted(first)
    const votes = new Map<number, boolean>([[first, lies(first, task)]])
    const countOf = (lie: boolean) => [...votes.values()].filter((vote) => vote === lie).length
    while (!trusted && countOf(true) < 2 && countOf(false) < 2) {
      const next = random.below(hosts)
      if (!votes.has(next)) votes.set(next, lies(next, task))
    }
    executions += votes.size
    const accepted = trusted ? votes.get(first) : countOf(true) >= 2
    if (accepted) wrong++
    if (trusted) continue
    for (const [host, vote] of votes) validInARow[host] = vote === accepted ? (validInARow[host] ?? 0) + 1 : 0
  }
  return { executions, wrong }
}
