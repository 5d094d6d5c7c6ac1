/** Worlds in which something was wrong, a line each: `npm test` runs each of them again, for ever. */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../../simulations/short/plan.ts'

export const KEPT_WORLDS_FILE = join(import.meta.dirname, '../../simulations/kept-worlds.jsonl')

export interface KeptWorld {
  scenario: string
  seed: number
  peers: number
  /** At which it was found: others may draw another world from the seed. */
  commit: string
  /** What was wrong. */
  found: string
  /** Of a short world, all of it: its seed draws it no more. */
  plan?: Plan
}

export const readKeptWorlds = (file = KEPT_WORLDS_FILE): KeptWorld[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** A sentence on what became of it: it is kept once, and where nothing can be written not at all. */
export const keepWorld = (world: KeptWorld, file = KEPT_WORLDS_FILE): string => {
  const nameOf = ({ scenario, seed, peers, plan }: KeptWorld) => JSON.stringify([scenario, seed, peers, plan])
  try {
    if (readKeptWorlds(file).some((kept) => nameOf(kept) === nameOf(world))) return `it is in ${file} already`
    appendFileSync(file, `${JSON.stringify(world)}\n`)
    return `kept in ${file}`
  } catch (cause) {
    return `not kept: ${(cause as Error).message}`
  }
}
