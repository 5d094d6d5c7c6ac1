import { describe, expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { type CandidateView, choose, predictedMs } from './selection.ts'

interface Row {
  eligible?: boolean
  rtt?: number
  slots?: number
  pending?: number
  service?: number
}

const view = (rows: Row[]): CandidateView => ({
  count: rows.length,
  eligible: (i) => rows[i]?.eligible ?? true,
  roundTripMs: (i) => rows[i]?.rtt ?? 1,
  slots: (i) => rows[i]?.slots ?? 1,
  pending: (i) => rows[i]?.pending ?? 0,
  serviceMs: (i) => rows[i]?.service ?? 10,
})

const draws = (...numbers: number[]) => {
  const left = [...numbers]
  return () => left.shift() as number
}

describe('predicted completion', () => {
  test('an idle executor: round trip and one run', () => {
    expect(predictedMs(view([{ rtt: 20, service: 100, slots: 4 }]), 0)).toBe(120)
  })

  test('work fills the slots before anything waits', () => {
    const rows = view([{ rtt: 0, service: 100, slots: 4, pending: 3 }])
    expect(predictedMs(rows, 0)).toBe(100)
  })

  test('what waits is shared by the slots, and what runs is half done', () => {
    const rows = view([{ rtt: 0, service: 100, slots: 2, pending: 5 }])
    expect(predictedMs(rows, 0)).toBe(100 * (1 + 3.5 / 2))
  })

  test('of a function that nobody has seen end, a free slot counts for more than a shorter way to a full one', () => {
    const rows = view([
      { rtt: 1, service: 0, slots: 2, pending: 4 },
      { rtt: 50, service: 0, slots: 2, pending: 1 },
    ])
    expect(predictedMs(rows, 0)).toBeGreaterThan(predictedMs(rows, 1))
  })
})

const chosenOf = (rows: Row[], take: number, below: (limit: number) => number): number[] => {
  const chosen: number[] = []
  choose(view(rows), take, below, chosen)
  return chosen
}

describe('choosing', () => {
  test('nobody eligible: nobody', () => {
    expect(chosenOf([{ eligible: false }], 1, draws(0))).toEqual([])
    expect(chosenOf([], 3, draws())).toEqual([])
  })

  test('fewer than wanted: all of them, the best first', () => {
    expect(chosenOf([{ eligible: false }, { rtt: 5 }, { rtt: 3 }], 3, draws(0, 0))).toEqual([2, 1])
  })

  test('the best of those drawn, not the best of all', () => {
    const rows = [{ rtt: 1 }, { rtt: 50 }, { rtt: 30 }]
    expect(chosenOf(rows, 1, draws(1, 1))).toEqual([2])
    expect(chosenOf(rows, 1, draws(0, 1))).toEqual([0])
  })

  test.each([
    [1, 2],
    [2, 12],
    [3, 18],
  ])('%i of %i: each set of those is drawn equally often', (take, drawn) => {
    const random = randomFor(`draws ${take}`)
    const rows: Row[] = Array.from({ length: 24 }, (_, i) => ({ rtt: 1 + i, eligible: i < 20 }))
    const firsts = new Array<number>(20).fill(0)
    const TRIALS = 20_000
    for (let i = 0; i < TRIALS; i++) firsts[chosenOf(rows, take, (limit) => random.below(limit))[0]!]!++
    // The best of `drawn` from 20 is number i with probability C(19-i, drawn-1) / C(20, drawn).
    const binomial = (n: number, k: number): number => (k === 0 ? 1 : n < k ? 0 : (binomial(n - 1, k - 1) * n) / k)
    for (const [i, count] of firsts.entries()) {
      const share = binomial(19 - i, drawn - 1) / binomial(20, drawn)
      expect(Math.abs(count / TRIALS - share)).toBeLessThan(0.02)
    }
  })

  test('of equals chance takes one', () => {
    const random = randomFor('equals')
    const rows: Row[] = [{}, {}, {}]
    const firsts = [0, 0, 0]
    for (let i = 0; i < 3000; i++) firsts[chosenOf(rows, 2, (limit) => random.below(limit))[0]!]!++
    for (const count of firsts) expect(count).toBeGreaterThan(800)
  })
})
