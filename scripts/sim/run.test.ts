import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Scenario } from '../../simulations/scenarios.ts'
import { type Plan, planOf } from '../../simulations/short/plan.ts'
import { readKeptWorlds } from './kept-worlds.ts'
import { machine } from './machine.ts'
import { commitNow, ensureTakes, performRun } from './run.ts'

const outputFor = () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-sim-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const keptWorlds = join(folder, 'kept.jsonl')
  writeFileSync(keptWorlds, '')
  const [logged, errors]: [string[], string[]] = [[], []]
  return {
    keptWorlds,
    logged,
    errors,
    log: (line: string) => logged.push(line),
    error: (line: string) => errors.push(line),
  }
}

/** Finds something wrong with each odd seed. */
const ODD: Scenario = {
  about: 'odd ones',
  peers: 3,
  run: async ({ seed }) => ({ figures: { seed }, violations: seed % 2 === 1 ? ['it is odd'] : [] }),
}

const run = (seed: number, json = false) => ({ name: 'odd', setting: { machine, seed, peers: 3 }, json })

test('what holds prints its figures, and keeps nothing', async () => {
  const output = outputFor()
  expect(await performRun(ODD, run(4), output)).toBe(0)
  expect(output.logged.join('\n')).toMatch(/^npm run sim -- odd --seed 4 --peers 3\nat commit \S+[\s\S]*\nseed +4$/)
  expect([output.errors, readKeptWorlds(output.keptWorlds)]).toEqual([[], []])
})

test('what does not prints how to repeat it, at which commit, and is kept once', async () => {
  const output = outputFor()
  for (const seed of [5, 7, 5]) expect(await performRun(ODD, run(seed), output)).toBe(1)
  expect(output.logged).toContain('WRONG: it is odd')
  expect(output.errors[0]).toMatch(/^repeat it with: npm run sim -- odd --seed 5 --peers 3\nat commit \S+/)
  const kept = { scenario: 'odd', peers: 3, commit: commitNow(), found: 'it is odd' }
  expect(readKeptWorlds(output.keptWorlds)).toEqual([
    { ...kept, seed: 5 },
    { ...kept, seed: 7 },
  ])
  expect(output.errors.filter((line) => line.includes(output.keptWorlds))).toEqual([
    `kept in ${output.keptWorlds}`,
    `kept in ${output.keptWorlds}`,
    `it is in ${output.keptWorlds} already`,
  ])
})

test('where nothing can be written that is said, and nothing else is lost', async () => {
  const output = outputFor()
  rmSync(output.keptWorlds)
  expect(await performRun(ODD, run(5), output)).toBe(1)
  expect(output.errors.at(-1)).toMatch(/^not kept: ENOENT/)
})

test('a short world is kept as it was drawn, and what is drawn from its seed since is another one', async () => {
  const output = outputFor()
  const [before, since] = [planOf(1, 5), planOf(2, 5)]
  const drawing = (plan: Plan): Scenario => ({ ...ODD, planOf: () => plan })
  for (const plan of [before, since, before]) await performRun(drawing(plan), run(5), output)
  expect(readKeptWorlds(output.keptWorlds).map(({ plan }) => plan)).toEqual([before, since])
})

test('what throws is found, too', async () => {
  const output = outputFor()
  const broken: Scenario = { ...ODD, run: () => Promise.reject(new Error('no world')) }
  expect(await performRun(broken, run(2), output)).toBe(1)
  expect(readKeptWorlds(output.keptWorlds)[0]?.found).toContain('no world')
})

test('what was read from a file is named in the line that repeats it, and its seed is not kept', async () => {
  const output = outputFor()
  await performRun(ODD, { ...run(5), files: { 'rtt-matrix': 'm.txt', trace: 'jobs.csv' } }, output)
  expect(output.errors[0]).toContain('--peers 3 --rtt-matrix m.txt --trace jobs.csv\n')
  expect(readKeptWorlds(output.keptWorlds)).toEqual([])
})

test('as JSON it is one line', async () => {
  const output = outputFor()
  await performRun(ODD, run(4, true), output)
  expect(output.logged.map((line) => JSON.parse(line))).toMatchObject([
    { scenario: 'odd', seed: 4, peers: 3, figures: { seed: 4 }, violations: [] },
  ])
})

test('a file of which a scenario takes nothing is refused, and not passed over', () => {
  const usage = expect.objectContaining({ code: 'E_USAGE' })
  expect(() => ensureTakes('odd', ODD, { 'rtt-matrix': 'm.txt' })).toThrow(usage)
  expect(() => ensureTakes('odd', { ...ODD, takesMatrix: true }, { trace: 'jobs.csv' })).toThrow(usage)
  ensureTakes('odd', { ...ODD, takesMatrix: true, takesTrace: true }, { 'rtt-matrix': 'm.txt', trace: 'jobs.csv' })
  ensureTakes('odd', ODD, {})
})
