import { expect, test } from 'vitest'
import { readKeptSeeds } from '../scripts/sim/kept-seeds.ts'
import { machine } from '../scripts/sim/machine.ts'
import { findingOf } from '../scripts/sim/run.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { parseRttMatrix } from './rtt-matrix.ts'
import { SCENARIOS, type Scenario, type Setting } from './scenarios.ts'

const load = async (name: string): Promise<Scenario> => (await SCENARIOS[name]?.())?.scenario as Scenario

const violationsOf = async (name: string, setting: Omit<Setting, 'machine'>) =>
  (await findingOf(await load(name), { machine, ...setting })).violations

test.each(Object.keys(SCENARIOS))('%s finds nothing wrong, with a seed of this run', async (name) => {
  const { peers } = await load(name)
  expect(await violationsOf(name, { seed: seedFor(name), peers })).toEqual([])
})

test('seeds that have failed do no more', async () => {
  for (const { scenario, seed, peers } of readKeptSeeds()) {
    expect(await violationsOf(scenario, { seed, peers }), `${scenario} --seed ${seed}`).toEqual([])
  }
})

test('routing takes the delays of a matrix', async () => {
  // All 40 ms apart, but for two machines in one house.
  const row = (i: number) => Array.from({ length: 12 }, (_, j) => (i === j ? 0 : i + j === 1 ? 1 : 40)).join(' ')
  const rtts = parseRttMatrix(Array.from({ length: 12 }, (_, i) => row(i)).join('\n'))
  const { figures } = await (await load('routing')).run({ machine, seed: seedFor('matrix'), peers: 12, rtts })
  expect(figures.round_trip_ms).toBeCloseTo((65 * 40 + 1) / 66, 6)
})
