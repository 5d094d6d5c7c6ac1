import { describe, expect, test } from 'vitest'
import { HOLD_MS_MAX } from '../protocol/limits.ts'
import type { CandidateView } from './selection.ts'
import { copiesOf, holdMs, keepWorthwhile, runMs } from './tying.ts'

const view = (rows: { rtt?: number; pending?: number; service?: number }[]): CandidateView => ({
  count: rows.length,
  eligible: () => true,
  roundTripMs: (i) => rows[i]?.rtt ?? 50,
  slots: () => 1,
  pending: (i) => rows[i]?.pending ?? 0,
  serviceMs: (i) => rows[i]?.service ?? 1000,
})

test.each([
  ['never seen', 0, 1],
  ['trivial', 0.05, 1],
  ['short', 49, 1],
  ['under half a second', 200, 2],
  ['long', 500, 3],
])('copies of an item that is %s', (_name, serviceMs, copies) => {
  expect(copiesOf(serviceMs)).toBe(copies)
})

test.each([
  ['trivial, and waited for a minute', 60_000, 5, 0.005],
  ['short by its fuel, and waited', 300, 40_000, 40],
  ['as long as its fuel bears out', 200, 4_000_000, 200],
  ['never seen', 0, 0, 0],
])('an item that is %s runs for so many ms', (_name, serviceMs, fuel, ms) => {
  expect(runMs(serviceMs, fuel)).toBe(ms)
})

test.each([
  ['far', { rtt: 50 }, 2],
  ['near and idle', { rtt: 1 }, 1],
  ['not yet measured', { rtt: 0 }, 1],
  ['near and busy', { rtt: 1, pending: 1 }, 2],
])('a copy besides the best, which is %s', (_name, best, copies) => {
  const chosen = [0, 1]
  keepWorthwhile(view([best, {}]), chosen)
  expect(chosen).toHaveLength(copies)
})

describe('a copy is held', () => {
  test('until those before it could be known to have started', () => {
    const rows = view([{ rtt: 40 }, { rtt: 60 }, { rtt: 80 }])
    expect([0, 1, 2].map((k) => holdMs(rows, [0, 1, 2], k))).toEqual([0, 50, 120])
  })

  test('for as much longer as it runs longer than the best', () => {
    const rows = view([{ service: 500 }, { service: 2000 }, { service: 400 }])
    expect([1, 2].map((k) => holdMs(rows, [0, 1, 2], k))).toEqual([60 + 1500, 120])
  })

  test('never longer than may be asked', () => {
    expect(holdMs(view([{ service: 1000 }, { service: 50_000 }]), [0, 1], 1)).toBe(HOLD_MS_MAX)
  })
})
