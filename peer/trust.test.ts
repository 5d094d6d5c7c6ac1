import { describe, expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import {
  AUDIT_FLOOR,
  chargesAfterExpulsion,
  chargesAfterRight,
  HONEST_ERROR_RATE,
  isCleared,
  isExpelled,
  PROBATION_RECEIPTS,
  probationLeft,
  RIGHTS_A_CHARGE,
  RIGHTS_MAKE_UP,
  suspicionAfter,
  type TrustView,
} from './trust.ts'

const fresh: TrustView = { probation: 0, suspicion: 0 }

/** As a home would see an executor, receipt after receipt. */
const audited = (view: TrustView, wrong: boolean): TrustView => ({
  probation: wrong ? 0 : view.probation + 1,
  suspicion: suspicionAfter(view, wrong),
})

const afterWrong = (count: number): TrustView => {
  let view = fresh
  for (let i = 0; i < count; i++) view = audited(view, true)
  return view
}

const chanceFor = (name: string) => {
  const random = randomFor(name)
  return (p: number): boolean => random.below(1_000_000) < p * 1_000_000
}

describe('the share of receipts that are audited', () => {
  test('is all of the first, and of those after one that was wrong', () => {
    expect(probationLeft(fresh, 0, 0, 0)).toBe(PROBATION_RECEIPTS)
    expect(probationLeft({ ...fresh, probation: PROBATION_RECEIPTS - 1 }, 49, 0, 0)).toBe(1)
    expect(probationLeft({ ...fresh, probation: PROBATION_RECEIPTS }, 50, 0, 0)).toBe(0)
    expect(probationLeft({ ...fresh, probation: 1e12 }, 1e12, 0, 0)).toBe(0)
    expect(probationLeft(audited({ ...fresh, probation: 5000 }, true), 5000, 0, 0)).toBe(PROBATION_RECEIPTS)
  })

  /** W = (1 − a) / a: lies before the first that is caught are geometric. Colluding verifiers catch nothing. */
  test.each([0, 0.1, 0.3])(
    'lets a liar through so often as the closed form says, with %f of verifiers colluding',
    (f) => {
      const chance = chanceFor(`closed form ${f}`)
      const identities = 20_000
      let accepted = 0
      for (let i = 0; i < identities; i++) {
        while (!chance(AUDIT_FLOOR) || chance(f)) accepted++
      }
      const a = AUDIT_FLOOR * (1 - f)
      const predicted = (1 - a) / a
      // The standard deviation of a geometric number is √(1 − a) / a; five of the mean's.
      const tolerance = (5 * Math.sqrt(1 - a)) / a / Math.sqrt(identities)
      expect(Math.abs(accepted / identities - predicted)).toBeLessThan(tolerance)
    },
  )
})

describe('whoever lets others in', () => {
  const served: TrustView = { ...fresh, probation: PROBATION_RECEIPTS }

  test('makes its newcomers give more right receipts, and those who have given them none', () => {
    expect(probationLeft(fresh, 0, 1, 0)).toBe(RIGHTS_A_CHARGE)
    expect(probationLeft(fresh, 0, 3.5, 0)).toBe(3.5 * RIGHTS_A_CHARGE)
    expect(probationLeft(served, PROBATION_RECEIPTS, 1, 0)).toBe(RIGHTS_A_CHARGE - PROBATION_RECEIPTS)
    expect(probationLeft(served, 3 * RIGHTS_A_CHARGE, 3, 0)).toBe(0)
    // A slip of one that has served long costs what it costs anybody.
    expect(probationLeft(fresh, 3 * RIGHTS_A_CHARGE, 3, 0)).toBe(PROBATION_RECEIPTS)
  })

  test('answers in full at each place of a line, but for the founder, who answers in full for its own guests alone', () => {
    const placesOf = (length: number) => Array.from({ length }, (_, above) => chargesAfterExpulsion(2, above, length))
    expect(placesOf(2)).toEqual([3, 3])
    expect(placesOf(3)).toEqual([3, 3, 2.5])
    expect(placesOf(6)).toEqual([3, 3, 3, 3, 3, 2.5])
  })

  test('is let off by right receipts of its guests, and saves none up', () => {
    let charges = 1
    for (let i = 0; i < RIGHTS_MAKE_UP / 2; i++) charges = chargesAfterRight(charges)
    expect(charges).toBeCloseTo(0.5)
    for (let i = 0; i < RIGHTS_MAKE_UP; i++) charges = chargesAfterRight(charges)
    expect(chargesAfterExpulsion(charges, 1, 3)).toBe(1)
  })
})

describe('the sequential test', () => {
  test('expels after the sixth wrong receipt in a row, and not before', () => {
    expect(isExpelled(afterWrong(5))).toBe(false)
    expect(isExpelled(afterWrong(6))).toBe(true)
  })

  test('clears a machine that erred once after some thirty right receipts, and one that errs again not before it is found right far longer', () => {
    const rightsUntilCleared = (from: TrustView): number => {
      let [view, rights] = [from, 0]
      for (; !isCleared(view); rights++) view = audited(view, false)
      return rights
    }
    expect(isCleared(fresh)).toBe(true)
    expect(rightsUntilCleared(afterWrong(1))).toBe(30)
    expect(rightsUntilCleared(afterWrong(2))).toBeGreaterThan(120)
  })

  test('is never taken back', () => {
    let view = afterWrong(6)
    for (let i = 0; i < 10_000; i++) view = audited(view, false)
    expect(isExpelled(view)).toBe(true)
  })

  test('lets nobody save up good receipts', () => {
    let view = fresh
    for (let i = 0; i < 10_000; i++) view = audited(view, false)
    expect(view.suspicion).toBe(0)
    for (let i = 0; i < 6; i++) view = audited(view, true)
    expect(isExpelled(view)).toBe(true)
  })

  /** Audited receipts until it is expelled, at most `max`. */
  const lifeOf = (chance: (p: number) => boolean, errorRate: number, max: number): number => {
    let view = fresh
    for (let i = 1; i <= max; i++) {
      view = audited(view, chance(errorRate))
      if (isExpelled(view)) return i
    }
    return max
  }

  test('spares honest machines: at most one false alarm in a million receipts, on average', () => {
    const chance = chanceFor('honest')
    let alarms = 0
    for (let i = 0; i < 50; i++) if (lifeOf(chance, HONEST_ERROR_RATE, 10_000) < 10_000) alarms++
    // Half a million receipts: of a Poisson number with mean 0.5, more than 5 come once in 70,000 runs.
    expect(alarms).toBeLessThanOrEqual(5)
  })

  test.each([
    [0.05, 137],
    [0.2, 30],
  ])('expels one that errs in %f of receipts after some %i audited ones', (errorRate, expected) => {
    const chance = chanceFor(`liar ${errorRate}`)
    const lives = Array.from({ length: 2000 }, () => lifeOf(chance, errorRate, 1e6))
    const mean = lives.reduce((sum, life) => sum + life, 0) / lives.length
    // Wald: threshold over drift, ln 10⁶ / (p ln 11 + (1 − p) ln (0.978 / 0.998)), is what it takes to reach it; CUSUM may
    // lose time at zero and overshoots by less than a step, so that it is a little more.
    expect(mean).toBeGreaterThan(0.7 * expected)
    expect(mean).toBeLessThan(1.5 * expected)
  })
})
