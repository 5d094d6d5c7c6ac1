/**
 * How much faster two agents render the ray tracer's tiles at `none` than one sandbox in a loop; beside it Piscina
 * with the same sandbox in two threads.
 */
import { TILES } from '../examples/raytracer/plan.ts'
import { connect, fn } from '../node/sdk.ts'
import { startAgent } from './agents.ts'
import { idealSpeedup } from './ideal.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { codeOf, createRivalPool, drain } from './rival-pool.ts'

const ROUNDS = 3
const SOURCE = new URL('../examples/raytracer/tile.ts', import.meta.url)
/** Threads that share nothing come near to what two processes do. */
const PISCINA_OF_IDEAL_MIN = 0.7
/** The coarser passes: a quarter of the picture, some six seconds of one core. */
const tiles = TILES.filter(({ step }) => step > 1)

const seconds = async (run: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now()
  await run()
  return (performance.now() - startMs) / 1000
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const ideal = await idealSpeedup()
  const first = await startAgent({ cpus: 1 })
  const second = await startAgent({ cpus: 1, join: first.ticket })
  const mesh = await connect({ join: [first.ticket, second.ticket] })
  const tile = fn<typeof import('../examples/raytracer/tile.ts').default>(SOURCE)
  const pool = createRivalPool()
  const code = await codeOf(SOURCE)
  const inPool = (one: (typeof tiles)[number]) => pool.run({ code, items: [one] }, { name: 'runInSandbox' })
  const ours = async () => {
    for await (const item of mesh.map(tile, tiles, { verify: 'none', remote: true })) if (!item.ok) throw item.error
  }
  const subjects = [
    { name: 'two agents', run: () => seconds(ours) },
    { name: 'one sandbox in a loop', run: () => seconds(() => drain(tiles, 1, inPool)) },
    { name: 'piscina, two threads', run: () => seconds(() => drain(tiles, 4, inPool)) },
  ]
  const results = await interleave(subjects, ROUNDS, 1)
  await pool.destroy()
  await mesh.close()
  await Promise.all([first.stop(), second.stop()])
  for (const [name, times] of results) print(row(name, 's', times))
  const of = (name: string) => median(results.get(name) ?? [])
  const alone = of('one sandbox in a loop')
  const piscinaSpeedup = alone / of('piscina, two threads')
  ensurePlausible('piscina', piscinaSpeedup, PISCINA_OF_IDEAL_MIN * ideal, 'times one sandbox')
  return {
    speedup_2: rounded(alone / of('two agents')),
    piscina_speedup_2: rounded(piscinaSpeedup),
    ideal_speedup_2: rounded(ideal),
  }
}
