import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ensureSystemPackages, type Machine, type SystemPackage, thisMachine } from './system-packages.ts'

const LIST: SystemPackage[] = [
  { package: 'tmux', probe: 'tmux', tests: ['node/a.process.test.ts', 'node/b.process.test.ts'] },
  { package: 'etcd-server', probe: 'etcd', tests: ['node/c.process.test.ts'] },
]

/** `works`: which commands, counted from 1, succeed; a successful install installs everything. */
const machine = (options: { installed?: string[]; canInstall?: boolean; works?: number[] }) => {
  const installed = new Set(options.installed)
  const ran: string[] = []
  const run: Machine['run'] = (command, args, env) => {
    ran.push([...Object.entries(env).map(([name, value]) => `${name}=${value}`), command, ...args].join(' '))
    if (!options.works?.includes(ran.length)) return 100
    if (args.includes('install')) for (const { probe } of LIST) installed.add(probe)
    return 0
  }
  return { ran, machine: { has: (program: string) => installed.has(program), canInstall: !!options.canInstall, run } }
}

const APT = 'DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=120'
const INSTALL_BOTH = `${APT} install -y --no-install-recommends tmux etcd-server`

describe('ensureSystemPackages', () => {
  test('runs nothing when all is there', () => {
    const { ran, machine: ready } = machine({ installed: ['tmux', 'etcd'], canInstall: true })
    expect(ensureSystemPackages(LIST, ready)).toEqual([])
    expect(ran).toEqual([])
  })

  test('installs what is missing in one command that waits for the lock and starts no daemon', () => {
    const { ran, machine: fresh } = machine({ canInstall: true, works: [1] })
    expect(ensureSystemPackages(LIST, fresh)).toEqual([])
    expect(ran).toEqual([INSTALL_BOTH])
  })

  test('fetches the package lists and tries again when that fails', () => {
    const { ran, machine: fresh } = machine({ canInstall: true, works: [2, 3] })
    expect(ensureSystemPackages(LIST, fresh)).toEqual([])
    expect(ran).toEqual([INSTALL_BOTH, `${APT} update`, INSTALL_BOTH])
  })

  test('where it may not install, names the tests and the command', () => {
    const { ran, machine: foreign } = machine({ installed: ['tmux'] })
    expect(ensureSystemPackages(LIST, foreign)).toEqual([
      'node/c.process.test.ts: needs etcd, which is not installed; run: sudo apt-get install -y --no-install-recommends etcd-server',
    ])
    expect(ran).toEqual([])
  })

  test('says the same when the installation fails', () => {
    const { machine: offline } = machine({ canInstall: true, works: [] })
    expect(ensureSystemPackages(LIST, offline)).toHaveLength(2)
  })
})

test('this machine knows which programs it has', () => {
  const { has } = thisMachine()
  expect([has('sh'), has('no-such-program-as-this')]).toEqual([true, false])
})

test('the list names packages once, tests that exist, and all of those in browsers', () => {
  const root = join(import.meta.dirname, '../..')
  const list: SystemPackage[] = JSON.parse(readFileSync(join(root, 'scripts/system-packages.json'), 'utf8'))
  expect(new Set(list.map((item) => item.package)).size).toBe(list.length)
  for (const { tests } of list) {
    expect(tests).not.toEqual([])
    expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([])
  }
  const all = globSync('**/*.{chromium,firefox}.test.ts', { cwd: root, exclude: ['node_modules/**', 'dist/**'] })
  expect(list.flatMap(({ probe, tests }) => (/^chromium|^firefox/.test(probe) ? tests : [])).sort()).toEqual(all.sort())
})
