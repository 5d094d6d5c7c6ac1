/**
 * `npm run sim -- SCENARIO [--seed S] [--peers N] [--rtt-matrix FILE] [--json] [--report DIR]`: runs a
 * scenario of `simulations/scenarios/`, and prints what came of it, with --json as one JSON object. With --report DIR/report.html
 * shows it, and each table of figures behind that is a CSV beside it. Exit 1: something was wrong; then the line that
 * repeats it is printed, and the seed is kept for `npm test`.
 */
import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseRttMatrix } from '../../simulations/rtt-matrix.ts'
import { SCENARIOS } from '../../simulations/scenarios.ts'
import { machine } from './machine.ts'
import { performRun } from './run.ts'

const SEED_LIMIT = 2 ** 32

const OPTIONS = {
  seed: { type: 'string' },
  peers: { type: 'string' },
  'rtt-matrix': { type: 'string' },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
} as const

const usage = async (): Promise<void> => {
  console.error('usage: npm run sim -- SCENARIO [--seed S] [--peers N] [--rtt-matrix FILE] [--json] [--report DIR]')
  for (const [name, load] of Object.entries(SCENARIOS)) {
    const { scenario } = await load()
    console.error(`  ${name.padEnd(16)} ${scenario.about} (${scenario.peers} peers unless told)`)
  }
}

/** Throws if `text` is no integer from `least` to 2^32 - 1. */
const wholeNumber = (option: string, text: string, least: number): number => {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number < SEED_LIMIT) return number
  throw new Error(`--${option} ${text} is no integer from ${least} to ${SEED_LIMIT - 1}`)
}

/** Throws, before anything runs, if the report will have no place. */
const makeFolder = (report: string): void => {
  try {
    mkdirSync(report, { recursive: true })
  } catch (cause) {
    throw new Error(`--report ${report} is no folder and cannot be made one: ${(cause as Error).message}`)
  }
}

const runOf = () => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS })
  const [name = '', ...rest] = positionals
  const load = Object.hasOwn(SCENARIOS, name) && rest.length === 0 ? SCENARIOS[name] : undefined
  if (!load) throw new Error(`there is no scenario "${positionals.join(' ')}"`)
  const { json, 'rtt-matrix': matrix, report } = values
  if (report !== undefined) makeFolder(report)
  const seed = wholeNumber('seed', values.seed ?? String(randomInt(SEED_LIMIT)), 0)
  const peers = values.peers === undefined ? undefined : wholeNumber('peers', values.peers, 2)
  const rtts = matrix === undefined ? {} : { rtts: parseRttMatrix(readFileSync(matrix, 'utf8')) }
  return { load, name, matrix, json, report, seed, peers, rtts }
}

const main = async (): Promise<number> => {
  let asked: ReturnType<typeof runOf>
  try {
    asked = runOf()
  } catch (cause) {
    console.error((cause as Error).message)
    await usage()
    return 2
  }
  const { load, name, matrix, json, report, seed, peers, rtts } = asked
  const { scenario } = await load()
  const setting = { machine, seed, peers: peers ?? scenario.peers, ...rtts }
  return performRun(scenario, { name, setting, matrix, json, report }, console)
}

process.exitCode = await main()
