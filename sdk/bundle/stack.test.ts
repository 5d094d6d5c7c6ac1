import { describe, expect, test } from 'vitest'
import { MODULE_NAME } from '../../sandbox/constants.ts'
import { failed, perform } from '../../sandbox/fixture.ts'
import { functionBundleOf } from '../function-bundle.ts'
import { bundle } from './bundle.ts'
import { createStackReader } from './stack.ts'
import { temporaryProject } from './temporary-project.ts'

const SOURCES = {
  'src/main.ts': `import { fail } from '../lib/fail.ts'
import later from '../lib/later.ts'
import run from 'runs'

interface Wish { how: 'nested' | 'later' | 'package' | 'callback' | 'printed' }

function helper(n: number) {
  return [n].map((each) => fail(each))
}

export default function top({ how }: Wish): unknown {
  if (how === 'nested') fail(1)
  if (how === 'callback') return helper(2)
  if (how === 'package') run(() => fail(3))
  console.error('seen', new Error('here'))
  return how === 'later' && later()
}
`,
  'lib/fail.ts': `type Cause = unknown

export const fail = (cause: Cause): never => {
  throw new Error(String(helper(cause)))
}

const helper = (cause: Cause) => cause
`,
  'lib/later.ts': `export default async () => {
  await null
  await deeper()
}

async function deeper() {
  await null
  null!.x
}
`,
  'node_modules/runs/package.json': '{"name":"runs","main":"lib/index.js"}',
  'node_modules/runs/lib/index.js': `function helper(callback) {
  callback()
}

module.exports = function run(callback) { helper(callback) }
`,
}

/** The bundle of SOURCES with `changes`, as text, and its reader. */
const built = async (changes: Record<string, string> = {}) => {
  const cwd = temporaryProject({ ...SOURCES, ...changes })
  const made = await bundle('src/main.ts', { cwd })
  return { made, module: new TextDecoder().decode(made.code), read: createStackReader(made, MODULE_NAME, cwd) }
}

const frames = (...lines: string[]) => lines.map((line) => `    at ${line}`).join('\n')

describe('what a function throws is led back to the sources, with their names', () => {
  test.each([
    ['nested', frames('fail (lib/fail.ts:4:13)', 'top (src/main.ts:12:25)')],
    [
      'callback',
      frames(
        'fail (lib/fail.ts:4:13)',
        '<anonymous> (src/main.ts:8:28)',
        'map (native)',
        'helper (src/main.ts:8:3)',
        'top (src/main.ts:13:27)',
      ),
    ],
    [
      'package',
      frames(
        'fail (lib/fail.ts:4:13)',
        '<anonymous> (src/main.ts:14:36)',
        'helper (node_modules/runs/lib/index.js:2:3)',
        'run (node_modules/runs/lib/index.js:5:43)',
        'top (src/main.ts:14:26)',
      ),
    ],
    ['later', frames('deeper (lib/later.ts:8:3)')],
  ])('%s', async (how, stack) => {
    const { module, read } = await built()
    expect(read(failed(module, { how }).stack)).toBe(stack)
  })

  test('an export that has no name of its own, and one that is called like it', async () => {
    const { module, read } = await built({
      'lib/later.ts':
        'const a_default = () => {\n  null!.x\n}\nexport default (): void => {\n  for (;;) a_default()\n}\n',
      'src/main.ts': 'import later from "../lib/later.ts"\nexport default () => {\n  later()\n}',
    })
    expect(read(failed(module).stack)).toBe(
      frames('a_default (lib/later.ts:2:3)', 'default (lib/later.ts:5:12)', 'default (src/main.ts:3:3)'),
    )
  })
})

describe('a module that does not load', () => {
  test('because an import of it throws', async () => {
    const { module, read } = await built({ 'lib/later.ts': '\nthrow new TypeError("at once")\nexport default 1' })
    expect(read(failed(module).stack)).toBe(frames('<anonymous> (lib/later.ts:2:11)'))
  })

  test('because a package does', async () => {
    const { module, read } = await built({ 'node_modules/runs/lib/index.js': '\nnull.x\n' })
    expect(read(failed(module).stack)).toBe(
      frames('node_modules/runs/lib/index.js (node_modules/runs/lib/index.js:2:1)', '<anonymous> (src/main.ts:3:17)'),
    )
  })

  test('because the engine reads its syntax otherwise than the bundler', async () => {
    const { module, read } = await built({ 'lib/later.ts': '\nexport default () =>\n  /(?<a>.)(?<a>.)/' })
    const failure = failed(module)
    expect(failure.code).toBe('E_FUNCTION_SYNTAX')
    expect(read(failure.stack)).toBe(frames('lib/later.ts:3:3'))
  })
})

test('what is printed is led back as well; text that only looks like it is left alone', async () => {
  const { module, read } = await built()
  const [{ text } = { text: '' }] = perform(module, { how: 'printed' }).console
  expect(read(text)).toBe(`seen Error: here\n${frames('top (src/main.ts:15:29)')}`)
  expect(read('see function.js:85:26, (other.js:1:1)\n    at f (other.js:1:1)')).toBe(
    'see function.js:85:26, (other.js:1:1)\n    at f (other.js:1:1)',
  )
})

test('what is published has neither the map nor a folder of this machine', async () => {
  const { made } = await built()
  const published = functionBundleOf(made)
  expect(Object.keys(published).sort()).toEqual([
    'code',
    'effects',
    'env',
    'exports',
    'limits',
    'modules',
    'name',
    'tier',
  ])
  expect(made.map).toContain('wayside-bundle-')
  expect(new TextDecoder().decode(published.code)).not.toMatch(/wayside-bundle-|sourceMappingURL/)
})

test('a name is not taken for a changed one that begins like it', async () => {
  const { module, read } = await built({
    'lib/later.ts': 'export default 1\nexport const failure = () => {}',
    'src/main.ts': `import { failure as other } from '../lib/later.ts'
const failure = () => fail()
function fail(): never {
  null!.x
}
export default () => { other(); failure() }
`,
  })
  expect(module).toContain('failure2')
  expect(read(failed(module).stack)).toBe(
    frames('fail (src/main.ts:4:3)', 'failure (src/main.ts:2:23)', 'default (src/main.ts:6:33)'),
  )
})

test('of a stack that a stranger made up some names are looked for, and no more', async () => {
  const { read, module } = await built()
  const row = module.split('\n').findIndex((line) => /\bhelper2\b/.test(line)) + 1
  const frame = (name: string) => `    at ${name} (${MODULE_NAME}:${row}:1)`
  const madeUp = Array.from({ length: 100 }, (_, i) => frame(`name${i}`))
  const nameIn = (text: string) => /at (\S+) /.exec(text.split('\n').at(-1) ?? '')?.[1]
  expect(nameIn(read([...madeUp.slice(1), frame('helper2')].join('\n')))).toBe('helper')
  const { read: another } = await built()
  expect(nameIn(another([...madeUp, frame('helper2')].join('\n')))).toBe('helper2')
})
