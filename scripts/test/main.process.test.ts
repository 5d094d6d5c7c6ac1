import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
let root = ''

/** The runner and what it reads. */
const HOUSE = [
  ...['package.json', 'tsconfig.json', 'biome.json', '.gitignore', 'vitest.config.ts'],
  ...['main.ts', 'run-within.ts', 'seed.ts', 'system-packages.ts', 'tally.ts'].map((name) => `scripts/test/${name}`),
  ...['scripts/check.ts', 'scripts/system-packages.json', 'simulations/random.ts'],
  ...['protocol/ports.ts', 'protocol/log.ts'],
]

/** A checkout with nothing to run but what a test plants. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wayside-runner-'))
  for (const path of HOUSE) cpSync(join(ROOT, path), join(root, path))
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

const plant = (path: string, lines: string[]) => writeFileSync(join(root, path), `${lines.join('\n')}\n`)
const unplant = (...paths: string[]) => {
  for (const path of paths) rmSync(join(root, path))
}

const run = (args: string[], environment: Record<string, string> = {}) => {
  const { WAYSIDE_SEED: _, ...outer } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...outer, NO_COLOR: '1', ...environment },
  })
  const lines = stdout.trimEnd().split('\n')
  return {
    status,
    printed: stdout + stderr,
    failed: lines.filter((line) => line.startsWith('failed: ')),
    last: lines.at(-1),
  }
}

test('counts checks and tests, and fails what is broken, skipped or badly typed, by name', () => {
  plant('good.test.ts', ["import { expect, test } from 'vitest'", '', "test('adds', () => expect(1 + 1).toBe(2))"])
  plant('skipped.test.ts', ["import { test } from 'vitest'", '', "test.skip('never', () => {})"])
  plant('broken.test.ts', ["import './gone.ts'"])
  const { status, failed, last } = run([])
  expect(failed).toEqual([
    'failed: types (tsc)',
    expect.stringMatching(/^failed: broken\.test\.ts: /),
    'failed: skipped.test.ts > never: skipped, not run',
  ])
  expect([status, last]).toEqual([1, '3 passed, 3 failed'])
  unplant('good.test.ts', 'skipped.test.ts', 'broken.test.ts')
})

test('a pattern runs the files that match it, and no checks; no match is a failure', () => {
  plant('good.test.ts', ["import { expect, test } from 'vitest'", '', "test('adds', () => expect(1 + 1).toBe(2))"])
  expect(run(['good'])).toMatchObject({ status: 0, last: '1 passed, 0 failed' })
  expect(run(['nothing'])).toMatchObject({ status: 1, failed: ['failed: no test ran'], last: '0 passed, 1 failed' })
  unplant('good.test.ts')
})

test('an error outside the tests is a failure', () => {
  plant('late.test.ts', [
    "import { test } from 'vitest'",
    "test('leaves a promise', async () => {",
    "  Promise.reject(new Error('late'))",
    '  await new Promise((resolve) => setTimeout(resolve, 50))',
    '})',
  ])
  expect(run(['late'])).toMatchObject({ status: 1, last: '1 passed, 1 failed' })
  unplant('late.test.ts')
})

test('a random test that fails prints the line that replays it', () => {
  plant('random.test.ts', [
    "import { expect, test } from 'vitest'",
    "import { randomFor } from './scripts/test/seed.ts'",
    "test('draws', () => expect('drew ' + randomFor('draws').below(2 ** 32)).toBe('nothing'))",
  ])
  const first = run(['random'])
  const replay = /replay with: WAYSIDE_SEED=(?<seed>\d+) npm test -- random\.test\.ts/.exec(first.printed)
  const drawn = /drew \d+/.exec(first.printed)
  const again = run(['random'], { WAYSIDE_SEED: replay?.groups?.seed ?? '' })
  expect(drawn).not.toBeNull()
  expect(/drew \d+/.exec(again.printed)?.[0]).toBe(drawn?.[0])
  unplant('random.test.ts')
})
