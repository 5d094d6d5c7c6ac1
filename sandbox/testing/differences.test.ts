import { expect, test } from 'vitest'
import { differencesBetween } from './differences.ts'
import type { ProgramRecord, RunRecord } from './program.ts'

const run = (changes: Partial<RunRecord> = {}): RunRecord => ({
  ...{ way: 'cold', order: [], kind: 'outcome', outcome: 'o', memory: 'm', fuel: 5, said: '1' },
  ...changes,
})
const record = (...runs: RunRecord[]): ProgramRecord[] => [{ name: 'p', runs }]

const whats = (reference: ProgramRecord[], records: ProgramRecord[]) =>
  differencesBetween(reference, records).map(({ name, way, order, what }) => [name, way, order.join(), what.join()])

test('what is equal in every way and order has no difference', () => {
  const runs = [run(), run({ way: 'reset' }), run({ way: 'reset', order: [1], outcome: 'other' })]
  expect(whats(record(...runs), record(...runs))).toEqual([])
})

test.each<[string, Partial<RunRecord>]>([
  ['outcome', { outcome: 'x' }],
  ['fuel', { fuel: 6 }],
  ['memory', { memory: 'x' }],
  ['trace', { trace: '[]' }],
  ['outcome,fuel,memory', { outcome: 'x', fuel: 6, memory: 'x' }],
])('a difference in %s is found, on another host and among the ways of one', (what, changes) => {
  expect(whats(record(run()), record(run(changes)))).toEqual([['p', 'cold', '', what]])
  const both = record(run(), run({ way: 'restored', ...changes }))
  expect(whats(both, both)).toEqual([['p', 'restored', '', what]])
})

test('a run without an outcome is a difference, also where all have none', () => {
  const none = record(run({ kind: 'inconclusive', outcome: '' }))
  expect(whats(none, none)).toEqual([['p', 'cold', '', 'outcome']])
})

test('an order that only one of them has is a difference, and so is a program', () => {
  const [one, two] = [record(run()), record(run(), run({ order: [1] }))]
  expect(whats(one, two)).toEqual([['p', 'cold', '1', 'outcome,memory']])
  expect(whats(two, one)).toEqual([['p', 'cold', '1', 'outcome']])
  expect(whats(one, [])).toEqual([['p', 'cold', '', 'outcome']])
})
