import { expect, test } from 'vitest'
import { seedFor } from '../scripts/test/seed.ts'
import { matrixDelays, parseRttMatrix } from './rtt-matrix.ts'

test('a matrix is read whatever stands between its numbers', () => {
  const { size, roundTripMs } = parseRttMatrix('0\t10\t20\n12 0.5 30\n\n20, 30,0\n')
  expect([size, ...roundTripMs]).toEqual([3, 0, 10, 20, 12, 0.5, 30, 20, 30, 0])
})

test.each([
  ['', '0 lines are no matrix'],
  ['0 1\n1', 'line 2 has 1 numbers, and there are 2 lines'],
  ['0 x\n1 0', 'line 1: "x" is no round trip'],
  ['0 -1\n1 0', 'line 1: "-1" is no round trip'],
])('%j is refused, and it is said why', (text, why) => {
  expect(() => parseRttMatrix(text)).toThrow(why)
})

test('delays are half of a round trip, the same both ways, and peers sit apart while there is room', () => {
  const delayMs = matrixDelays(seedFor('delays'), parseRttMatrix('0 10 20\n14 0 40\n20 40 0'))
  const three = [delayMs('a', 'b'), delayMs('a', 'c'), delayMs('b', 'c')]
  expect(three.toSorted((a, b) => a - b)).toEqual([6, 10, 20])
  expect([delayMs('b', 'a'), delayMs('c', 'a'), delayMs('c', 'b')]).toEqual(three)
  expect(delayMs('a', 'a')).toBe(0)
  // A fourth shares the place of one of them.
  expect([0, 6, 10, 20]).toContain(delayMs('a', 'd'))
})
