/**
 * What the levels cost and let through, by trials (`simulations/verification.ts`): 200 peers, distinct tasks, honest machines
 * that err in 0.2 % of their runs, and a fifth (at quorums 30 %) in collusion. All executions count, those of the home
 * too. Rival: BOINC's adaptive replication, on as many tasks a host.
 */
import { randomInt } from 'node:crypto'
import { HONEST_ERROR_RATE } from '../peer/trust.ts'
import type { PublicMesh } from '../simulations/answering.ts'
import { deriveSeed } from '../simulations/random.ts'
import { runTrial, type Tally, type Trial } from '../simulations/verification.ts'
import { replicateAdaptively } from './adaptive-replication.ts'

const PEERS = 200
const COLLUDERS = PEERS / 5
const QUORUM_COLLUDERS = (PEERS * 3) / 10
const RESULTS_A_PEER = 10_000
const LIE_RATES = [1, 0.1, 0.01]
const SESSION_TASKS = 10
/** A visitor with a key of its own that comes on each day of a month. */
const SESSIONS = 30

/** Who answers for the colluders: whoever let in everybody, or one who let in them alone. */
const ANSWERING = ['founder', 'member'] as const

type Changes = Partial<Trial> & { resultsAPeer?: number }

class Trials {
  readonly #seed: number
  readonly #print: (line: string) => void
  count = 0

  constructor(seed: number, print: (line: string) => void) {
    this.#seed = seed
    this.#print = print
  }

