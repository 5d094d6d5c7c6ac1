import { expect, test } from 'vitest'
import { seedFor } from '../scripts/test/seed.ts'
import { machine } from '../scripts/test/world.ts'
import { replay } from './routing-oracle.ts'
import { type RoutingScenario, runRoutingScenario } from './routing-scenario.ts'

/** A slice of `npm run bench -- routing`. */
const scenario = (name: string, changes: Partial<RoutingScenario> = {}): RoutingScenario => ({
  ...{ machine, seed: seedFor(name), agents: 24, invokers: 6, jobMs: 1000, load: 0.6, jobs: 300, firstJobs: 200 },
  ...changes,
})

test('jobs of a second take little longer than if one saw everything, and little is done twice', async () => {
  const { meanMs, oracleMs, oldLoadMs, duplicateShare, violations } = await runRoutingScenario(
    scenario('near the oracle'),
  )
  // The bench has the aims, 1.25 and 0.05; a slice of it is held to what chance leaves of them.
  expect(violations).toEqual([])
  expect(meanMs / oracleMs).toBeLessThan(1.5)
  expect(duplicateShare).toBeLessThan(0.1)
  expect(oldLoadMs).toBeGreaterThan(1.5 * meanMs)
})

test('the same seed gives the same report', async () => {
  const same = scenario('same', { jobs: 60, firstJobs: 20 })
  expect(await runRoutingScenario(same)).toEqual(await runRoutingScenario(same))
})

test('the oracle places each job where it is answered first, and never at its own invoker', () => {
  const machines = { speeds: [4, 1, 2], delayMs: (from: number, to: number) => (from === to ? 0 : 10 * to) }
  const job = (id: number, atMs: number) => ({ id, atMs, invoker: 0, ms: 100 })
  // Machine 2: 20 + 50 + 20. Busy till 70 then, so machine 1: 10 + 100 + 10, as soon as machine 2 for the third: 70 + 50 + 20 - 0.
  expect(replay(machines, [job(1, 0), job(2, 0), job(3, 0)])).toEqual([90, 120, 140])
  // Who sees all as it was a second ago sends each to machine 2.
  expect(replay(machines, [job(1, 0), job(2, 0), job(3, 0)], 1000)).toEqual([90, 140, 190])
  // Who may ask machine 1 alone waits for it.
  expect(replay(machines, [job(1, 0), job(2, 0)], 0, () => [1])).toEqual([120, 220])
})
