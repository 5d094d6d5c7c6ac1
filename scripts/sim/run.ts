/** One run of a scenario as the command performs it: what it prints, what it keeps, how it ends. */
import { spawnSync } from 'node:child_process'
import { MeshError } from '../../protocol/errors.ts'
import type { Finding, Scenario, Setting } from '../../simulations/scenarios.ts'
import { keepWorld } from './kept-worlds.ts'
import { writeReport } from './report/report.ts'

/** What `npm test` can run again and again. */
const KEPT_MS_MAX = 10_000

/** What went wrong on the way is found, too. */
export const findingOf = async (scenario: Scenario, setting: Setting): Promise<Finding> => {
  try {
    return await scenario.run(setting)
  } catch (cause) {
    return { figures: {}, violations: [`it ended early: ${(cause as Error).stack}`] }
  }
}

const git = (...args: string[]): string =>
  spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout?.trim() ?? ''

/** The commit that runs, and whether it was changed since; `unknown` outside a checkout. */
export const commitNow = (): string => {
  const commit = git('rev-parse', 'HEAD')
  if (commit === '') return 'unknown'
  return git('status', '--porcelain') === '' ? commit : `${commit}, with changes that are not committed`
}

export interface Run {
  name: string
  setting: Setting
  /** Names of the files that `setting` has something from, by option. */
  files?: Readonly<Record<string, string>>
  json: boolean
  /** The folder of its report. */
  report?: string | undefined
}

/** Throws MeshError E_USAGE, before anything runs, for a file of which the scenario would take nothing. */
export const ensureTakes = (
  name: string,
  { takesMatrix, takesTrace }: Scenario,
  files: NonNullable<Run['files']>,
): void => {
  if (files['rtt-matrix'] !== undefined && !takesMatrix)
    throw new MeshError('E_USAGE', `${name} takes no --rtt-matrix: its peers are all as far from each other`)
  if (files.trace !== undefined && !takesTrace)
    throw new MeshError('E_USAGE', `${name} takes no --trace: it draws its jobs`)
}

export interface Output {
  log(line: string): void
  error(line: string): void
  keptWorlds?: string
}

const print = ({ figures, violations }: Finding, log: Output['log']): void => {
  for (const [name, figure] of Object.entries(figures)) log(`${name.padEnd(32)} ${Number(figure.toPrecision(6))}`)
  for (const violation of violations) log(`WRONG: ${violation}`)
}

/** The exit code: 1 if something was wrong. Then it is kept, unless that takes too long for `npm test`. */
export const performRun = async (scenario: Scenario, run: Run, output: Output): Promise<0 | 1> => {
  const { name, setting, files = {}, json, report } = run
  const { seed, peers } = setting
  const commit = commitNow()
  const more = Object.entries(files).map(([option, file]) => ` --${option} ${file}`)
  const command = `npm run sim -- ${name} --seed ${seed} --peers ${peers}${more.join('')}`
  const again = `${command}\nat commit ${commit}`
  if (!json) output.log(again)
  const startedAt = performance.now()
  const finding = await findingOf(scenario, setting)
  const isShort = performance.now() - startedAt <= KEPT_MS_MAX && more.length === 0
  const { figures, violations } = finding
  if (json) output.log(JSON.stringify({ scenario: name, seed, peers, commit, figures, violations }))
  else print(finding, output.log)
  if (report !== undefined) {
    const about = { name, about: scenario.about, seed, peers, commit, command }
    const file = await writeReport(report, { ...about, ...finding })
    if (!json) output.log(`report: ${file}`)
  }
  const [found] = finding.violations
  if (found === undefined) return 0
  output.error(`repeat it with: ${again}`)
  const plan = setting.plan ?? scenario.planOf?.(seed, peers)
  if (isShort)
    output.error(keepWorld({ scenario: name, seed, peers, commit, found, ...(plan && { plan }) }, output.keptWorlds))
  return 1
}
