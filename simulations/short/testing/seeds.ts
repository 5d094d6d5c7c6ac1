/** Many short worlds in a test. */

import { machine } from '../../../scripts/sim/machine.ts'
import { commitNow, findingOf } from '../../../scripts/sim/run.ts'
import { seedFor } from '../../../scripts/test/seed.ts'
import { deriveSeed } from '../../random.ts'
import { scenario } from '../../scenarios/short.ts'

/** On a machine that does much else. */
export const TIMEOUT_MS = 600_000

/** What was found wrong in `count` worlds of up to `peers` peers, each with the line that repeats it. */
export const wrongIn = async (count: number, peers: number): Promise<string[]> => {
  const base = seedFor(`${peers} peers`)
  const wrong: string[] = []
  for (let i = 0; i < count; i++) {
    const seed = deriveSeed(base, `world ${i}`)
    const { violations } = await findingOf(scenario, { machine, seed, peers })
    if (violations.length > 0)
      wrong.push(
        `npm run sim -- short --seed ${seed} --peers ${peers}\nat commit ${commitNow()}\n  ${violations.join('\n  ')}`,
      )
  }
  return wrong
}
