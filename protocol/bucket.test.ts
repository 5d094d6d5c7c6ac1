import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { Bucket, Buckets } from './bucket.ts'

const PACE = { burst: 10, perSecond: 4 }

test('a burst is there at once, then what comes back; a second of patience is a second’s tokens', () => {
  const bucket = new Bucket(PACE, 0)
  expect(Array.from({ length: 10 }, () => bucket.take(0))).toEqual(new Array(10).fill(0))
  expect([bucket.take(0), bucket.take(0)]).toEqual([250, 500])
  expect(bucket.take(1000)).toBe(0)
  expect(bucket.take(1e9, 10)).toBe(0)
  expect(bucket.take(1e9, 1)).toBe(250)
})

test('taken only if there, it owes nothing', () => {
  const bucket = new Bucket(PACE, 0)
  expect(Array.from({ length: 12 }, () => bucket.takeIfThere(0)).filter(Boolean)).toHaveLength(10)
  expect([bucket.takeIfThere(249), bucket.takeIfThere(250), bucket.takeIfThere(250)]).toEqual([false, true, false])
})

test('over any time no more than a burst and the rate', async () => {
  const steps = fc.array(fc.tuple(fc.nat(2000), fc.nat(30)), { maxLength: 40 })
  const property = fc.property(steps, (taken) => {
    const bucket = new Bucket(PACE, 0)
    let nowMs = 0
    let got = 0
    for (const [ms, tries] of taken) {
      nowMs += ms
      for (let i = 0; i < tries; i++) if (bucket.takeIfThere(nowMs)) got++
    }
    expect(got).toBeLessThanOrEqual(PACE.burst + (nowMs * PACE.perSecond) / 1000)
  })
  await checkProperty('bucket', property, { runs: 200 })
})

test('a hundred times as many names as are remembered: those asked for last are', () => {
  const buckets = new Buckets({ burst: 1, perSecond: 0.001 }, 10)
  for (let i = 0; i < 1000; i++) buckets.of(`${i}`, 0).takeIfThere(0)
  expect(buckets.size).toBe(10)
  expect(buckets.of('999', 1).takeIfThere(1)).toBe(false)
  expect(buckets.of('0', 1).takeIfThere(1)).toBe(true)
})
