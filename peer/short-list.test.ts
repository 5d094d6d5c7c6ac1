import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { type AcquaintanceView, PROBES, shortList, type Wish } from './short-list.ts'

interface Row {
  ms: number
  lot?: number
  lends?: boolean
  tries?: number
}

const viewOf = (rows: readonly Row[]): AcquaintanceView => ({
  count: rows.length,
  predictedMs: (i) => rows[i]!.ms,
  lot: (i) => rows[i]!.lot ?? 0.5,
  lends: (i) => rows[i]!.lends ?? true,
  tries: (i) => rows[i]!.tries ?? 0,
})

const ANY: Wish = { nearBelowMs: Number.POSITIVE_INFINITY, farBelowLot: Number.POSITIVE_INFINITY }

test.each<[string, Row[], Wish, number, number[]]>([
  [
    'the nearest first, then the lowest lots',
    [{ ms: 9 }, { ms: 3 }, { ms: 99, lot: 0.1 }, { ms: 4 }],
    ANY,
    3,
    [1, 3, 2],
  ],
  ['who lends before who does not', [{ ms: 3, lends: false }, { ms: 40 }], { ...ANY, farBelowLot: 0 }, 1, [1]],
  [
    'who was not tried before who could not be reached',
    [{ ms: 3, tries: 1 }, { ms: 400 }],
    { ...ANY, farBelowLot: 0 },
    1,
    [1],
  ],
  ['none that is no better than what there is', [{ ms: 30 }, { ms: 20 }], { nearBelowMs: 20, farBelowLot: 0.5 }, 4, []],
  ['one with a better lot', [{ ms: 30 }, { ms: 30, lot: 0.4 }], { nearBelowMs: 20, farBelowLot: 0.5 }, 4, [1]],
  [
    'one that has not said where it is',
    [{ ms: Number.POSITIVE_INFINITY }],
    { nearBelowMs: 200, farBelowLot: 0 },
    4,
    [0],
  ],
  ['all, if there are few', [{ ms: 30 }, { ms: 20 }], ANY, 6, [1, 0]],
])('%s', (_name, rows, wish, most, expected) => {
  expect(shortList(viewOf(rows), wish, most)).toEqual(expected)
})

test(`of 20 whose predictions err by 60 %, the best of ${PROBES} that are probed is hardly farther than the best of all`, () => {
  const random = randomFor('probes')
  const share = () => (1 + random.below(1e6)) / 1e6
  const normal = () => Math.sqrt(-2 * Math.log(share())) * Math.cos(2 * Math.PI * share())
  const mean = (probes: number) => {
    let sum = 0
    for (let world = 0; world < 500; world++) {
      const real = Array.from({ length: 20 }, () => 5 + 200 * share())
      // Half of these factors are off by more than 0.6.
      const view = viewOf(real.map((ms) => ({ ms: ms * Math.exp(0.9 * normal()) })))
      const probed = shortList(view, { ...ANY, farBelowLot: 0 }, probes)
      sum += Math.min(...probed.map((i) => real[i]!)) / Math.min(...real) / 500
    }
    return sum
  }
  // Measured: 1.05, and 2.2 where the first on the list is taken without a probe.
  expect(mean(PROBES)).toBeLessThan(1.2)
  expect(mean(1)).toBeGreaterThan(1.3)
})
