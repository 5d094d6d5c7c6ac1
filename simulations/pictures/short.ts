/** What happened in a short world: its calls, what befell it, and what was said. */
import type { Called, Record as ShortRecord } from '../short/record.ts'
import { goingOn, type Pictures, type Plot, secondsOf, type Table } from './pictures.ts'
import { type Traffic, trafficPlot } from './traffic.ts'

const EVERY_MS = 100
/** Of the picture, after the last answer and the last fault. */
const AFTER_MS = 1000

const TRAFFIC =
  'Bytes of the frames that arrive at all peers together, by their kind: those that weigh most; the table has all.'

type Fault = ShortRecord['plan']['faults'][number]

const endOf = (fault: Fault): number => fault.atMs + ('forMs' in fault ? fault.forMs : 0)

const callsTable = (called: readonly Called[], beganMs: number): Table => {
  const tasks = called
    .flatMap((call) => call.told.map((told) => ({ call, told })))
    .sort((a, b) => a.told.atMs - b.told.atMs)
  return {
    call: tasks.map(({ call }) => call.asked.number),
    by: tasks.map(({ call }) => call.asked.by),
    task: tasks.map(({ told }) => told.index),
    told_s: tasks.map(({ told }) => (told.atMs - beganMs) / 1000),
    answered_ms: tasks.map(({ call, told }) => (told.result ? told.atMs - call.beganMs : Number.NaN)),
    failed_ms: tasks.map(({ call, told }) => (told.error ? told.atMs - call.beganMs : Number.NaN)),
  }
}

const faultsTable = (faults: readonly Fault[]): Table => ({
  at_s: faults.map(({ atMs }) => atMs / 1000),
  until_s: faults.map((fault) => endOf(fault) / 1000),
  peer: faults.map(({ peer }) => peer),
})

const plotsWith = (spans: Plot['spans'] & object): readonly Plot[] => [
  {
    title: 'Each task',
    about: 'When its caller was told, and how long after the call: an answer, or why there is none.',
    ...{ table: 'calls', x: { column: 'told_s', label: 'told at, s' }, y: 'took, ms' },
    lines: [
      { column: 'answered_ms', label: 'answered' },
      { column: 'failed_ms', label: 'failed' },
    ],
    as: 'points',
  },
  {
    title: 'Load',
    about: 'Calls under way, and faults; behind them what broke, and the number of the peer.',
    ...{ table: 'load', x: { column: 'at_s', label: 'time, s' }, y: 'at a time' },
    lines: [
      { column: 'calls', label: 'calls' },
      { column: 'faults', label: 'faults', isReference: true },
    ],
    ...{ as: 'steps', spans },
  },
]

/** There is no map: all peers are equally far from each other. */
export const shortPictures = (record: ShortRecord, heard: Traffic): Pictures => {
  const { called, beganMs } = record
  const { faults } = record.plan
  const told = called.flatMap((call) => call.told.map(({ atMs }) => atMs - beganMs))
  const endMs = Math.max(...told, ...faults.map(endOf), 0) + AFTER_MS
  const count = Math.ceil(endMs / EVERY_MS)
  const calls = called.map((call) => ({
    fromMs: call.beganMs - beganMs,
    toMs: (call.endedMs ?? beganMs + endMs) - beganMs,
  }))
  const struck = faults.map((fault) => ({ fromMs: fault.atMs, toMs: endOf(fault) }))
  const under = (spans: typeof calls) => goingOn(spans, 0, EVERY_MS, count)
  const load = { at_s: secondsOf(EVERY_MS, count), calls: under(calls), faults: under(struck) }
  const traffic = heard.table(beganMs, beganMs + endMs, EVERY_MS)
  const spans = faults.map((fault) => ({
    ...{ from: fault.atMs / 1000, to: Math.max(endOf(fault), fault.atMs + EVERY_MS) / 1000 },
    label: `${fault.kind} ${fault.peer}`,
  }))
  return {
    tables: {
      calls: callsTable(called, beganMs),
      load,
      traffic,
      ...(faults.length > 0 && { faults: faultsTable(faults) }),
    },
    plots: [...plotsWith(spans), { ...trafficPlot(traffic), about: TRAFFIC }],
  }
}
