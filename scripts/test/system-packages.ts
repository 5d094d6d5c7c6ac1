/** Debian packages that tests need and npm does not bring: one list, one installation. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

export interface SystemPackage {
  /** Its name in Debian. */
  package: string
  /** What shows that it is installed: a program on the PATH, or a file by its whole path. */
  probe: string
  /** The test files that fail without it. */
  tests: string[]
}

/** What the installation needs from the machine; a test hands in another one. */
export interface Machine {
  has(program: string): boolean
  /** Whether it is Debian, or near enough to have apt-get, and we are root on it. */
  canInstall: boolean
  /** Exit status of a command whose output is passed on. */
  run(command: string, args: readonly string[], env: Record<string, string>): number | null
}

const isInstalled = (program: string) =>
  isAbsolute(program)
    ? existsSync(program)
    : (process.env.PATH ?? '').split(delimiter).some((directory) => {
        try {
          accessSync(join(directory, program), constants.X_OK)
          return true
        } catch {
          return false
        }
      })

export const thisMachine = (): Machine => ({
  has: isInstalled,
  canInstall: process.getuid?.() === 0 && existsSync('/etc/debian_version') && isInstalled('apt-get'),
  run: (command, args, env) =>
    spawnSync(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] }).status,
})

/** Waits for another apt-get rather than fail. */
const APT = ['-o', 'DPkg::Lock::Timeout=120']
const INSTALL = ['install', '-y', '--no-install-recommends']
/** No question is asked, and at run level 1 a package's daemon is not started. */
const QUIET = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }

/**
 * Installs what is missing of `list`, at once. Returns one line for each package that is missing afterwards: the tests
 * that fail for it, and the command that would help.
 */
export const ensureSystemPackages = (list: readonly SystemPackage[], machine: Machine): string[] => {
  const missing = () => list.filter(({ probe }) => !machine.has(probe))
  const names = missing().map((item) => item.package)
  if (names.length > 0 && machine.canInstall) {
    const install = () => machine.run('apt-get', [...APT, ...INSTALL, ...names], QUIET) === 0
    // A fresh machine has no package lists, an old one has lists of packages that are gone.
    if (!install() && machine.run('apt-get', [...APT, 'update'], QUIET) === 0) install()
  }
  const command = `sudo apt-get install -y --no-install-recommends ${names.join(' ')}`
  return missing().map(
    (item) => `${item.tests.join(', ')}: needs ${item.probe}, which is not installed; run: ${command}`,
  )
}
