/**
 * What `audit` costs and what passes it: 200,000 distinct tasks at real peers in a simulated world, honest, and with a
 * fifth of them in collusion that lies on all, a tenth or a twentieth of its answers. Rival: BOINC's adaptive replication, on
 * the same tasks with the same colluders.
 */
import { randomInt } from 'node:crypto'
import type { AuditReport } from '../simulations/audit-scenario.ts'
import { replicateAdaptively } from './adaptive-replication.ts'
import { start } from './processes.ts'

const TASKS = 200_000
const PEERS = 30
const COLLUDERS = PEERS / 5

const RUNS = [
  { name: 'honest', colluders: 0, lieRate: 0 },
  { name: 'lies on 100 %', colluders: COLLUDERS, lieRate: 1 },
  { name: 'lies on 10 %', colluders: COLLUDERS, lieRate: 0.1 },
  { name: 'lies on 5 %', colluders: COLLUDERS, lieRate: 0.05 },
]
type Run = (typeof RUNS)[number]

interface Figures {
  executions: number
  wrong: number
  wrongAfterRecheck: number
  expelled: number
}

const audited = async (seed: number, { colluders, lieRate }: Run): Promise<Figures> => {
  const scenario = { seed, peers: PEERS, tasks: TASKS, colluders, lieRate }
  const { ready } = await start<AuditReport>('./audit-world.ts', [JSON.stringify(scenario)])
  if (ready.results !== TASKS) throw new Error(`${ready.results} of ${TASKS} tasks had a result`)
  const { executions, wrongAccepted: wrong, wrongAfterRecheck, colludersExpelled: expelled } = ready
  return { executions, wrong, wrongAfterRecheck, expelled }
}

/** It checks nothing again, and expels nobody. */
const replicated = (seed: number, { colluders, lieRate }: Run): Figures => {
  const { executions, wrong } = replicateAdaptively({ seed, hosts: PEERS - 1, tasks: TASKS, colluders, lieRate })
  return { executions, wrong, wrongAfterRecheck: wrong, expelled: 0 }
}

const compare = async (seed: number, run: Run) => ({
  run,
  audit: await audited(seed, run),
  adaptive: replicated(seed, run),
})
type Comparison = Awaited<ReturnType<typeof compare>>

/** To five significant digits: the cost is all in what comes after 1. */
const precise = (x: number): number => Number(x.toPrecision(5))

const pooled = (all: readonly Figures[]): Figures => {
  const mean = (key: keyof Figures) => precise(all.reduce((sum, one) => sum + one[key], 0) / (all.length * TASKS))
  return {
    executions: mean('executions'),
    wrong: mean('wrong'),
    wrongAfterRecheck: mean('wrongAfterRecheck'),
    expelled: all.reduce((sum, { expelled }) => sum + expelled, 0),
  }
}

const lineOf = (name: string, { colluders }: Run, figures: Figures): string => {
  const { executions, wrong, wrongAfterRecheck, expelled } = pooled([figures])
  const cost = `${name.padEnd(22)} ${executions.toFixed(4)} executions a result`
  if (colluders === 0) return cost
  return `${cost}, ${wrong} wrong when released, ${wrongAfterRecheck} after re-checks, ${expelled} of ${colluders} expelled`
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32 - RUNS.length))
  print(`WAYSIDE_SEED=${seed}: ${TASKS} tasks a run, ${PEERS} peers, one of them the home`)
  const compared: Comparison[] = []
  // Two at once, each a process with a world and a clock of its own: what else the machine does changes no figure.
  for (let i = 0; i < RUNS.length; i += 2) {
    compared.push(...(await Promise.all(RUNS.slice(i, i + 2).map((one, at) => compare(seed + i + at, one)))))
  }
  for (const { run, audit, adaptive } of compared) {
    print(run.name)
    print(lineOf('  audit', run, audit))
    print(lineOf('  adaptive replication', run, adaptive))
  }
  const [honest, ...lying] = compared as [Comparison, ...Comparison[]]
  const ours = pooled(lying.map(({ audit }) => audit))
  const theirs = pooled(lying.map(({ adaptive }) => adaptive))
  return {
    tasks: TASKS,
    executions_per_result_honest: pooled([honest.audit]).executions,
    executions_per_result_20: ours.executions,
    wrong_accepted_20: ours.wrong,
    wrong_after_recheck_20: ours.wrongAfterRecheck,
    liars: lying.length * COLLUDERS,
    liars_expelled: ours.expelled,
    adaptive_executions_per_result_honest: pooled([honest.adaptive]).executions,
    adaptive_executions_per_result_20: theirs.executions,
    adaptive_wrong_accepted_20: theirs.wrong,
  }
}
