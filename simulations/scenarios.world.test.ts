import { expect, test } from 'vitest'
import { readKeptWorlds } from '../scripts/sim/kept-worlds.ts'
import { machine } from '../scripts/sim/machine.ts'
import { findingOf } from '../scripts/sim/run.ts'
import { seedFor } from '../scripts/test/seed.ts'
import type { Pictures, Table } from './pictures/pictures.ts'
import { parseRttMatrix } from './rtt-matrix.ts'
import { SCENARIOS, type Scenario, type Setting } from './scenarios.ts'

const load = async (name: string): Promise<Scenario> => (await SCENARIOS[name]?.())?.scenario as Scenario

/** Columns of one table are as long as each other, and a plot draws some that are there, from left to right. */
const expectWhole = ({ tables, plots, map }: Pictures) => {
  for (const [name, table] of Object.entries(tables)) {
    const lengths = new Set(Object.values(table).map(({ length }) => length))
    expect(lengths.size, name).toBe(1)
  }
  for (const { title, table, x, lines } of plots) {
    const columns = [x, ...lines].map(({ column }) => column)
    expect(Object.keys(tables[table] ?? {}), title).toEqual(expect.arrayContaining(columns))
    const across = tables[table]?.[x.column] ?? []
    expect(across, title).toEqual(across.toSorted((a, b) => a - b))
  }
  if (map) expect(Object.keys(tables)).toEqual(expect.arrayContaining([map.peers, map.calls]))
}

const violationsOf = async (name: string, setting: Omit<Setting, 'machine'>) =>
  (await findingOf(await load(name), { machine, ...setting })).violations

const ALL = await Promise.all(Object.keys(SCENARIOS).map(async (name) => ({ name, scenario: await load(name) })))

test.each(ALL.filter(({ scenario }) => !scenario.takesLong))(
  '$name finds nothing wrong, with a seed of this run, and shows it',
  async ({ name, scenario }) => {
    const { violations, pictures } = await findingOf(scenario, { machine, seed: seedFor(name), peers: scenario.peers })
    expect(violations).toEqual([])
    if (pictures) expectWhole(pictures)
  },
)

test('worlds in which something was wrong are right now, as they were drawn then', async () => {
  const kept = readKeptWorlds()
  expect(kept.length).toBeGreaterThan(0)
  for (const { scenario, seed, peers, plan, found } of kept)
    expect(await violationsOf(scenario, { seed, peers, ...(plan && { plan }) }), found).toEqual([])
})

test('routing takes the delays of a matrix, and the tables of its report have what it reports', async () => {
  // All 40 ms apart, but for two machines in one house.
  const row = (i: number) => Array.from({ length: 12 }, (_, j) => (i === j ? 0 : i + j === 1 ? 1 : 40)).join(' ')
  const rtts = parseRttMatrix(Array.from({ length: 12 }, (_, i) => row(i)).join('\n'))
  const { figures, pictures } = await (await load('routing')).run({ machine, seed: seedFor('matrix'), peers: 12, rtts })
  expect(figures.round_trip_ms).toBeCloseTo((65 * 40 + 1) / 66, 6)
  const jobs = pictures?.tables.jobs as Table
  const mean = (column: string) => {
    const counted = (jobs[column] as number[]).filter((_, i) => jobs.is_counted?.[i] === 1)
    return counted.reduce((sum, one) => sum + one, 0) / counted.length
  }
  expect(mean('peers_ms')).toBeCloseTo(figures.mean_ms as number, 6)
  expect(mean('peers_ms') / mean('oracle_ms')).toBeCloseTo(figures.mean_vs_oracle as number, 6)
  expect(mean('executions')).toBeCloseTo(figures.executions_per_job as number, 6)
})
