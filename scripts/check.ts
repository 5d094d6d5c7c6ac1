/** The checks that run no code of ours: types and style. `npm run check` runs them alone, `npm test` counts them. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** `asc` compiles what its entries export: each file is one. */
const ASSEMBLY_SCRIPT = globSync('{bench,examples}/**/*.as.ts', { cwd: ROOT })

const CHECKS = [
  { name: 'types (tsc)', args: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  {
    name: 'types of AssemblyScript (asc)',
    args: ['node_modules/assemblyscript/bin/asc.js', '--noEmit', ...ASSEMBLY_SCRIPT],
  },
  { name: 'style (biome)', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'] },
]

/** Runs each check, with its output passed on; gives the names of those that passed and failed. */
export const runChecks = (): { passed: string[]; failed: string[] } => {
  const results = CHECKS.map(({ name, args }) => ({
    name,
    ok: spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0,
  }))
  return {
    passed: results.filter(({ ok }) => ok).map(({ name }) => name),
    failed: results.filter(({ ok }) => !ok).map(({ name }) => name),
  }
}

if (import.meta.main) {
  const { passed, failed } = runChecks()
  for (const name of failed) console.error(`failed: ${name}`)
  console.log(`${passed.length} passed, ${failed.length} failed`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
