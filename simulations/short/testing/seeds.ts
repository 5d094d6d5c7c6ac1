/** Many short worlds in a test. */

import { KEPT_WORLDS_FILE, keepWorld } from '../../../scripts/sim/kept-worlds.ts'
import { machine } from '../../../scripts/sim/machine.ts'
import { commitNow, findingOf } from '../../../scripts/sim/run.ts'
import { seedFor } from '../../../scripts/test/seed.ts'
import { deriveSeed } from '../../random.ts'
import { scenario as short } from '../../scenarios/short.ts'
import { planOf } from '../plan.ts'

/** On a machine that does much else. */
export const TIMEOUT_MS = 600_000

/**
 * What was found wrong in worlds of up to `peers` peers, each kept, with the line that repeats it: so many that `faulty` of them
 * have faults.
 */
export const wrongIn = async (
  faulty: number,
  peers: number,
  { scenario = short, keptWorlds = KEPT_WORLDS_FILE } = {},
): Promise<string[]> => {
  const base = seedFor(`${peers} peers`)
  const wrong: string[] = []
  for (let i = 0, left = faulty; left > 0; i++) {
    const seed = deriveSeed(base, `world ${i}`)
    const { figures, violations } = await findingOf(scenario, { machine, seed, peers })
    const [found] = violations
    if (figures.faults !== 0) left--
    if (found === undefined) continue
    const commit = commitNow()
    const plan = planOf(seed, peers)
    const kept = keepWorld({ scenario: 'short', seed, peers, commit, found, plan }, keptWorlds)
    const repeat = `npm run sim -- short --seed ${seed} --peers ${peers}\nat commit ${commit}`
    wrong.push(`${repeat}\n${kept}\n  ${violations.join('\n  ')}`)
  }
  return wrong
}
