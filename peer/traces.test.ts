import { describe, expect, test } from 'vitest'
import { FUEL_TICK } from '../protocol/limits.ts'
import type { Trace } from '../protocol/records.ts'
import { isSameTrace, isSpaced, partingOf, quotaFuel, TRACED_TIMES } from './traces.ts'

/** By tick, what the hash is filled with. */
const traceOf = (...points: [tick: number, byte: number][]): Trace =>
  points.map(([tick, byte]) => ({ tick, hash: new Uint8Array(32).fill(byte) }))

describe('two traces part', () => {
  const trace = traceOf([0, 1], [4, 2], [8, 3])

  test.each<[string, Trace, number | undefined, number | undefined]>([
    ['nowhere, being the same', trace, 8, undefined],
    ['nowhere that both have', traceOf([1, 1], [5, 2]), undefined, undefined],
    ['nowhere before the end of one', traceOf([0, 1], [4, 2]), 4, undefined],
    ['at the first tick', traceOf([0, 9], [4, 2], [8, 3]), undefined, 0],
    ['at the first of those that differ', traceOf([0, 1], [4, 9], [8, 9]), 0, 4],
    ['at the last', traceOf([0, 1], [4, 2], [8, 9]), 4, 8],
    ['where both have hashes, at half the distance', traceOf([0, 1], [2, 7], [4, 9], [6, 7]), 0, 4],
    ['at a later tick than they share otherwise', traceOf([8, 9]), undefined, 8],
  ])('%s', (_, other, sameTick, differsTick) => {
    expect(partingOf(trace, other)).toEqual({ sameTick, differsTick })
    expect(partingOf(other, trace)).toEqual({ sameTick, differsTick })
    expect(isSameTrace(trace, other)).toBe(other === trace)
  })
})

test('a trace has its ticks as far apart as was asked, or further', () => {
  expect(
    [[], [3], [0, 4], [0, 4, 12]].map((ticks) => isSpaced(traceOf(...ticks.map((t) => [t, 0] as [number, number])), 4)),
  ).toEqual(Array(4).fill(true))
  expect(isSpaced(traceOf([0, 0], [3, 0]), 4)).toBe(false)
  expect(isSpaced(traceOf([4, 0], [0, 0]), 4)).toBe(false)
})

test('a traced run counts as ten of it, by whole ticks; another by its fuel', () => {
  expect(quotaFuel(25_000, false)).toBe(25_000)
  expect(quotaFuel(25_000, true)).toBe(TRACED_TIMES * 3 * FUEL_TICK)
  expect(quotaFuel(0, true)).toBe(TRACED_TIMES * FUEL_TICK)
})
