/** What look-ups bring where keepers lie, by chance or with keys that were made to sit around what is looked for. */
import { deriveSeed } from '../random.ts'
import { quickChance } from './chance.ts'
import type { Discovering } from './discovery.ts'
import { type LooksReport, lookReport, needReport, settledWorld } from './discovery-report.ts'

/** Of 1,000 keepers. */
const BY_CHANCE_PERMILLE = [0, 100, 500] as const
/** At each of the two keys. */
const AIMED = [0, 10, 20, 30, 40] as const
/** What is looked for there is offered by one peer of so many. */
const ONE_IN = 100

export interface EclipseReport {
  /** By the directory alone: what all offer. */
  byChance: readonly { permille: number; alone: LooksReport }[]
  /** What one in 100 offers: by the directory alone, and by those who have neighbours none of whom offers it. */
  aimed: readonly { keys: number; alone: LooksReport; withNeighbours: LooksReport }[]
}

/** So many look-ups of each kind in eight worlds, which differ in who lies. Throws MeshError E_USAGE in one of some hundreds of peers. */
export const runEclipses = (options: Pick<Discovering, 'seed' | 'peers' | 'rtts'>, looks: number): EclipseReport => {
  const random = () => quickChance(deriveSeed(options.seed, 'seekers'))
  return {
    byChance: BY_CHANCE_PERMILLE.map((permille) => {
      const world = settledWorld({ ...options, hostilePermille: permille })
      return { permille, alone: lookReport(world, random(), looks) }
    }),
    aimed: AIMED.map((keys) => {
      const world = settledWorld({ ...options, aimed: keys, oneIn: ONE_IN })
      const alone = lookReport(world, random(), looks, true)
      return { keys, alone, withNeighbours: needReport(world, random(), looks, true) }
    }),
  }
}
