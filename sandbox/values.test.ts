import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OUTPUT_BYTES_MAX } from '../protocol/limits.ts'
import { ensureValue } from '../protocol/values.ts'
import { values } from '../scripts/protocol/arbitraries.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { failed, limits, outcomeOf, perform, returned, runOf, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

const ECHO = 'export default (input) => input'

describe('a Value', () => {
  test('comes back as it went, whatever it is', async () => {
    const sandbox = createSandbox({ wasm })
    sandbox.load('echo', new TextEncoder().encode(ECHO), 0)
    const echo = fc.property(values, (value) => {
      const run = runOf(value, { limits: { ...limits, memory_bytes: 0 } })
      expect(valueIn(outcomeOf(sandbox.run('echo', run).result))).toEqual(value)
    })
    await checkProperty('echo', echo, { runs: 500 })
  })

  test('has the keys that it has, whatever those before it had', () => {
    const sandbox = createSandbox({ wasm })
    sandbox.load('echo', new TextEncoder().encode(ECHO), 0)
    for (const key of ['\\', '\n', '"', '\\n', '\u0000']) {
      const run = runOf({ a: 1, [key]: 2n }, { limits: { ...limits, memory_bytes: 0 } })
      expect(valueIn(outcomeOf(sandbox.run('echo', run).result))).toEqual({ a: 1, [key]: 2n })
    }
  })

  test('is in the guest what it is outside', () => {
    const module = `export default (x) => [
      x.nothing === null, x.yes === true, x.text === 'é\\u0000\\u2028😀', x.number === -1.5, x.big === 2n ** 64n - 1n,
      x.bytes instanceof Uint8Array && x.bytes.join() === '0,255', x.list instanceof Array && x.list.length === 2,
      Object.getPrototypeOf(x) === Object.prototype, Object.hasOwn(x, '__proto__') && x.__proto__ === 1,
    ].indexOf(false)`
    const input = JSON.parse('{"__proto__":1}')
    Object.assign(input, { nothing: null, yes: true, text: 'é\u0000\u2028😀', number: -1.5, big: 2n ** 64n - 1n })
    Object.assign(input, { bytes: Uint8Array.of(0, 255), list: [1, [2n]] })
    expect(returned(module, input)).toBe(-1)
  })

  test('has its conveniences: undefined, -0, views of bytes, null prototypes, subclasses of Uint8Array', () => {
    const module = `class Buffer extends Uint8Array {}
      export default () => ({
        dropped: undefined, holes: [, undefined], zero: -0, view: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
        bare: Object.assign(Object.create(null), { a: 1 }), buffer: Buffer.of(7), empty: new Uint8Array(0), '/': 1,
      })`
    expect(returned(module)).toEqual({
      ...{ holes: [null, null], zero: 0, view: Uint8Array.of(2, 3), bare: { a: 1 }, buffer: Uint8Array.of(7) },
      ...{ empty: new Uint8Array(0), '/': 1 },
    })
    expect(returned('export default () => {}')).toBe(null)
  })

  test('of several MiB of bytes crosses both ways', () => {
    const input = new Uint8Array(4_000_000).map((_, i) => i * 7)
    const generous = { ...limits, output_bytes: OUTPUT_BYTES_MAX }
    const output = valueIn(perform(ECHO, input, { limits: generous })) as Uint8Array
    expect(Buffer.compare(output, input)).toBe(0)
  })
})

