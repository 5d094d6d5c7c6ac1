/** The rivals that are large are installed when they are measured, from a lock file of their own. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const FOLDER = import.meta.dirname
const ARGS = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

export const installRivals = (): void => {
  if (!existsSync(join(FOLDER, 'node_modules', 'workerd'))) execFileSync('npm', ARGS, { cwd: FOLDER, stdio: 'inherit' })
}

/** The workerd program of this platform. */
export const workerdProgram = (): string => {
  const platform = `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  return join(
    dirname(createRequire(join(FOLDER, 'package.json')).resolve(`${platform}/package.json`)),
    'bin',
    'workerd',
  )
}
