import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { version } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { CODE_BYTES_MAX } from '../../protocol/limits.ts'
import { bundle } from './bundle.ts'
import { evaluate } from './evaluate.ts'
import { temporaryProject } from './temporary-project.ts'

const text = (code: Uint8Array) => new TextDecoder().decode(code)

const PACKAGES = {
  'node_modules/modern/package.json':
    '{"name":"modern","version":"1.0.0","module":"./esm/index.mjs","main":"./none.js"}',
  'node_modules/modern/esm/index.mjs': 'export const modern = () => "modern"\nexport const unused = "UNUSED"\n',
  'node_modules/old/package.json': '{"name":"old","version":"1.0.0"}',
  'node_modules/old/index.js': 'const part = require("./lib/part"); module.exports = () => "old " + part.name\n',
  'node_modules/old/lib/part.js':
    'exports.name = "part"; if (process.env.NODE_ENV !== "production") require("./checks")\n',
  'node_modules/old/lib/checks.js': 'throw "DEVELOPMENT"',
}

/** What tempts a bundler to write folders into its output: index files, CommonJS, anonymous exports, lazy modules. */
const SOURCES = {
  'package.json': '{"name":"shop","type":"module"}',
  'index.ts': [
    "import { modern } from 'modern'",
    "import old from 'old'",
    "import shared from './shared/index.ts'",
    "import { own } from './own.cjs'",
    "import settings from './settings.json' with { type: 'json' }",
    'export default async () => [modern(), old(), shared(), own, settings.size, (await import("./lazy.ts")).late]',
    'export const beta = (): number => 2',
    'export function alpha() { return 1 }',
  ].join('\n'),
  'shared/index.ts': 'class Shared { name = "shared" }\nexport default () => new Shared().name\n',
  'own.cjs': 'exports.own = "own"\n',
  'settings.json': '{ "size": 3 }',
  'lazy.ts': 'export const late = await Promise.resolve("late")\n',
}

const ANSWER = ['modern', 'old part', 'shared', 'own', 3, 'late']

