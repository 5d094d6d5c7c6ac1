/**
 * Whether level 2 tells what level 1 does: 64 machines of six speeds, 16 of which ask as well, jobs of 1 s at load 0.6; the same
 * places, speeds and arrivals for real peers on a seeded clock and for their decisions on typed arrays. Medians of five worlds,
 * of which each counts 800 jobs after 400.
 */
import { randomInt } from 'node:crypto'
import { machine } from '../scripts/sim/machine.ts'
import { compareLevels, type Quantiles } from '../simulations/level2/beside-level1.ts'
import { median, rounded } from './measure.ts'

const WORLDS = 5
const WORLD = { machine, peers: 64, jobMs: 1000, load: 0.6, jobs: 800, firstJobs: 400 }
const FIGURES = ['p50', 'p90', 'p99', 'mean'] as const

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 32 - WORLDS))
  print(`WAYSIDE_SEED=${seed}: ${WORLDS} worlds of ${WORLD.peers} peers each`)
  const found: { level1: Quantiles; level2: Quantiles }[] = []
  for (let i = 0; i < WORLDS; i++) found.push(await compareLevels({ ...WORLD, seed: seed + i }))
  const figures: Record<string, number> = {}
  for (const name of FIGURES) {
    const level1 = median(found.map((one) => one.level1[name]))
    const level2 = median(found.map((one) => one.level2[name]))
    print(`${name.padEnd(4)} level 1: ${rounded(level1)} ms, level 2: ${rounded(level2)} ms`)
    figures[`${name}_level1_ms`] = rounded(level1)
    figures[`${name}_level2_ms`] = rounded(level2)
    figures[`${name}_level2_vs_level1`] = rounded(level2 / level1)
  }
  return figures
}
