/** Seeds that have failed: `npm test` runs each of them again, for ever. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const KEPT_SEEDS_FILE = join(import.meta.dirname, '../../simulations/kept-seeds.json')

export interface KeptSeed {
  scenario: string
  seed: number
  peers: number
  /** What was found wrong when it was kept. */
  found: string
}

export const readKeptSeeds = (file = KEPT_SEEDS_FILE): KeptSeed[] => JSON.parse(readFileSync(file, 'utf8'))

/** False: it was there already. */
export const keepSeed = (failed: KeptSeed, file = KEPT_SEEDS_FILE): boolean => {
  const kept = readKeptSeeds(file)
  const isSame = ({ scenario, seed, peers }: KeptSeed) =>
    scenario === failed.scenario && seed === failed.seed && peers === failed.peers
  if (kept.some(isSame)) return false
  writeFileSync(file, `${JSON.stringify([...kept, failed], undefined, 2)}\n`)
  return true
}
