/**
 * `npm run sim -- SCENARIO [--seed S] [--peers N] [--rtt-matrix FILE] [--trace FILE] [--json]
 * [--report DIR]`: runs a scenario of `simulations/scenarios/`, and prints what came of it, with --json as one JSON object. The
 * jobs of `large-routing` may come from a trace (`simulations/job-trace.ts`). With --report DIR/report.html shows it, and each
 * table of figures behind that is a CSV beside it. Exit 1: something was wrong; then the line that
 * repeats it is printed, and the world is kept for `npm test`.
 */
import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseJobTrace, TRACE_BYTES_MAX } from '../../simulations/job-trace.ts'
import { parseRttMatrix } from '../../simulations/rtt-matrix.ts'
import { SCENARIOS } from '../../simulations/scenarios.ts'
import { machine } from './machine.ts'
import { ensureTakes, performRun } from './run.ts'

const SEED_LIMIT = 2 ** 32

const OPTIONS = {
  seed: { type: 'string' },
  peers: { type: 'string' },
  'rtt-matrix': { type: 'string' },
  trace: { type: 'string' },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
} as const

const usage = async (): Promise<void> => {
  console.error(
    'usage: npm run sim -- SCENARIO [--seed S] [--peers N] [--rtt-matrix FILE] [--trace FILE] [--json] [--report DIR]',
  )
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

/** Throws if it is too large to be read. */
const traceOf = (file: string): string => {
  const { size } = statSync(file)
  if (size > TRACE_BYTES_MAX)
    throw new Error(`--trace ${file}: ${size} bytes, and ${TRACE_BYTES_MAX} are the most that are read`)
  return readFileSync(file, 'utf8')
}

const runOf = async () => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS })
  const [name = '', ...rest] = positionals
  const load = Object.hasOwn(SCENARIOS, name) && rest.length === 0 ? SCENARIOS[name] : undefined
  if (!load) throw new Error(`there is no scenario "${positionals.join(' ')}"`)
  const { json, 'rtt-matrix': matrix, trace, report } = values
  const { scenario } = await load()
  const files = { ...(matrix !== undefined && { 'rtt-matrix': matrix }), ...(trace !== undefined && { trace }) }
  ensureTakes(name, scenario, files)
  if (report !== undefined) makeFolder(report)
  const seed = wholeNumber('seed', values.seed ?? String(randomInt(SEED_LIMIT)), 0)
  const peers = values.peers === undefined ? undefined : wholeNumber('peers', values.peers, 2)
  const read = {
    ...(matrix !== undefined && { rtts: parseRttMatrix(readFileSync(matrix, 'utf8')) }),
    ...(trace !== undefined && { trace: parseJobTrace(traceOf(trace)) }),
  }
  return { scenario, name, files, json, report, setting: { machine, seed, peers: peers ?? scenario.peers, ...read } }
}

const main = async (): Promise<number> => {
  let asked: Awaited<ReturnType<typeof runOf>>
  try {
    asked = await runOf()
  } catch (cause) {
    console.error((cause as Error).message)
    await usage()
    return 2
  }
  const { scenario, ...run } = asked
  return performRun(scenario, run, console)
}

process.exitCode = await main()
