/**
 * Level 1 against a real mesh: real peers over TCP, Noise and Yamux on loopback in eight processes, with delays between their
 * hosts and tasks that wait, the same places, speeds and arrivals on both sides. What level 1 says is in a file before the first
 * real peer starts. What a message takes beside the distance is measured on the mesh of 64 and is all that is fitted: with it level 1
 * foretells a mesh of 128.
 *
 * A run in which the machine was busier than `BUSY_MAX`, with whatever else it did, says something of the machine: it is thrown
 * away and made again, `TRIES_MAX` times at most.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine } from '../scripts/sim/machine.ts'
import { SETTLING_MS, settingOf, type Trial, type Tried, tryOnSeededClock } from '../simulations/trial.ts'
import { type Figures, printApart } from './apart.ts'
import { median, rounded } from './measure.ts'
import { type RealTried, tryOnLoopback } from './real-mesh.ts'

type Print = (line: string) => void

const PROCESSES = 8
const BUSY_MAX = 0.6
const TRIES_MAX = 3
const TRIAL = { load: 0.6, jobs: 400, firstJobs: 100, settlingMs: SETTLING_MS }
/**
 * Machines start as slowly, and jobs are as long, as two cores can shake all those hands and carry what is said of them; the large mesh is
 * tried less often, for the time it takes.
 */
const SIZES = {
  fitted: { runs: 5, peers: 64, startingMs: 20_000, jobMs: 12_000 },
  unseen: { runs: 3, peers: 128, startingMs: 60_000, jobMs: 30_000 },
} as const

const percent = (share: number): string => `${rounded(100 * share)} %`

/** In a file, from which it is read when it is compared. */
const foretell = async (trials: readonly Trial[], hopMs: number, print: Print): Promise<() => Tried[]> => {
  const foretold: Tried[] = []
  for (const trial of trials) foretold.push(await tryOnSeededClock(machine, trial.seed, settingOf(trial, hopMs)))
  const text = JSON.stringify({ written: new Date().toISOString(), hopMs, trials, foretold })
  const file = join(mkdtempSync(join(tmpdir(), 'wayside-foretold-')), 'foretold.json')
  writeFileSync(file, text, { flag: 'wx' })
  print(
    `  foretold at ${new Date().toISOString()}: ${file}, SHA-256 ${createHash('sha256').update(text).digest('hex')}`,
  )
  return () => (JSON.parse(readFileSync(file, 'utf8')) as { foretold: Tried[] }).foretold
}

/** Undefined: none of the runs counts. Where the processor is given to others, calls may find nobody, and a run fails. */
const tryReally = async (
  trial: Trial,
  failed: (why: unknown) => void,
  print: Print,
): Promise<RealTried | undefined> => {
  for (let i = 0; i < TRIES_MAX; i++) {
    const tried = await tryOnLoopback(trial, PROCESSES).catch(failed)
    if (!tried) continue
    const { machineShare, meshShare, wrong, neighbours, hopMs, took } = tried
    const counts = machineShare <= BUSY_MAX
    print(
      `  seed ${trial.seed}: machine ${percent(machineShare)} busy, ${percent(meshShare)} of it with the mesh; p50 ${rounded(took.p50)} ms, ` +
        `${neighbours} neighbours, ${rounded(hopMs)} ms a hop, ${wrong} wrong${counts ? '' : ': too busy, thrown away'}`,
    )
    if (counts) return tried
  }
  return undefined
}

const validateSize = async (seed: number, size: keyof typeof SIZES, hopMs: number, print: Print) => {
  const { runs, ...mesh } = SIZES[size]
  const { peers, jobMs } = mesh
  print(`${runs} runs of ${peers} peers in ${PROCESSES} processes, jobs of ${jobMs} ms at load ${TRIAL.load}`)
  const trials = Array.from({ length: runs }, (_, i): Trial => ({ ...TRIAL, ...mesh, seed: seed + i }))
  const foretold = await foretell(trials, hopMs, print)
  const tried: (RealTried | undefined)[] = []
  let failures = 0
  const failed = (why: unknown): void => {
    failures++
    print(`  failed, thrown away: ${why}`)
  }
  for (const trial of trials) tried.push(await tryReally(trial, failed, print))
  const real = tried.filter((one) => one !== undefined)
  const level1 = foretold().filter((_, i) => tried[i])
  const prefix = `real_${peers}`
  const figures: Figures = {
    [`${prefix}_runs`]: real.length,
    [`${prefix}_failed`]: failures,
    [`${prefix}_wrong`]: real.reduce((sum, { wrong }) => sum + wrong, 0),
    [`${prefix}_machine_busy`]: rounded(Math.max(...real.map(({ machineShare }) => machineShare))),
    [`${prefix}_hop_ms`]: rounded(median(real.map((one) => one.hopMs))),
  }
  if (real.length > 0) Object.assign(figures, printApart(print, prefix, { level1, real }))
  return { figures, hopMs: median(real.map((one) => one.hopMs)) }
}

export const validateReal = async (seed: number, print: Print): Promise<Figures> => {
  const fitted = await validateSize(seed, 'fitted', 0, print)
  if (Number.isNaN(fitted.hopMs)) return fitted.figures
  const unseen = await validateSize(seed + SIZES.fitted.runs, 'unseen', fitted.hopMs, print)
  return { ...fitted.figures, ...unseen.figures }
}