/** Expressions that give no Value, each refused by the words of protocol/values.ts. */
const NO_VALUES: Record<string, unknown> = {
  'new Date(0)': new Date(0),
  'new Map()': new Map(),
  'new Set()': new Set(),
  '/x/': /x/,
  'new Error("x")': new Error('x'),
  '{ when: Promise.resolve(1) }': { when: Promise.resolve(1) },
  '() => 1': () => 1,
  'class A {}': class A {},
  'Symbol("x")': Symbol('x'),
  'Symbol.iterator': Symbol.iterator,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '2n ** 64n': 2n ** 64n,
  '-(2n ** 63n) - 1n': -(2n ** 63n) - 1n,
  'new Float64Array(1)': new Float64Array(1),
  'new Uint8ClampedArray(1)': new Uint8ClampedArray(1),
  'new BigInt64Array(1)': new BigInt64Array(1),
  'new ArrayBuffer(1)': new ArrayBuffer(1),
  'new DataView(new ArrayBuffer(1))': new DataView(new ArrayBuffer(1)),
  'new (class Point { x = 1 })()': new (class Point {
    x = 1
  })(),
  'new (class List extends Array {})()': new (class List extends Array {})(),
  'Object.create({})': Object.create({}),
  'new String("x")': new String('x'),
  'Object(1n)': Object(1n),
  "'\\ud800'": '\ud800',
  "{ '\\ud800': 1 }": { '\ud800': 1 },
  "{ '/': 1 }": { '/': 1 },
}

const refusal = (x: unknown): string => {
  try {
    ensureValue(x, 'result')
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it is a Value')
}

describe('what is no Value', () => {
  test.each(Object.entries(NO_VALUES))('%s is refused, with its path', (expression, x) => {
    const failure = failed(`export default () => ({ items: [1, { 'the thing': ${expression} }] })`)
    expect(failure).toEqual({
      ok: false,
      code: 'E_VALUE',
      message: refusal({ items: [1, { 'the thing': x }] }),
      stack: '',
    })
    expect(failure.message).toContain('result.items[1]["the thing"]')
    expect(failed(`export default () => (${expression})`).message).toBe(refusal(x))
  })

  test('a cycle, nesting without end, a long path', () => {
    expect(failed('const a = {}; a.b = [a]; export default () => a').message).toMatch(/^result\.b\[0\]: a cycle/)
    const deep = 'let a = 1; for (let i = 0; i < 1000; i++) a = [a]; export default () => a'
    expect(failed(deep).message).toContain('nesting over 128 levels')
    expect(returned(deep.replace('1000', '128'))).toHaveLength(1)
  })

  test('getters and proxies are read once each, and what they throw is what the function threw', () => {
    expect(returned('let n = 0; export default () => ({ get a() { return ++n }, get b() { return ++n } })')).toEqual({
      a: 1,
      b: 2,
    })
    expect(returned('export default () => new Proxy({ a: 1 }, {})')).toEqual({ a: 1 })
    expect(returned('export default () => new Proxy([1, 2], {})')).toEqual([1, 2])
    const thrower = (trap: string) =>
      `export default () => new Proxy({ a: 1 }, { ${trap}() { throw new Error('trap') } })`
    for (const trap of ['get', 'ownKeys', 'getPrototypeOf'])
      expect(failed(thrower(trap))).toMatchObject({ code: 'E_FUNCTION_THREW', message: 'Error: trap' })
    expect(
      failed(
        'export default () => new Proxy({}, { get: (_, k) => k === "then" ? undefined : 1, ownKeys: () => { for (;;); } })',
      ).code,
    ).toBe('E_FUEL_LIMIT')
    expect(failed('export default () => ({ get constructor() { throw 1 }, __proto__: {} })').message).toMatch(
      /^result: object is not/,
    )
  })
})

describe('a result over its limit', () => {
  const small = { limits: { ...limits, output_bytes: 1000 } }

  test.each([
    ["'x'.repeat(1000)"],
    ["'x'.repeat(5e6)"],
    ['new Uint8Array(1000)'],
    ['new Uint8Array(6e6)'],
    ['new Array(1e5).fill(new Uint8Array(3e6))'],
    ['Array.from({ length: 1000 }, () => null)'],
  ])('%s', (expression) => {
    expect(failed(`export default () => ${expression}`, null, small)).toMatchObject({
      code: 'E_OUTPUT_LIMIT',
      message: 'its result is larger than 1000 bytes',
    })
  })

  test('is measured as it is encoded, to the byte', () => {
    const text = (length: number) => perform(`export default () => 'x'.repeat(${length})`, null, small).result.ok
    expect([text(997), text(998)]).toEqual([true, false])
  })
})
