import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readKeptWorlds } from '../../../scripts/sim/kept-worlds.ts'
import type { Scenario } from '../../scenarios.ts'
import { planOf } from '../plan.ts'
import { wrongIn } from './seeds.ts'

/** No worlds: only the plans of such, and something wrong where nothing breaks. */
const calmIsWrong = () => {
  const tried: number[] = []
  const scenario: Scenario = {
    ...{ about: 'plans', peers: 5 },
    run: async ({ seed, peers }) => {
      const { length: faults } = planOf(seed, peers).faults
      tried.push(faults)
      return { figures: { faults }, violations: faults === 0 ? ['nothing breaks'] : [] }
    },
  }
  return { scenario, tried }
}

test('so many worlds have faults, and those in which something is wrong are kept whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-kept-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const keptWorlds = join(folder, 'kept.jsonl')
  writeFileSync(keptWorlds, '')
  const { scenario, tried } = calmIsWrong()
  const wrong = await wrongIn(200, 5, { scenario, keptWorlds })
  const calm = tried.filter((faults) => faults === 0).length
  expect([tried.length - calm, wrong.length]).toEqual([200, calm])
  const kept = readKeptWorlds(keptWorlds)
  expect(kept).toHaveLength(calm)
  for (const { seed, plan } of kept) expect(plan).toEqual(planOf(seed, 5))
})
