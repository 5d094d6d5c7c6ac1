import { describe, expect, test } from 'vitest'
import { ambientViolations } from './ambient.ts'
import { parseSource } from './syntax-tree.ts'

const found = (text: string, path = 'peer/x.ts') =>
  ambientViolations(parseSource(path, text)).map((line) => /: (.*) is ambient/.exec(line)?.[1])

describe('caught', () => {
  test.each([
    ['const t = Date.now()', 'Date.now'],
    ["const t = Date['now']()", 'Date.now'],
    ['const t = new Date()', 'the present Date'],
    ['const t = Date()', 'the present Date'],
    ['const { now } = Date', 'Date in a variable'],
    ['const x = Math.random()', 'Math.random'],
    ['const M = Math', 'Math in a variable'],
    ['const t = performance.now()', 'performance'],
    ['setTimeout(() => {}, 5)', 'setTimeout'],
    ['const timer = { start: setInterval }', 'setInterval'],
    ['const later = { setImmediate }', 'setImmediate'],
    ['globalThis.setTimeout(() => {}, 5)', 'globalThis.setTimeout'],
    ["globalThis['fetch']('x')", 'globalThis.fetch'],
    ['const g = globalThis', 'globalThis.…'],
    ['(globalThis as any).process.exit()', 'globalThis.…'],
    ['const signal = AbortSignal.timeout(5)', 'AbortSignal.timeout'],
    ['const id = crypto.randomUUID()', 'crypto'],
    ["if (process.env.X === '1') f()", 'process'],
    ["console.log('x')", 'console'],
    ["await fetch('x')", 'fetch'],
    ["Buffer.from('x')", 'Buffer'],
    ['class A { #t = performance.now() }', 'performance'],
    ['const f = (t = Date.now()) => t', 'Date.now'],
    ['{ const crypto = 1 }\ncrypto.randomUUID()', 'crypto'],
    ['const a = (fetch: F) => fetch()\nfetch()', 'fetch'],
    ['const a = fetch! as unknown satisfies F', 'fetch'],
  ])('%s', (text, what) => {
    expect(found(text)).toEqual([what])
  })

  test('by file and line, in each folder of the core', () => {
    for (const folder of ['protocol', 'registry', 'sandbox', 'peer', 'peer/network'])
      expect(ambientViolations(parseSource(`${folder}/x.ts`, '\n\nMath.random()'))).toEqual([
        `${folder}/x.ts:3: Math.random is ambient; take it from a port`,
      ])
  })
})

describe('let through', () => {
  test.each([
    'const f = (crypto: Crypto) => crypto.hash(x)',
    'const { crypto, clock: fetch } = ports\ncrypto.hash(await fetch())',
    'function f({ process = 1 }, [console], ...performance) { return [process, console, performance] }',
    "import { fetch } from './fetch.ts'\nfetch()",
    'export const crypto = 1\ncrypto',
    'for (const process of processes) process.kill()',
    'try { f() } catch (console) { g(console) }',
    'ports.crypto.hash(x)',
    'const x = { crypto: 1, process() {} }',
    'class A { crypto = 1; fetch() {} }',
    'interface A { crypto: Crypto; fetch: typeof fetch }',
    'const at = new Date(5), is = x instanceof Date, m = Math.floor(1.5)',
    'function g() { return h() }\nfunction h() { return fetch }\nfunction fetch() {}',
    "export { fetch } from './y.ts'",
    '// Date.now()\nconst text = "Date.now()"',
  ])('%s', (text) => {
    expect(found(text)).toEqual([])
  })

  test('hosts, and tests', () => {
    expect(found('Date.now()', 'node/x.ts')).toEqual([])
    expect(found('Date.now()', 'peer/x.test.ts')).toEqual([])
    expect(found("import { test } from 'vitest'\nDate.now()", 'peer/conformance.ts')).toEqual([])
  })
})
