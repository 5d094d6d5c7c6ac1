import { describe, expect, test } from 'vitest'
import { bestMs, Effort } from './best.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('the best that agents can do', () => {
  test('is all work through all speeds', () => {
    const agents = [10, 30].map((fuelPerMs) => ({ fuelPerMs, untilMs: NEVER }))
    expect(bestMs(4000, agents)).toBe(100)
  })

  test('has those who were killed until then', () => {
    const agents = [
      { fuelPerMs: 10, untilMs: NEVER },
      { fuelPerMs: 30, untilMs: 50 },
    ]
    expect(bestMs(1600, agents)).toBe(40)
    expect(bestMs(4000, agents)).toBe(50 + 2000 / 10)
  })

  test('is never where all were killed before', () => {
    expect(bestMs(4000, [{ fuelPerMs: 10, untilMs: 50 }])).toBe(NEVER)
    expect(bestMs(4000, [])).toBe(NEVER)
  })
})

test('an act is measured from its first call to its last answer, by what its agents ran', () => {
  let nowMs = 1000
  const effort = new Effort(() => nowMs)
  effort.begin()
  effort.ran(1, { fuel: 1000, busyMs: 100 })
  effort.ran(2, { fuel: 2000, busyMs: 100 })
  effort.ran(2, { fuel: 2000, busyMs: 300 })
  nowMs = 1100
  effort.killed(1)
  nowMs = 1400
  effort.answered(500, 2)
  effort.answered(2000, 1)
  nowMs = 9000
  expect(effort.tookMs).toBe(400)
  // 20 fuel a ms for 100 ms, and then 10.
  expect(effort.bestMs).toBe(200)
})
