/**
 * One seed is one run on any machine: hashes over all events of three runs, as one machine had them. What changes what peers do
 * changes them, rightly: `npm test -- simulations/pinned -u` renews them.
 */
import { expect, test } from 'vitest'
import { machine } from '../scripts/sim/machine.ts'
import { runDiscovery } from './level2/discovery-report.ts'
import { runLargeRouting } from './level2/routing.ts'
import { planOf } from './short/plan.ts'
import { runShortWorld } from './short/run.ts'

const SEED = 1

test('of a short world', async () => {
  const { hash } = await runShortWorld({ machine, plan: planOf(SEED, 5) })
  expect(hash).toMatchInlineSnapshot(`2365729334`)
})

test('of jobs in a large world that come and go', () => {
  const work = { jobMs: 1000, load: 0.6, workload: 'poisson', jobs: 500, firstJobs: 500 } as const
  const { hash } = runLargeRouting({ ...work, seed: SEED, peers: 200, invokers: 25, churn: true })
  expect(hash).toMatchInlineSnapshot(`2532754476`)
})

test('of look-ups in a large world', () => {
  expect(runDiscovery({ seed: SEED, peers: 300 }, 10).hash).toMatchInlineSnapshot(`3810729969`)
})
