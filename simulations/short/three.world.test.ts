import { expect, test } from 'vitest'
import { machine } from '../../scripts/sim/machine.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { planOf } from './plan.ts'
import { runShortWorld } from './run.ts'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

test(
  'in so many worlds of three peers that 1,600 have faults nothing is wrong',
  async () => {
    expect(await wrongIn(1600, 3)).toEqual([])
  },
  TIMEOUT_MS,
)

test('the same seed is the same run, frame by frame', async () => {
  const plan = planOf(seedFor('same'), 5)
  const [one, other] = [await runShortWorld({ machine, plan }), await runShortWorld({ machine, plan })]
  expect(other.hash).toBe(one.hash)
  const { hash } = await runShortWorld({ machine, plan: { ...plan, seed: plan.seed ^ 1 } })
  expect(hash).not.toBe(one.hash)
})
