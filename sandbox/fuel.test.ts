import { describe, expect, test } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import { begin, limits, outcomeOf, perform, runOf, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

const roomy = { ...limits, memory_bytes: 256 * MIB, fuel: 1_000_000_000 }

const fuelOf = (body: string): number => {
  const { result, fuel } = perform(`export default () => { ${body} }`, null, { limits: roomy })
  expect(result).toMatchObject({ ok: true })
  return fuel
}

/** What one tick could not end before the engine's loops were charged: each took up to seconds for a few polls. */
const BLIND: [string, (n: number) => string][] = [
  ['joining holes', (n) => `Array(${n}).join()`],
  ['powers of bigints', (n) => `3n ** ${n}n`],
  ['multiplying bigints', (n) => `const b = (1n << ${8 * n}n) - 1n; b * b`],
  ['a bigint as text', (n) => `String((1n << ${8 * n}n) - 1n)`],
  ['sorting a typed array', (n) => `const a = new Float64Array(${n}); for (let i = 0; i < 9; i++) a[i] = i; a.sort()`],
  ['normalizing', (n) => `'é'.repeat(${n}).normalize('NFD')`],
  ['replacing all', (n) => `'ab'.repeat(${n}).replaceAll('b', 'c')`],
  ['searching an array', (n) => `new Array(${n}).fill(0).indexOf(1)`],
  ['searching a text', (n) => `('a'.repeat(${n}) + 'b').indexOf('b')`],
  ['splitting', (n) => `'a,'.repeat(${n}).split(',')`],
  ['parsing', (n) => `JSON.parse('[' + '1,'.repeat(${n}) + '1]')`],
  ['evaluating', (n) => `(0, eval)('1;'.repeat(${n}))`],
  ['copying bytes', (n) => `new Uint8Array(${64 * n}).slice()`],
  ['spreading', (n) => `[...new Array(${n})]`],
  [
    'running code without jumps',
    (n) => `const f = Function('let x = 1;' + 'x + x;'.repeat(${n})); for (let i = 0; i < 9; i++) f()`,
  ],
  ['comparing', (n) => `'a'.repeat(${n}) + 'b' < 'a'.repeat(${n}) + 'c'`],
]

describe('what a built-in does costs fuel', () => {
  test.each(BLIND)('in proportion to its size: %s', (_, body) => {
    const [small, large] = [fuelOf(body(1000)), fuelOf(body(8000))]
    expect(large).toBeGreaterThan(4 * small - 1000)
    expect(large).toBeGreaterThan(100)
  })
})

/** Each would run for seconds, in one call of the engine's. */
const LONG: [string, string][] = [
  ['joining', 'Array(3e7).join()'],
  ['a power', '7n ** (2n ** 22n)'],
  ['sorting', 'new Float64Array(1e7).map((_, i) => -i).sort()'],
  ['searching', "'a'.repeat(5e6).lastIndexOf('a'.repeat(2e6) + 'b')"],
  ['a regular expression', '/^(a|aa)+$/.test("a".repeat(60) + "b")'],
]

describe('the limit holds inside of a built-in', () => {
  test.each(LONG)('%s', (_, code) => {
    const sandbox = createSandbox({ wasm, compare: true })
    const run = runOf(code, { limits: { ...roomy, fuel: 3_000_000 } })
    const module = 'export default (code) => { try { return String((0, eval)(code)) } catch { return "caught" } }'
    const first = outcomeOf(begin(module, run, {}, sandbox).result)
    expect(first).toMatchObject({ fuel: 3_000_000, result: { code: 'E_FUEL_LIMIT' } })
    expect(outcomeOf(begin(module, run, {}, sandbox).result)).toEqual(first)
    // Stopped anywhere, even inside of malloc: `compare` has the next run begin with a look at all of its memory.
    const plain = outcomeOf(begin(module, runOf('1 + 1', { limits: run.limits }), {}, sandbox).result)
    expect(plain.result.ok).toBe(true)
  })

  test('and progress is told from there', () => {
    const told: number[] = []
    const module = 'export default () => [Array(1e6).join().length]'
    outcomeOf(begin(module, runOf(null, { limits: roomy }), { progress: (fuel) => told.push(fuel) }).result)
    expect(told.length).toBeGreaterThan(10)
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
  })
})
