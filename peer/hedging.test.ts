import { describe, expect, test } from 'vitest'
import {
  HedgeBudget,
  isLost,
  isSlow,
  PROGRESS_EVERY_MS,
  SILENCE_MS_MAX,
  shouldHedge,
  WATCH_EVERY_MS,
} from './hedging.ts'

const view = { silentMs: 0, ageMs: 0, predictedMs: 100, lateness: 2, pure: true, hedges: 0 }

test('three missed progress frames are a loss, two are not', () => {
  expect(isLost({ ...view, silentMs: 2 * PROGRESS_EVERY_MS + 10 })).toBe(false)
  expect(isLost({ ...view, silentMs: SILENCE_MS_MAX })).toBe(true)
  // Looked at 100 ms later at the latest, it is replaced within the promised 2 s.
  expect(SILENCE_MS_MAX + WATCH_EVERY_MS).toBeLessThan(2000)
})

test('an honest long call that reports progress is never lost', () => {
  expect(isLost({ ...view, ageMs: 60_000, silentMs: PROGRESS_EVERY_MS })).toBe(false)
})

test.each([
  ['late beyond the 95th percentile, and over a second', { ageMs: 1001 }, true],
  ['under a second', { ageMs: 999 }, false],
  [
    'as late as one in twenty, where the executor was known to take that long',
    { ageMs: 5999, predictedMs: 3000 },
    false,
  ],
  ['later', { ageMs: 6001, predictedMs: 3000 }, true],
  ['only just late, where times hardly vary', { ageMs: 4499, predictedMs: 3000, lateness: 1 }, false],
  ['half as long again, there', { ageMs: 4501, predictedMs: 3000, lateness: 1 }, true],
  ['where lateness is usual', { ageMs: 6001, predictedMs: 3000, lateness: 3 }, false],
  ['without experience', { ageMs: 60_000, lateness: 0 }, false],
  ['with effects', { ageMs: 60_000, pure: false }, false],
  ['hedged already', { ageMs: 60_000, hedges: 1 }, false],
])('hedged: %s', (_name, change, expected) => {
  expect(shouldHedge({ ...view, ...change })).toBe(expected)
})

test.each([
  ['four times the median, and over a second', 1001, 100, true],
  ['under a second', 999, 100, false],
  ['usual for a long function', 9000, 3000, false],
  ['unusual for a long function', 12_001, 3000, true],
  ['without experience', 60_000, 0, false],
])('a drawn verifier is slow: %s', (_name, ageMs, usualMs, expected) => {
  expect(isSlow(ageMs, usualMs)).toBe(expected)
})

describe('the budget of hedges', () => {
  const spent = (budget: HedgeBudget) => {
    let hedges = 0
    for (; budget.allows; hedges++) budget.hedged()
    return hedges
  }

  test('allows one at first, then one in fifty items begun', () => {
    const budget = new HedgeBudget()
    expect(spent(budget)).toBe(1)
    for (let i = 0; i < 1000; i++) budget.begun()
    expect(Math.abs(spent(budget) - 20)).toBeLessThanOrEqual(1)
  })

  test('does not save up without end', () => {
    const budget = new HedgeBudget()
    for (let i = 0; i < 100_000; i++) budget.begun()
    expect(spent(budget)).toBe(100)
  })
})
