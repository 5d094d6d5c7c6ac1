/**
 * `npm test`: the checks and the suites, one after another, each under its budget (on 2 cores). Arguments go to vitest:
 * `npm test -- PATTERN` runs the test files whose path contains PATTERN, and no checks.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { NEVER, projects } from '../../vitest.config.ts'
import { runChecks } from '../check.ts'
import { runWithin } from './run-within.ts'
import { ensureSystemPackages, thisMachine } from './system-packages.ts'
import { type SuiteResult, summarise, type Tally, tallyReport, type VitestReport } from './tally.ts'

const ROOT = join(import.meta.dirname, '../..')
const MINUTE_MS = 60_000

/** A suite that is a little over its budget still reports what it ran; then it is killed. */
const GRACE_MS = 30_000
const SETUP_BUDGET_MS = 4 * MINUTE_MS
/** The projects of vitest.config.ts. The checks count as unit tests do. */
const SUITES = [
  { name: 'unit', budgetMs: 4 * MINUTE_MS },
  { name: 'process', budgetMs: 6 * MINUTE_MS },
  { name: 'world', budgetMs: 4 * MINUTE_MS },
  { name: 'chromium', budgetMs: 4 * MINUTE_MS },
  { name: 'firefox', budgetMs: 2 * MINUTE_MS },
  { name: 'etcd', budgetMs: 3 * MINUTE_MS },
]

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

const timed = async (name: string, budgetMs: number, run: () => Tally | Promise<Tally>): Promise<SuiteResult> => {
  const startedAt = performance.now()
  return { name, budgetMs, ...(await run()), tookMs: performance.now() - startedAt }
}

/** Packages that only tests need and that are large have lock files of their own. One line for each that is not there. */
const ensureOwnPackages = (): string[] =>
  globSync('scripts/*/package.json', { cwd: ROOT }).flatMap((file) => {
    const args = [join(ROOT, 'scripts/setup.cjs'), join(ROOT, dirname(file))]
    const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    return status === 0 ? [] : [`${file}: its packages could not be installed, as said above`]
  })

const setUp = async (): Promise<SuiteResult> => {
  const startedAt = Date.now()
  const result = await timed('set-up', SETUP_BUDGET_MS, () => {
    const list = readJson(join(ROOT, 'scripts/system-packages.json'))
    return { passed: 0, failures: [...ensureSystemPackages(list, thisMachine()), ...ensureOwnPackages()] }
  })
  // scripts/setup.cjs ran just before us; an installation that ended before that belongs to an earlier run.
  const { finishedAt, tookMs } = readJson(join(ROOT, 'node_modules/.setup.json'))
  const installedNow = startedAt - finishedAt < 10_000
  return { ...result, tookMs: result.tookMs + (installedNow ? tookMs : 0) }
}

/** Where there is no file of a suite, vitest is not started, which would take a second. */
const hasFiles = (name: string): boolean =>
  projects
    .filter(({ test }) => test.name === name)
    .some(({ test }) => globSync(test.include, { cwd: ROOT, exclude: NEVER }).length > 0)

const runSuite = async (name: string, limitMs: number, filters: readonly string[]): Promise<Tally> => {
  const directory = mkdtempSync(join(tmpdir(), 'wayside-test-'))
  const output = join(directory, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`]
  const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', `--project=${name}`, '--passWithNoTests']
  try {
    const status = await runWithin(limitMs, [...vitest, ...reporters, ...filters])
    const byName = filters.some((filter) => filter === '-t' || filter.startsWith('--testNamePattern'))
    const tally = tallyReport(readJson(output) as VitestReport, ROOT, byName)
    if (status === 0 || tally.failures.length > 0) return tally
    return { ...tally, failures: [`${name}: an error outside the tests, printed above`] }
  } catch (error) {
    return { passed: 0, failures: [`${name}: ended without a report: ${(error as Error).message}`] }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const checks = (): Tally => {
  const { passed, failed } = runChecks()
  return { passed: passed.length, failures: failed }
}

const main = async (filters: readonly string[]) => {
  process.chdir(ROOT)
  process.env.WAYSIDE_SEED ||= String(Math.floor(Math.random() * 2 ** 32))
  console.log(`WAYSIDE_SEED=${process.env.WAYSIDE_SEED}`)
  const results = [await setUp()]
  for (const { name, budgetMs } of SUITES.filter((suite) => hasFiles(suite.name))) {
    const checked = name === 'unit' && filters.length === 0
    const result = await timed(name, budgetMs, async () => {
      const before = checked ? checks() : { passed: 0, failures: [] }
      const tests = await runSuite(name, budgetMs + GRACE_MS, filters)
      return { passed: before.passed + tests.passed, failures: [...before.failures, ...tests.failures] }
    })
    if (result.passed + result.failures.length > 0) results.push(result)
  }
  const { lines, ok } = summarise(results)
  console.log(`\n${lines.join('\n')}`)
  process.exitCode = ok ? 0 : 1
}

await main(process.argv.slice(2))
