import { expect, test } from 'vitest'
import { medianOf, withSample } from './round-trips.ts'

test('of the last five samples the median counts', () => {
  let samples: number[] = []
  const seen = [30, 31, 900, 32, 29, 800, 33, 34].map((ms) => {
    samples = withSample(samples, ms)
    return medianOf(samples)
  })
  expect(seen).toEqual([30, 30, 31, 31, 31, 32, 33, 33])
  expect(samples).toEqual([32, 29, 800, 33, 34])
})
