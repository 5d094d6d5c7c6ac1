import { expect, test } from 'vitest'
import { deadFiles, packageEntries } from './reach.ts'
import { parseSource } from './syntax-tree.ts'

const dead = (files: Record<string, string>, entries: string[] = []) =>
  deadFiles(
    Object.entries(files).map(([path, text]) => parseSource(path, text)),
    entries,
  )

test('a file that nothing names is dead, and so is what only it uses', () => {
  const files = {
    'node/index.ts': "import { a } from './a.ts'",
    'node/a.ts': 'export const a = 1',
    'node/b.ts': "import { c } from './c.ts'",
    'node/c.ts': "import { b } from './b.ts'",
  }
  expect(dead(files, ['node/index.ts'])).toEqual([
    'node/b.ts: nothing uses this file',
    'node/c.ts: nothing uses this file',
  ])
})

test('tests, benches, examples and configurations start by themselves', () => {
  const files = {
    'node/a.test.ts': '',
    'bench/a.ts': '',
    'bench/rivals/b.ts': '',
    'examples/c/d.ts': '',
    'vitest.config.ts': '',
  }
  expect(dead(files)).toEqual(['bench/rivals/b.ts: nothing uses this file'])
})

test('workers and processes are reached by their path', () => {
  const files = {
    'node/index.ts': "new URL('./worker.ts', import.meta.url); spawn(join(here, 'child.ts')); run('scripts/x.cjs')",
    'node/worker.ts': '',
    'node/child.ts': '',
    'scripts/x.cjs': '',
  }
  expect(dead(files, ['node/index.ts'])).toEqual([])
})

test('the entries are what package.json exports, installs and runs', () => {
  const manifest = {
    main: 'ignored.ts',
    exports: { '.': { browser: './browser-agent/sdk.ts', default: './node/sdk.ts' }, './node': './node/index.ts' },
    bin: { wayside: 'bin/wayside.js' },
    scripts: { test: 'node scripts/setup.cjs && env node scripts/test/main.ts', check: 'node scripts/setup.cjs' },
  }
  expect(packageEntries(manifest)).toEqual([
    'browser-agent/sdk.ts',
    'node/sdk.ts',
    'node/index.ts',
    'bin/wayside.js',
    'scripts/setup.cjs',
    'scripts/test/main.ts',
  ])
})
