import { describe, expect, test } from 'vitest'
import { type CandidateView, chooseOfTwo, countEligible, predictedMs } from './selection.ts'

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

  test('what waits is shared by the slots', () => {
    const rows = view([{ rtt: 0, service: 100, slots: 2, pending: 5 }])
    expect(predictedMs(rows, 0)).toBe(100 * (1 + 4 / 2))
  })
})

describe('two-choice sampling', () => {
  test('nobody eligible: nobody', () => {
    expect(chooseOfTwo(view([{ eligible: false }]), draws())).toBe(-1)
    expect(chooseOfTwo(view([]), draws())).toBe(-1)
  })

  test('one eligible: it, without a draw', () => {
    expect(chooseOfTwo(view([{ eligible: false }, {}]), draws())).toBe(1)
  })

  test('the better of the two drawn, not the best of all', () => {
    const rows = view([{ rtt: 1 }, { rtt: 50 }, { rtt: 30 }])
    expect(chooseOfTwo(rows, draws(1, 1))).toBe(2)
    expect(chooseOfTwo(rows, draws(1, 0))).toBe(0)
  })

  test('the two are distinct, and each pair comes equally often', () => {
    const rows = view([{ rtt: 3 }, { rtt: 2 }, { rtt: 1 }, { rtt: 9, eligible: false }])
    const won = [0, 0, 0, 0]
    for (let a = 0; a < 3; a++) for (let b = 0; b < 2; b++) won[chooseOfTwo(rows, draws(a, b))]!++
    expect(countEligible(rows)).toBe(3)
    expect(won).toEqual([0, 2, 4, 0])
  })
})
