/** How jobs went that real peers gave each other, beside what a seer would have done. */
import { createPlaces } from '../places.ts'
import { type RoutingReport, type RoutingScenario, speedOf } from '../routing-scenario.ts'
import { CALLS_LEGEND, callsTable, placesTable } from './map.ts'
import { binned, goingOn, type Pictures, type Plot, quantilesOf, secondsOf, type Table } from './pictures.ts'
import { type Traffic, trafficPlot } from './traffic.ts'

const EVERY_MS = 1000

const jobsTable = ({ firstJobs }: RoutingScenario, { jobs }: RoutingReport): Table => ({
  is_counted: jobs.map((_, i) => (i < firstJobs ? 0 : 1)),
  asked_s: jobs.map(({ atMs }) => atMs / 1000),
  invoker: jobs.map(({ invoker }) => invoker),
  executor: jobs.map(({ executor }) => executor),
  peers_ms: jobs.map(({ tookMs }) => tookMs),
  oracle_ms: jobs.map(({ oracleMs }) => oracleMs),
  old_load_ms: jobs.map(({ oldLoadMs }) => oldLoadMs),
  executions: jobs.map(({ executions }) => executions),
})

/** From the first job to the last answer. */
const loadTable = ({ agents, jobMs }: RoutingScenario, { runs, jobs, beganMs }: RoutingReport): Table => {
  const endMs = runs.reduce((last, { endedMs }) => Math.max(last, endedMs - beganMs), 0)
  const count = Math.ceil(endMs / EVERY_MS)
  const speed = Array.from({ length: agents }, (_, i) => speedOf(i)).reduce((sum, one) => sum + one, 0)
  const spans = runs.map(({ endedMs, ms }) => ({ fromMs: endedMs - beganMs - ms, toMs: endedMs - beganMs }))
  const arrivals = jobs.map(({ atMs }) => ({ atMs, amount: jobMs / speed / EVERY_MS }))
  const needed = jobs.map(({ atMs, tookMs, executor }) => ({ atMs: atMs + tookMs, amount: jobMs / speedOf(executor) }))
  const spent = runs.map(({ endedMs, ms }) => ({ atMs: endedMs - beganMs, amount: ms }))
  return {
    at_s: secondsOf(EVERY_MS, count),
    arrived_share: binned(arrivals, 0, EVERY_MS, count),
    running_share: goingOn(spans, 0, EVERY_MS, count).map((running) => running / agents),
    spent_ms: binned(spent, 0, EVERY_MS, count),
    needed_ms: binned(needed, 0, EVERY_MS, count),
  }
}

const WAYS = [
  { column: 'peers_ms', label: 'peers' },
  { column: 'oracle_ms', label: 'who sees everything', isReference: true },
  { column: 'old_load_ms', label: 'best by loads a second old' },
]

const PLOTS: readonly Plot[] = [
  {
    title: 'Completion against the oracle',
    about:
      'From call to answer: the share of the counted jobs that took no longer. The oracle knows every queue at every instant.',
    ...{ table: 'completion', x: { column: 'share', label: 'share of jobs' }, y: 'took at most, ms' },
    ...{ lines: WAYS, as: 'line', isLogarithmic: true },
  },
  {
    title: 'Each job',
    about: 'When it was asked for, and how long it took; the oracle had the same arrivals.',
    ...{ table: 'jobs', x: { column: 'asked_s', label: 'asked for at, s' }, y: 'took, ms' },
    ...{ lines: WAYS.slice(0, 2), as: 'points' },
  },
  {
    title: 'Load',
    about: 'Work that arrived, in parts of what all machines can do, and the share of machines that compute.',
    ...{ table: 'load', x: { column: 'at_s', label: 'time, s' }, y: 'share' },
    lines: [
      { column: 'running_share', label: 'machines that compute' },
      { column: 'arrived_share', label: 'work that arrived', isReference: true },
    ],
    as: 'steps',
  },
  {
    title: 'Re-executions',
    about:
      'How often each job was executed until its caller had an answer; hedges and copies that were taken back in time are not.',
    ...{ table: 'jobs', x: { column: 'asked_s', label: 'asked for at, s' }, y: 'executions of a job' },
    ...{ lines: [{ column: 'executions', label: 'executions' }], as: 'points' },
  },
  {
    title: 'Work done in vain',
    about: 'Time of machines, second by second: all of it, and that of the runs whose answers came first.',
    ...{ table: 'load', x: { column: 'at_s', label: 'time, s' }, y: 'time of machines, ms' },
    lines: [
      { column: 'spent_ms', label: 'computed' },
      { column: 'needed_ms', label: 'needed', isReference: true },
    ],
    as: 'steps',
  },
]

const MAP = {
  about: 'Calls on their way, and their answers. The model spreads machines evenly over the Earth, seas included.',
  ...{ peers: 'peers', calls: 'calls', legend: CALLS_LEGEND },
}

export const routingPictures = (scenario: RoutingScenario, report: RoutingReport, heard: Traffic): Pictures => {
  const { beganMs } = report
  const lastMs = report.jobs.reduce((last, { atMs, tookMs }) => Math.max(last, atMs + tookMs), 0)
  const traffic = heard.table(beganMs, beganMs + lastMs)
  const jobs = jobsTable(scenario, report)
  const counted = WAYS.map(({ column }) => [column, jobs[column]?.slice(scenario.firstJobs) ?? []])
  const completion = quantilesOf(Object.fromEntries(counted))
  const tables = { jobs, completion, load: loadTable(scenario, report), traffic }
  const plots = [...PLOTS, trafficPlot(traffic)]
  if (scenario.rtts) return { tables, plots }
  const peers = placesTable(report.peerIds.map(createPlaces(scenario.seed)), (peer) => peer < scenario.invokers)
  const calls = callsTable(
    report.jobs.map(({ invoker, executor, atMs, tookMs, travelMs }) => ({
      ...{ from: invoker, to: executor, askedMs: atMs, answeredMs: atMs + tookMs, travelMs },
    })),
  )
  return { tables: { ...tables, peers, calls }, plots, map: MAP }
}
