/**
 * Whether the simulator tells what is so. Without an option: level 2 against level 1, the same places, speeds and arrivals for
 * real peers on a seeded clock and for their decisions on typed arrays. `--real`: level 1 against a real mesh over TCP
 * (`real-validation.ts`).
 */
import { randomInt } from 'node:crypto'
import { SETTLING_MS, type Trial, type Tried } from '../simulations/trial.ts'
import { type Figures, printApart } from './apart.ts'
import { start } from './processes.ts'
import { validateReal } from './real-validation.ts'

/** Worlds of each kind, all of whose figures are medians; of the large one there are jobs for some seconds of its time. */
const TRIAL = { jobMs: 1000, load: 0.6, startingMs: 30_000, settlingMs: SETTLING_MS }
const FEW = { ...TRIAL, peers: 24, jobs: 800, firstJobs: 600 }
const KINDS: Readonly<Record<string, { worlds: number; trial: Omit<Trial, 'seed'> }>> = {
  peers_24: { worlds: 5, trial: FEW },
  peers_24_200ms: { worlds: 5, trial: { ...FEW, jobMs: 200 } },
  peers_64: { worlds: 5, trial: { ...TRIAL, peers: 64, jobs: 800, firstJobs: 400 } },
  peers_2000: { worlds: 1, trial: { ...TRIAL, peers: 2000, jobs: 4000, firstJobs: 6000 } },
}
/** A real peer with 64 neighbours takes three MB. */
const LARGE_HEAP = ['--max-old-space-size=12288']

interface Levels {
  level1: Tried
  level2: Tried
}

const validateLevels = async (seed: number, print: (line: string) => void): Promise<Figures> => {
  const figures: Figures = {}
  for (const [kind, { worlds, trial }] of Object.entries(KINDS)) {
    const { peers, jobs, jobMs, firstJobs } = trial
    print(`${worlds} worlds of ${peers} peers, ${jobs} jobs of ${jobMs} ms counted in each after ${firstJobs}`)
    const found: Levels[] = []
    for (let i = 0; i < worlds; i++) {
      const world = JSON.stringify({ ...trial, seed: seed + i })
      found.push((await start<Levels>('./levels-world.ts', [world], LARGE_HEAP)).ready)
    }
    const [level1, level2] = [found.map((one) => one.level1), found.map((one) => one.level2)]
    Object.assign(figures, printApart(print, kind, { level1, level2 }))
  }
  return figures
}

export const run = async (print: (line: string) => void, { real }: { real: boolean }): Promise<Figures> => {
  const seed = Number(process.env.WAYSIDE_SEED ?? randomInt(2 ** 31))
  print(`WAYSIDE_SEED=${seed}`)
  return real ? validateReal(seed, print) : validateLevels(seed, print)
}
