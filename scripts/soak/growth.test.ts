import { beforeEach, describe, expect, test } from 'vitest'
import { seededRandom } from '../../simulations/random.ts'
import { randomFor } from '../test/seed.ts'
import { growthOf, slopeOf } from './growth.ts'

const ALLOWANCE = { share: 0.1, least: 5 }
const series = (count: number, value: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => ({ atMs: 1000 * i, value: value(i) }))

describe('a series', () => {
  let random = seededRandom(1)
  const noise = () => random.below(2000) / 100 - 10
  beforeEach(() => {
    random = randomFor('trembling')
  })

  test.each<[string, (i: number) => number, boolean]>([
    ['that stands', () => 100, false],
    ['that trembles', () => 100 + noise(), false],
    ['with a peak now and then', (i) => (i % 5 === 0 ? 500 : 100 + noise()), false],
    ['that grew while it warmed up', (i) => 100 * (1 - Math.exp(-i / 20)) + noise() / 10, false],
    ['that falls', (i) => 300 - i + noise(), false],
    ['that grows by a third', (i) => 100 + i / 4 + noise(), true],
    ['that grows by a step a minute', (i) => 100 + 20 * Math.floor(i / 30) + noise(), true],
    ['that grows from nothing', (i) => i / 5, true],
  ])('%s', (_, value, grows) => {
    expect(growthOf(series(200, value), ALLOWANCE).grows).toBe(grows)
  })

  test('has the slope that it was made with, whatever a quarter of it says', () => {
    expect(slopeOf(series(100, (i) => (i % 4 === 0 ? 1e6 * noise() : 3 * i)))).toBeCloseTo(0.003, 3)
  })

  test('of one point, or of none, does not grow', () => {
    expect(growthOf([], ALLOWANCE)).toMatchObject({ grown: 0, grows: false })
    expect(growthOf([{ atMs: 1, value: 7 }], ALLOWANCE).grows).toBe(false)
  })
})
