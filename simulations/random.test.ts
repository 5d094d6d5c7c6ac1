import { describe, expect, test } from 'vitest'
import { deriveSeed, seededRandom } from './random.ts'

describe('seededRandom', () => {
  test('gives the same numbers for the same seed, and others for another', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      return [...Array.from({ length: 8 }, () => random.below(1000)), ...random.bytes(8)]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('keeps the numbers it gave when it was written, so that a printed seed stays a replay', () => {
    const random = seededRandom(1)
    expect(Array.from({ length: 4 }, () => random.below(2 ** 32))).toMatchInlineSnapshot(`
      [
        393288148,
        2174103013,
        3814759091,
        2092745082,
      ]
    `)
  })

  test.each([1, 2, 3, 10, 1000])('spreads evenly below %i', (limit) => {
    const random = seededRandom(42)
    const buckets = Math.min(limit, 10)
    const counts = Array.from({ length: buckets }, () => 0)
    const draws = 20_000
    for (let i = 0; i < draws; i++) {
      const bucket = Math.floor((random.below(limit) * buckets) / limit)
      counts[bucket] = (counts[bucket] ?? Number.NaN) + 1
    }
    // Five standard deviations of a binomial count: a fixed seed passes for ever, a biased generator does not.
    const expected = draws / buckets
    const sigma = Math.sqrt(expected * (1 - 1 / buckets))
    for (const count of counts) expect(Math.abs(count - expected)).toBeLessThanOrEqual(5 * sigma)
  })

  test('has no modulo bias where it would show most: just above half of the range', () => {
    const random = seededRandom(3)
    const limit = 3 * 2 ** 30
    let low = 0
    for (let i = 0; i < 30_000; i++) if (random.below(limit) < 2 ** 30) low++
    expect(Math.abs(low - 10_000)).toBeLessThan(5 * Math.sqrt((30_000 * 2) / 9))
  })

  test.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('refuses the limit %d', (limit) => {
    expect(() => seededRandom(1).below(limit)).toThrow(RangeError)
  })
})

describe('deriveSeed', () => {
  test('depends on the seed and on the name, and is a 32-bit integer', () => {
    const seeds = [deriveSeed(1, 'a'), deriveSeed(1, 'b'), deriveSeed(2, 'a'), deriveSeed(1, 'é')]
    expect(new Set(seeds).size).toBe(seeds.length)
    for (const seed of seeds) expect(seed >>> 0).toBe(seed)
    expect(deriveSeed(1, 'a')).toBe(seeds[0])
  })
})
