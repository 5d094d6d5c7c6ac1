import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Scenario } from '../../simulations/scenarios.ts'
import { readKeptSeeds } from './kept-seeds.ts'
import { machine } from './machine.ts'
import { performRun } from './run.ts'

const outputFor = () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-sim-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const keptSeeds = join(folder, 'kept-seeds.json')
  writeFileSync(keptSeeds, '[]')
  const [logged, errors]: [string[], string[]] = [[], []]
  return {
    keptSeeds,
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
  expect([output.errors, readKeptSeeds(output.keptSeeds)]).toEqual([[], []])
})

test('what does not prints how to repeat it, at which commit, and its seed is kept once', async () => {
  const output = outputFor()
  for (const seed of [5, 7, 5]) expect(await performRun(ODD, run(seed), output)).toBe(1)
  expect(output.logged).toContain('WRONG: it is odd')
  expect(output.errors[0]).toMatch(/^repeat it with: npm run sim -- odd --seed 5 --peers 3\nat commit \S+/)
  const kept = { scenario: 'odd', peers: 3, found: 'it is odd' }
  expect(readKeptSeeds(output.keptSeeds)).toEqual([
    { ...kept, seed: 5 },
    { ...kept, seed: 7 },
  ])
  expect(readFileSync(output.keptSeeds, 'utf8').endsWith('\n')).toBe(true)
})

test('what throws is found, too', async () => {
  const output = outputFor()
  const broken: Scenario = { ...ODD, run: () => Promise.reject(new Error('no world')) }
  expect(await performRun(broken, run(2), output)).toBe(1)
  expect(readKeptSeeds(output.keptSeeds)[0]?.found).toContain('no world')
})

test('what was read from a file is named in the line that repeats it, and its seed is not kept', async () => {
  const output = outputFor()
  await performRun(ODD, { ...run(5), files: { 'rtt-matrix': 'm.txt', trace: 'jobs.csv' } }, output)
  expect(output.errors[0]).toContain('--peers 3 --rtt-matrix m.txt --trace jobs.csv\n')
  expect(readKeptSeeds(output.keptSeeds)).toEqual([])
})

test('as JSON it is one line', async () => {
  const output = outputFor()
  await performRun(ODD, run(4, true), output)
  expect(output.logged.map((line) => JSON.parse(line))).toMatchObject([
    { scenario: 'odd', seed: 4, peers: 3, figures: { seed: 4 }, violations: [] },
  ])
})