  run(name: string, { resultsAPeer = RESULTS_A_PEER, ...changes }: Changes): Tally {
    const seed = deriveSeed(this.#seed, name)
    const setting = { seed, peers: PEERS, tasks: PEERS * resultsAPeer, level: 'audit', errorRate: HONEST_ERROR_RATE }
    const tally = runTrial({ ...(setting as Trial), ...changes })
    this.count += tally.results
    this.#print(lineOf(name, tally))
    return tally
  }
}

const executionsOf = ({ executions, results }: Tally): number => executions / results
const wrongOf = ({ wrongByIntent, results }: Tally): number => wrongByIntent / results
const wrongPerIdentity = ({ wrongByIntent, badIdentities }: Tally): number => wrongByIntent / Math.max(1, badIdentities)

const lineOf = (name: string, tally: Tally): string => {
  const { rechecks, results, wrongByError, badIdentities, badExpelled, honestExpelled, corrected } = tally
  const cost = `${executionsOf(tally).toFixed(4)} executions a result (${(rechecks / results).toFixed(4)} of them re-checks)`
  const wrong = `wrong by intent ${wrongOf(tally).toExponential(2)}, by error ${(wrongByError / results).toExponential(2)}`
  const bad = `${wrongPerIdentity(tally).toFixed(2)} by each of ${badIdentities} identities, ${corrected} corrected, ${badExpelled} expelled`
  return `${name.padEnd(44)} ${cost}, ${wrong}${badIdentities > 0 ? `; ${bad}` : ''}; ${honestExpelled} honest expelled`
}

/** What honest peers cost: by how long their keys last. */
const costs = (trials: Trials) => {
  const long = trials.run('audit, honest', {})
  const sessions = [1, 3, 10, SESSIONS, 100].map((count) => {
    const name = `audit, keys of ${count} sessions of ${SESSION_TASKS} tasks`
    return { count, cost: executionsOf(trials.run(name, { lifeReceipts: count * SESSION_TASKS, resultsAPeer: 2000 })) }
  })
  const costAt = (count: number) => sessions.find((one) => one.count === count)?.cost ?? Number.NaN
  return {
    audit_executions: executionsOf(long),
    audit_wrong_by_error: long.wrongByError / long.results,
    audit_executions_10_tasks: costAt(SESSIONS),
    audit_executions_10_tasks_once: costAt(1),
  }
}

/** A fifth in collusion: the worst of the rates at which they lie. */
const audits = (trials: Trials) => {
  const worst = (resultsAPeer: number, knowsVerifications = false) =>
    Math.max(
      ...LIE_RATES.map((lieRate) => {
        const name = `audit, ${resultsAPeer} a peer, a fifth lies on ${lieRate * 100} %${knowsVerifications ? ', knowing' : ''}`
        return wrongOf(trials.run(name, { colluders: COLLUDERS, lieRate, resultsAPeer, knowsVerifications }))
      }),
    )
  return {
    audit_wrong_20: worst(RESULTS_A_PEER),
    audit_wrong_20_knowing: worst(RESULTS_A_PEER, true),
    audit_wrong_20_1000: worst(1000),
    audit_wrong_20_100: worst(100),
  }
}

/** Three tenths in collusion: by the rates at which they lie. */
const quorumTallies = (trials: Trials, quorum: number, knowsVerifications = false): Tally[] =>
  LIE_RATES.map((lieRate) => {
    const name = `quorum:${quorum}, 30 % lie on ${lieRate * 100} %${knowsVerifications ? ', knowing' : ''}`
    const changes = { level: { quorum }, colluders: QUORUM_COLLUDERS, lieRate, resultsAPeer: 2500, knowsVerifications }
    return trials.run(name, changes)
  })

/** The worst of these rates. */
const quorums = (trials: Trials) => {
  const worst = [2, 3, 4, 5].flatMap((quorum) => {
    const tallies = quorumTallies(trials, quorum)
    const key = quorum === 2 ? 'quorum' : `quorum_${quorum}`
    return [
      [`${key}_executions_30`, Math.max(...tallies.map(executionsOf))],
      [`${key}_wrong_per_bad_identity_30`, Math.max(...tallies.map(wrongPerIdentity))],
    ] as const
  })
  const knowing = quorumTallies(trials, 2, true)
  const self = trials.run('self, 30 % lie', {
    level: 'self',
    colluders: QUORUM_COLLUDERS,
    lieRate: 1,
    resultsAPeer: 1000,
  })
  return {
    ...Object.fromEntries(worst),
    quorum_wrong_per_bad_identity_30_knowing: Math.max(...knowing.map(wrongPerIdentity)),
    self_wrong: self.wrongByIntent + self.wrongByError,
  }
}

/** Whoever is expelled is there again as somebody new: the worst of the rates at which they lie. */
const reentry = (trials: Trials) => {
  const worstOf = (resultsAPeer: number, ways: readonly Trial['letInBy'][]) => {
    const tallies = ways.flatMap((letInBy) =>
      LIE_RATES.map((lieRate) => {
        const name = `audit, ${resultsAPeer} a peer, a fifth re-enters, lies on ${lieRate * 100} %, let in by ${letInBy ?? '-'}`
        return trials.run(name, { colluders: COLLUDERS, lieRate, resultsAPeer, reenters: true, letInBy })
      }),
    )
    return { wrong: Math.max(...tallies.map(wrongOf)), cost: Math.max(...tallies.map(executionsOf)) }
  }
  const lengths = [100, 300, 1000, 3000]
  const earlier = lengths.map((length) => [`reentry_wrong_20_${length}`, worstOf(length, ANSWERING).wrong] as const)
  const { wrong, cost } = worstOf(RESULTS_A_PEER, ANSWERING)
  return {
    ...Object.fromEntries(earlier),
    reentry_wrong_20: wrong,
    reentry_executions_20: cost,
    reentry_wrong_20_unanswered: worstOf(RESULTS_A_PEER, [undefined]).wrong,
  }
}

/** What becomes of a public mesh, of which honest newcomers stay for a tenth of the time: without and with operators who vouch. */
const OPEN = { machines: 20, lifeReceipts: 1000 }
/** One honest newcomer in ten finds nobody who vouches for it. */
const VOUCHED = 0.9
/** Colluders for whom nobody vouches; an operator of their own, a ring of such, one that vouches for anybody who pays. */
const WAYS = ['strangers', 'operator', 'ring', 'bought'] as const

const openMesh = (trials: Trials) => {
  const worstOf = (resultsAPeer: number, vouched: number, ways: readonly PublicMesh['colluders'][]) => {
    const tallies = ways.flatMap((colluding) =>
      LIE_RATES.map((lieRate) => {
        const name = `public, ${resultsAPeer} a peer, ${vouched * 100} % vouched for, ${colluding} lie on ${lieRate * 100} %`
        const open = { ...OPEN, vouched, colluders: colluding }
        return trials.run(name, { colluders: COLLUDERS, lieRate, resultsAPeer, reenters: true, open })
      }),
    )
    const worst = (of: (tally: Tally) => number) => Math.max(...tallies.map(of))
    return {
      wrong: worst(wrongOf),
      guests: worst(({ guestExecutions, guestResults }) => guestExecutions / guestResults),
      alone: worst(({ aloneExecutions, aloneResults }) => aloneExecutions / aloneResults),
    }
  }
  const figures = [100, 300, 1000, 3000, RESULTS_A_PEER].flatMap((length) => {
    const before = worstOf(length, 0, ['strangers'])
    const after = worstOf(length, VOUCHED, ['strangers'])
    const attacked = worstOf(length, VOUCHED, WAYS)
    return [
      [`open_wrong_20_unvouched_${length}`, before.wrong],
      [`open_wrong_20_${length}`, after.wrong],
      [`open_wrong_20_attacked_${length}`, attacked.wrong],
      [`open_executions_unvouched_${length}`, before.alone],
      [`open_executions_guests_${length}`, after.guests],
      [`open_executions_guests_attacked_${length}`, attacked.guests],
      [`open_executions_alone_${length}`, after.alone],
    ] as const
  })
  return Object.fromEntries(figures)
}

const rival = (seed: number, print: (line: string) => void) => {
  const costAt = (tasksAHost: number, colluders: number) => {
    const tasks = PEERS * tasksAHost
    const { executions, wrong } = replicateAdaptively({ seed, hosts: PEERS, tasks, colluders, lieRate: 1 })
    print(
      `adaptive replication, ${tasksAHost} a host, ${colluders} collude: ${executions / tasks} executions, ${wrong / tasks} wrong`,
    )
    return { cost: executions / tasks, wrong: wrong / tasks }
  }
  return {
    adaptive_executions: costAt(1000, 0).cost,
    adaptive_executions_10_tasks: costAt(SESSION_TASKS, 0).cost,
    adaptive_wrong_20: costAt(1000, COLLUDERS).wrong,
  }
}

const precise = (x: number): number => Number(x.toPrecision(5))

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32))
  print(`WAYSIDE_SEED=${seed}: ${PEERS} peers`)
  const trials = new Trials(seed, print)
  const figures = {
    ...costs(trials),
    ...audits(trials),
    ...quorums(trials),
    ...reentry(trials),
    ...openMesh(trials),
    ...rival(seed, print),
  }
  const rounded = Object.entries(figures).map(([key, figure]) => [key, precise(figure)] as const)
  return { ...Object.fromEntries(rounded), trials: trials.count }
}
