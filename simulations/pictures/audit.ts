/** What became of many tasks at `audit`, and of those who lied. */
import type { AuditReport } from '../audit-scenario.ts'
import { createDelays, createPlaces } from '../places.ts'
import { CALLS_LEGEND, callsTable, placesTable } from './map.ts'
import { goingOn, type Pictures, type Plot, secondsOf, type Table } from './pictures.ts'
import { type Traffic, trafficPlot } from './traffic.ts'

const EVERY_MS = 100
/** Results of which a running mean is. */
const RECENT = 100

/** Of each and those before it: `last` of them, or all. */
const runningMean = (figures: readonly number[], last = figures.length): number[] => {
  let sum = 0
  return figures.map((figure, i) => {
    sum += figure - (i >= last ? (figures[i - last] as number) : 0)
    return sum / Math.min(i + 1, last)
  })
}

const runningSum = (figures: readonly number[]): number[] => {
  let sum = 0
  return figures.map((figure) => {
    sum += figure
    return sum
  })
}

const resultsTable = ({ seen, beganMs }: AuditReport): Table => {
  const executions = seen.map((one) => one.executions)
  return {
    released_s: seen.map(({ atMs }) => (atMs - beganMs) / 1000),
    task: seen.map(({ id }) => id),
    executions,
    recent_executions: runningMean(executions, RECENT),
    mean_executions: runningMean(executions),
    is_wrong: seen.map(({ isWrong }) => Number(isWrong)),
    corrected_s: seen.map(({ correctedMs }) => ((correctedMs ?? Number.NaN) - beganMs) / 1000),
  }
}

/** A row for each second in which something changes: what has been released by then, and found. */
const trustTable = (report: AuditReport): Table => {
  const { seen, expelled, beganMs, endedMs } = report
  const changes = [
    { atMs: beganMs, wrong: 0, found: 0, colluders: 0, honest: 0 },
    ...seen.flatMap(({ atMs, isWrong }) => (isWrong ? [{ atMs, wrong: 1, found: 0, colluders: 0, honest: 0 }] : [])),
    ...seen.flatMap(({ correctedMs: atMs, isWrong }) =>
      atMs !== undefined && isWrong ? [{ atMs, wrong: 0, found: 1, colluders: 0, honest: 0 }] : [],
    ),
    ...expelled.map(({ atMs, colludes }) => ({
      ...{ atMs, wrong: 0, found: 0, colluders: Number(colludes), honest: Number(!colludes) },
    })),
    { atMs: endedMs, wrong: 0, found: 0, colluders: 0, honest: 0 },
  ].sort((a, b) => a.atMs - b.atMs)
  const wrong = runningSum(changes.map((one) => one.wrong))
  const found = runningSum(changes.map((one) => one.found))
  return {
    at_s: changes.map(({ atMs }) => (atMs - beganMs) / 1000),
    wrong_released: wrong,
    wrong_not_found: wrong.map((count, i) => count - (found[i] as number)),
    colluders_expelled: runningSum(changes.map((one) => one.colluders)),
    honest_expelled: runningSum(changes.map((one) => one.honest)),
  }
}

const loadTable = ({ runs, beganMs, endedMs }: AuditReport): Table => {
  const count = Math.ceil((endedMs - beganMs) / EVERY_MS)
  const running = (kind: (run: AuditReport['runs'][number]) => boolean) =>
    goingOn(
      runs.filter(kind).map(({ atMs, ms }) => ({ fromMs: atMs - ms, toMs: atMs })),
      ...([beganMs, EVERY_MS, count] as const),
    )
  return {
    at_s: secondsOf(EVERY_MS, count),
    running_executors: running(({ peer }) => peer > 0),
    running_home: running(({ peer }) => peer === 0),
  }
}

const AT = { column: 'at_s', label: 'time, s' }

const PLOTS: readonly Plot[] = [
  {
    title: 'Executions per result',
    about: `All that were made for it, those to verify it included: the mean of the last ${RECENT}, and of all so far.`,
    ...{ table: 'results', x: { column: 'released_s', label: 'released at, s' }, y: 'executions' },
    lines: [
      { column: 'recent_executions', label: `the last ${RECENT}` },
      { column: 'mean_executions', label: 'all so far', isReference: true },
    ],
    as: 'line',
  },
  {
    title: 'Wrong results',
    about: 'Results that were wrong when they were released, and those of them that no later check has found yet.',
    ...{ table: 'trust', x: AT, y: 'results' },
    lines: [
      { column: 'wrong_not_found', label: 'not found yet' },
      { column: 'wrong_released', label: 'released', isReference: true },
    ],
    as: 'steps',
  },
  {
    title: 'Expelled',
    about: 'Executors whom the home trusts no more.',
    ...{ table: 'trust', x: AT, y: 'peers' },
    lines: [
      { column: 'colluders_expelled', label: 'colluders' },
      { column: 'honest_expelled', label: 'honest' },
    ],
    as: 'steps',
  },
  {
    title: 'Load',
    about: 'Runs at a time: at the executors, and at the home, which runs again what it has to settle.',
    ...{ table: 'load', x: AT, y: 'runs' },
    lines: [
      { column: 'running_executors', label: 'executors' },
      { column: 'running_home', label: 'home' },
    ],
    as: 'steps',
  },
]

const MAP = {
  about:
    'Executions: from the home to who computes them. The model spreads machines evenly over the Earth, seas included.',
  ...{ peers: 'peers', calls: 'calls', legend: CALLS_LEGEND },
}

const mapTables = ({ runs, beganMs, peerIds }: AuditReport, seed: number): { peers: Table; calls: Table } => {
  const delayMs = createDelays(seed)
  const travelMs = peerIds.map((peerId) => delayMs(peerIds[0] as string, peerId))
  const executions = runs.filter(({ peer }) => peer > 0)
  const calls = executions.map(({ peer, atMs, ms }) => {
    const [away, endedAt] = [travelMs[peer] as number, atMs - beganMs]
    return { from: 0, to: peer, askedMs: endedAt - ms - away, answeredMs: endedAt + away, travelMs: away }
  })
  return {
    peers: placesTable(peerIds.map(createPlaces(seed)), (peer) => peer === 0),
    calls: callsTable(calls),
  }
}

/** The peers are at the places of `placesSeed`; undefined: nobody knows where they are. */
export const auditPictures = (report: AuditReport, heard: Traffic, placesSeed: number | undefined): Pictures => {
  const traffic = heard.table(report.beganMs, report.endedMs, EVERY_MS)
  const tables = { results: resultsTable(report), trust: trustTable(report), load: loadTable(report), traffic }
  const plots = [...PLOTS, trafficPlot(traffic)]
  if (placesSeed === undefined) return { tables, plots }
  return { tables: { ...tables, ...mapTables(report, placesSeed) }, plots, map: MAP }
}
