import { expect, test } from 'vitest'
import { isLost, PROGRESS_EVERY_MS, SILENCE_MS_MAX, shouldHedge } from './hedging.ts'

const view = { silentMs: 0, ageMs: 0, usualMs: 100, pure: true, hedges: 0 }

test('three missed progress frames are a loss, two are not', () => {
  expect(isLost({ ...view, silentMs: 2 * PROGRESS_EVERY_MS + 10 })).toBe(false)
  expect(isLost({ ...view, silentMs: SILENCE_MS_MAX + 1 })).toBe(true)
  // Watched every 100 ms, it is replaced within the promised 2 s.
  expect(SILENCE_MS_MAX + 100).toBeLessThan(2000)
})

test('an honest long call that reports progress is never lost', () => {
  expect(isLost({ ...view, ageMs: 60_000, silentMs: PROGRESS_EVERY_MS })).toBe(false)
})

test.each([
  ['four times the usual, and over a second', { ageMs: 1001 }, true],
  ['under a second', { ageMs: 999 }, false],
  ['a usual time for a long function', { ageMs: 9000, usualMs: 3000 }, false],
  ['unusual for a long function', { ageMs: 12_001, usualMs: 3000 }, true],
  ['without experience', { ageMs: 60_000, usualMs: 0 }, false],
  ['with effects', { ageMs: 60_000, pure: false }, false],
  ['hedged already', { ageMs: 60_000, hedges: 1 }, false],
])('slow: %s', (_name, change, expected) => {
  expect(shouldHedge({ ...view, ...change })).toBe(expected)
})
