/** Counting: what a suite's report says, and the summary that ends a run. */
import { relative } from 'node:path'

export interface Tally {
  readonly passed: number
  /** One line each. */
  readonly failures: readonly string[]
}

export interface SuiteResult extends Tally {
  readonly name: string
  readonly tookMs: number
  readonly budgetMs: number
}

/** The part of vitest's JSON report that is counted. */
export interface VitestReport {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

/**
 * Counts the tests of a report. A file that could not be run is one failure. So is every test that was skipped or left
 * to do, unless `skipsAllowed`: no test is passed over in silence.
 */
export const tallyReport = (report: VitestReport, root: string, skipsAllowed: boolean): Tally => {
  const failures: string[] = []
  let passed = 0
  for (const file of report.testResults) {
    const name = relative(root, file.name)
    for (const { fullName, status } of file.assertionResults) {
      if (status === 'passed') passed++
      else if (status === 'failed') failures.push(`${name} > ${fullName}`)
      else if (!skipsAllowed) failures.push(`${name} > ${fullName}: ${status}, not run`)
    }
    const blamed = file.assertionResults.some(({ status }) => status === 'failed')
    if (file.status === 'failed' && !blamed)
      failures.push(`${name}: ${file.message.split('\n')[0] || 'failed outside its tests'}`)
  }
  return { passed, failures }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const overBudget = ({ name, tookMs, budgetMs }: SuiteResult) =>
  tookMs > budgetMs ? [`${name}: over budget, ${seconds(tookMs)} of ${seconds(budgetMs)}`] : []

/** The lines that end a run, the last of them 'N passed, N failed', and whether the run is good. */
export const summarise = (results: readonly SuiteResult[]): { lines: string[]; ok: boolean } => {
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failures = results.flatMap((result) => [...result.failures, ...overBudget(result)])
  if (passed + failures.length === 0) failures.push('no test ran')
  const rows = results.map(
    (result) =>
      `${result.name.padEnd(10)} ${String(result.passed).padStart(6)} passed ${String(result.failures.length).padStart(4)} failed` +
      ` ${seconds(result.tookMs).padStart(9)} of ${seconds(result.budgetMs)}`,
  )
  const tookMs = results.reduce((sum, result) => sum + result.tookMs, 0)
  const total = `${'in all'.padEnd(10)} ${seconds(tookMs).padStart(38)}`
  const count = `${passed} passed, ${failures.length} failed`
  return { lines: [...rows, total, ...failures.map((line) => `failed: ${line}`), count], ok: failures.length === 0 }
}