describe('the bytes', () => {
  test('are a module that the engine runs', async () => {
    const folder = temporaryProject({ ...SOURCES, ...PACKAGES })
    const built = await bundle('index.ts', { cwd: folder })
    expect(await evaluate(built.code, 'module.default()')).toEqual(ANSWER)
    expect(built).toMatchObject({ name: 'index', exports: ['alpha', 'beta', 'default'], effects: [], warnings: [] })
    expect(text(built.code)).not.toMatch(/UNUSED|DEVELOPMENT/)
  })

  test('are the same in any folder, by any name for it, and wherever the packages are installed', async () => {
    const folder = temporaryProject({ ...SOURCES, ...PACKAGES })
    const other = temporaryProject({
      'package.json': '{}',
      'tsconfig.json': '{"compilerOptions":{"useDefineForClassFields":false}}',
    })
    const deep = join(other, 'some/where/a-very-different-name')
    cpSync(folder, deep, { recursive: true })
    symlinkSync(deep, join(other, 'link'))
    const hoisted = temporaryProject(PACKAGES)
    mkdirSync(join(hoisted, 'packages'))
    cpSync(folder, join(hoisted, 'packages/shop'), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
    const stored = temporaryProject(SOURCES)
    for (const name of ['modern', 'old']) {
      const real = join(stored, `node_modules/.store/${name}@1.0.0/node_modules/${name}`)
      cpSync(join(folder, 'node_modules', name), real, { recursive: true })
      symlinkSync(real, join(stored, 'node_modules', name))
    }
    const first = await bundle('index.ts', { cwd: folder })
    const others = await Promise.all([
      bundle('index.ts', { cwd: deep }),
      bundle('./link/index.ts', { cwd: other }),
      bundle(pathToFileURL(join(other, 'link/index.ts'))),
      bundle(join(hoisted, 'packages/shop/index.ts'), { cwd: '/' }),
      bundle('index.ts', { cwd: stored }),
    ])
    for (const { code } of others) expect(text(code)).toBe(text(first.code))
    expect(text(first.code)).not.toContain('wayside-bundle-')
  })

  test('are pinned with the version of esbuild: changing either changes the CID of every function', async () => {
    const folder = temporaryProject({ 'hello.ts': 'export default (who: string) => who satisfies string' })
    expect(version).toBe('0.28.2')
    expect(text((await bundle('hello.ts', { cwd: folder })).code)).toBe(
      '// hello.ts\nvar hello_default = (who) => who;\nexport {\n  hello_default as default\n};\n',
    )
  })

  test('parse in the engine with the newest syntax that is left alone, and with what is lowered', async () => {
    const source = [
      'const dispose: typeof Symbol.dispose = Symbol.for("Symbol.dispose") // the engine has no Symbol.dispose yet',
      'const doubled = (x: number) => x * 2',
      'class Counter { static #made = 0; static { this.#made = 1 } accessor n = 1; has(o: object) { return #n2 in o } #n2 = 0 }',
      'const log: string[] = []',
      'function used() { using one = { [dispose]() { log.push("disposed") } }; log.push(typeof one) }',
      'export default () => { used(); const { year } = /(?<year>\\d{4})/v.exec("in 2026")!.groups!',
      '  return [year, doubled(2), new Counter().n, new Counter().has({}), ...log, /[\\p{L}--[a-z]]/v.test("A"), 2n ** 64n > 1n] }',
    ].join('\n')
    const { code } = await bundle('modern.ts', { cwd: temporaryProject({ 'modern.ts': source }) })
    expect(await evaluate(code, 'module.default()')).toEqual(['2026', 4, 1, false, 'object', 'disposed', true, true])
  })

  test('of a package are those it has for pages', async () => {
    const folder = temporaryProject({
      'main.ts': 'import { kind } from "both"; import { random } from "parts"; export default () => [kind, random]',
      'node_modules/both/package.json': '{"name":"both","main":"node.js","browser":"page.js"}',
      'node_modules/both/node.js': 'exports.kind = require("fs")',
      'node_modules/both/page.js': 'exports.kind = "page"',
      'node_modules/parts/package.json':
        '{"name":"parts","main":"index.js","browser":{"./lib.js":"./lib-page.js","crypto":false}}',
      'node_modules/parts/index.js': 'exports.random = [require("./lib.js"), typeof require("crypto").randomBytes]',
      'node_modules/parts/lib.js': 'module.exports = "node"',
      'node_modules/parts/lib-page.js': 'module.exports = "page"',
    })
    const { code } = await bundle('main.ts', { cwd: folder })
    expect(await evaluate(code, 'module.default()')).toEqual(['page', ['page', 'undefined']])
    expect(text(code)).not.toContain('wayside-bundle-')
  })

  test('obey the tsconfig.json of the project', async () => {
    const folder = temporaryProject({
      'package.json': '{}',
      'tsconfig.json': '{"compilerOptions":{"paths":{"#shop/*":["./lib/*"]}}}',
      'src/main.ts': 'export { x } from "#shop/x.ts"',
      'lib/x.ts': 'export const x = () => 1',
    })
    expect((await bundle('src/main.ts', { cwd: folder })).exports).toEqual(['x'])
  })
})

describe('wayside.json', () => {
  test('names the function and brings limits, level and bindings', async () => {
    const folder = temporaryProject({
      'wayside.json': JSON.stringify({
        name: 'shop',
        verify: 'self',
        limits: { fuel: 1e9, memory: '64MiB', timeout: '30s' },
        env: {
          DB: { state: 'shop', prefix: 'a/' },
          KEY: { secret: 'API_KEY', origin: 'https://a.example', header: 'X-Key' },
        },
      }),
      'src/main.ts': 'export default (input, env, ctx) => ctx.call("#other", input)',
    })
    expect(await bundle('src/main.ts', { cwd: folder })).toMatchObject({
      name: 'shop',
      verify: 'self',
      limits: { fuel: 1e9, memoryBytes: 64 * 1024 * 1024, timeoutMs: 30_000 },
      env: {
        DB: { state: 'shop', prefix: 'a/' },
        KEY: { secret: 'API_KEY', origin: 'https://a.example', header: 'X-Key' },
      },
      effects: ['call', 'get', 'list'],
    })
  })

  test('that is wrong is refused, by the name of file and key', async () => {
    const folder = temporaryProject({ 'wayside.json': '{"limit":{}}', 'src/main.ts': 'export default () => 1' })
    await expect(bundle('src/main.ts', { cwd: folder })).rejects.toMatchObject({
      code: 'E_CONFIG',
      fields: { file: 'wayside.json', key: 'limit' },
    })
  })
})

describe('effects', () => {
  test.each<[string, object, string, string[]]>([
    ['what a state is written with', { DB: { state: 's' } }, 'env.DB.put("a", 1)', ['get', 'list', 'put']],
    ['what it is deleted from', { DB: { state: 's' } }, 'env.DB.delete("a")', ['delete', 'get', 'list']],
    ['a Map beside no state', {}, 'new Map().delete(1)', []],
    ['what is fetched', { API: { fetch: ['https://a.example'] } }, 'env.API.fetch("https://a.example")', ['fetch']],
    ['what is sent', { API: { fetch: ['https://a.example'] } }, 'env.API.send("https://a.example")', ['fetch', 'send']],
    ['time and randomness', {}, '[ctx.now(), ctx.random(5)]', ['now', 'random']],
  ])('%s', async (_, env, expression, effects) => {
    const folder = temporaryProject({
      'wayside.json': JSON.stringify({ env }),
      'main.ts': `export default async (input, env, ctx) => ${expression}`,
    })
    expect((await bundle('main.ts', { cwd: folder })).effects).toEqual(effects)
  })

  test('come from own sources that are used, not from packages', async () => {
    const folder = temporaryProject({
      'node_modules/caller/index.js': 'export const caller = (ctx) => ctx.call("#x")',
      'pure.ts': 'import { caller } from "caller"\nexport default () => caller',
      'nested.ts': 'import { ask } from "./ask.ts"\nexport default (input, env, ctx) => ask(ctx)',
      'ask.ts': 'export const ask = (ctx: { call(ref: string): unknown }) => ctx.call("#pure")',
    })
    expect((await bundle('pure.ts', { cwd: folder })).effects).toEqual([])
    expect((await bundle('nested.ts', { cwd: folder })).effects).toEqual(['call'])
  })
})

describe('a function that cannot be used', () => {
  const refused = (files: Record<string, string>, entry: string | URL = 'main.ts') =>
    bundle(entry, { cwd: temporaryProject(files) }).then(
      () => expect.unreachable('it was bundled'),
      (error) => ({ code: error.code, message: error.message }),
    )

  test('no such file', async () => {
    const { code, message } = await refused({}, 'hello.ts')
    expect(code).toBe('E_BUNDLE')
    expect(message).toMatch(/^hello\.ts: there is no such file; looked for \/.*\/hello\.ts$/)
  })

  test('a folder, and a URL that is no file', async () => {
    expect(await refused({ 'src/main.ts': '' }, 'src')).toEqual({
      code: 'E_BUNDLE',
      message: 'src is not a file; name the file that exports the function',
    })
    expect(await refused({}, new URL('https://example.com/a.ts'))).toEqual({
      code: 'E_BUNDLE',
      message: 'https://example.com/a.ts is not a file: URL; download it and name the file',
    })
  })

  test('nothing exported', async () => {
    expect(await refused({ 'main.ts': 'console.log(1)' })).toEqual({
      code: 'E_BUNDLE',
      message: 'main.ts exports nothing; write `export default function …` or export a function by name',
    })
  })

  test('too large, with what made it so', async () => {
    const { code, message } = await refused({
      'big.ts': `export const big = '${'x'.repeat(CODE_BYTES_MAX)}'`,
      'main.ts': 'import { big } from "./big.ts"\nexport default () => big',
    })
    expect(code).toBe('E_BUNDLE')
    expect(message).toMatch(
      /^main\.ts bundles to 83\d{5} bytes, over the limit of 8388608; the largest parts are big\.ts/,
    )
  })
})
