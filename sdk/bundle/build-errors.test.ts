import { describe, expect, test } from 'vitest'
import { bundle } from './bundle.ts'
import { temporaryProject } from './temporary-project.ts'

/** Bundles src/main.ts with `files` beside it; the error's code, message and fields. */
const failure = (main: string, files: Record<string, string> = {}) =>
  bundle('src/main.ts', { cwd: temporaryProject({ 'src/main.ts': main, ...files }) }).then(
    () => expect.unreachable('it was bundled'),
    (error) => ({ code: error.code, ...error.fields }),
  )

const NODE_MODULE =
  'a module of Node.js: a function runs in a sandbox without files, network and processes. ' +
  'Read what it needs before the call and pass it as input, or use a package that does without Node.js'

describe('an import that cannot be had', () => {
  test.each(['node:fs', 'fs', 'fs/promises', 'node:unheard-of'])('%s', async (name) => {
    expect(await failure(`import * as it from '${name}'\nexport default () => it`)).toEqual({
      code: 'E_BUNDLE',
      file: 'src/main.ts',
      line: 1,
      column: 21,
      import: name,
      message: `src/main.ts:1:21 imports "${name}", ${NODE_MODULE}`,
    })
  })

  test('a module of Node.js in a package', async () => {
    const { code, message } = await failure('export { read as default } from "reader"', {
      'node_modules/reader/index.js': '\nconst fs = require("fs"); exports.read = () => fs',
    })
    expect(code).toBe('E_BUNDLE')
    expect(message).toBe(`node_modules/reader/index.js:2:20 imports "fs", ${NODE_MODULE}`)
  })

  test('one that a package only tries for', async () => {
    const folder = temporaryProject({
      'main.ts': 'export { has as default } from "tries"',
      'node_modules/tries/index.js': 'let fs; try { fs = require("fs") } catch {} exports.has = () => Boolean(fs)',
    })
    const { code } = await bundle('main.ts', { cwd: folder })
    const module = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
    expect(module.default()).toBe(false)
  })

  test('a file that is not there, a package that is not installed, a path that a package hides', async () => {
    expect((await failure('import "../lib/missing.ts"')).message).toBe(
      'src/main.ts:1:8 imports "../lib/missing.ts", but there is no such file: looked for lib/missing.ts',
    )
    expect((await failure('import "@some/pkg/deep"')).message).toBe(
      'src/main.ts:1:8 imports "@some/pkg/deep", a package that is not installed there: run npm install @some/pkg',
    )
    const files = { 'node_modules/shy/package.json': '{"name":"shy","exports":{".":"./a.js"}}' }
    expect((await failure('import "shy/b.js"', files)).message).toBe(
      'src/main.ts:1:8 imports "shy/b.js", but its package does not export that path: ' +
        'name one that its package.json lists under "exports"',
    )
  })

  test('a URL, a style sheet, a name that the other file does not export', async () => {
    expect(await failure('import x from "https://example.com/x.js"\nexport default x')).toEqual({
      code: 'E_BUNDLE',
      file: 'src/main.ts',
      import: 'https://example.com/x.js',
      message:
        'src/main.ts imports "https://example.com/x.js", from the network: ' +
        'install the package with npm, or download the file and import that',
    })
    expect((await failure('import "./a.css"\nexport default 1', { 'src/a.css': 'a {}' })).message).toBe(
      'src/main.ts imports "a.css", a style sheet, which a function has no page for: remove the import',
    )
    const { code, message } = await failure('import { b } from "./a.ts"\nexport default b', {
      'src/a.ts': 'export const a = 1',
    })
    expect(code).toBe('E_BUNDLE')
    expect(message).toBe(
      'src/main.ts:1:10: No matching export in "a.ts" for import "b"\n  1 | import { b } from "./a.ts"\n               ^',
    )
  })
})

test('a file of another kind', async () => {
  const { code, message } = await failure('import it from "./it.py"\nexport default it', { 'src/it.py': '' })
  expect(code).toBe('E_BUNDLE')
  expect(message).toMatch(/^src\/main\.ts:1:16: it\.py: files of the kind \.py cannot be bundled; TypeScript/)
})

describe('a source that does not parse', () => {
  test('of the author, with line and column in characters', async () => {
    expect(await failure('// ok\n\tconst é = 1; return ]')).toEqual({
      code: 'E_FUNCTION_SYNTAX',
      file: 'src/main.ts',
      line: 2,
      column: 22,
      message: 'src/main.ts:2:22: Unexpected "]"\n  2 |  const é = 1; return ]\n                           ^',
    })
  })

  test('of a package', async () => {
    const { code, message } = await failure('import "broken"', { 'node_modules/broken/index.js': 'let = = 1' })
    expect(code).toBe('E_BUNDLE')
    expect(message).toMatch(/^node_modules\/broken\/index\.js:1:\d+: Unexpected "="\n {2}1 \| let = = 1\n/)
  })

  test('or a file of data or configuration', async () => {
    expect((await failure('import "./a.json"', { 'src/a.json': '{"a":' })).code).toBe('E_BUNDLE')
    const { code, message } = await failure('export default 1', { 'package.json': '{}', 'tsconfig.json': '{ bad' })
    expect(code).toBe('E_BUNDLE')
    expect(message).toMatch(/^tsconfig\.json:1:3: Expected string in JSON but found "bad"\n {2}1 \| \{ bad\n/)
  })

  test('shows the neighbourhood of the fault, not a whole minified line', async () => {
    const { message } = await failure(`${'var a = 1;'.repeat(1000)} ] ${'var b = 1;'.repeat(1000)}`)
    const [, source, caret] = (message as string).split('\n')
    expect(source!.length).toBeLessThan(140)
    expect(source![caret!.indexOf('^')]).toBe(']')
  })
})

test('warnings name their place', async () => {
  const folder = temporaryProject({ 'main.ts': 'export default (x: string) => typeof x === "strnig"' })
  expect((await bundle('main.ts', { cwd: folder })).warnings).toEqual([
    'main.ts:1:44: The "typeof" operator will never evaluate to "strnig"',
  ])
})
