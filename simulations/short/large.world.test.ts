import { expect, test } from 'vitest'
import { planOf } from './plan.ts'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

const PEERS = 24

test('a large world has all of its peers, one of each kind at least, and more calls and faults', () => {
  const { kinds, calls } = planOf(1, PEERS)
  expect(kinds).toHaveLength(PEERS)
  expect(new Set(planOf(1, 8).kinds).size).toBeLessThan(new Set(kinds).size)
  expect(new Set(kinds).size).toBe(13)
  expect(calls.length).toBeGreaterThanOrEqual(7)
})

// `npm run vopr -- --peers N` has larger ones.
test(
  'in one that has faults nothing is wrong',
  async () => {
    expect(await wrongIn(1, PEERS)).toEqual([])
  },
  TIMEOUT_MS,
)
