import { describe, expect, test } from 'vitest'
import { FUEL_TICK, MEMORY_BYTES_MIN, MIB } from '../protocol/limits.ts'
import { begin, bytesOf, limits, outcomeOf, perform, returned, runOf, seed, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

/** Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2014). */
const xorshift = (seed64: bigint, count: number): number[] => {
  let state = seed64
  return Array.from({ length: count }, () => {
    state ^= state >> 12n
    state ^= BigInt.asUintN(64, state << 25n)
    state ^= state >> 27n
    return Number(BigInt.asUintN(64, state * 0x2545f4914f6cdd1dn) >> 12n) / 2 ** 52
  })
}

describe('what differs from machine to machine', () => {
  test('the time stands still, in UTC', () => {
    const module = `export default () => [Date.now(), new Date().toISOString(), Date(), new Date(2020, 6, 1).toISOString(),
      new Date(2020, 6, 1).getTimezoneOffset(), new Date(0).toString(), Date.parse('2020-07-01T00:00:00')]`
    expect(returned(module)).toEqual([
      Date.UTC(2000, 0, 1),
      '2000-01-01T00:00:00.000Z',
      'Sat Jan 01 2000 00:00:00 GMT+0000',
      '2020-07-01T00:00:00.000Z',
      0,
      'Thu Jan 01 1970 00:00:00 GMT+0000',
      Date.UTC(2020, 6, 1),
    ])
  })

  test('random numbers come from the first 64 bits of the seed, by xorshift64*, and from nothing else', () => {
    const module = 'export default () => [Math.random(), ...crypto.getRandomValues(new Uint8Array(3)), Math.random()]'
    const drawn = (bytes: Uint8Array) => valueIn(perform(module, null, { seed: bytes }))
    const [first, ...rest] = xorshift(0x0807060504030201n, 5)
    const last = rest.pop()
    expect(drawn(seed)).toEqual([first, ...rest.map((x) => Math.floor(x * 256)), last])
    expect(drawn(new Uint8Array(seed).fill(0, 8))).toEqual(drawn(seed))
    expect(drawn(new Uint8Array(32))).toEqual(drawn(new Uint8Array(32).fill(1, 0, 1)))
  })

  test('random numbers are spread evenly', () => {
    const module = `export default () => {
      const counts = new Array(16).fill(0)
      for (let i = 0; i < 16000; i++) counts[Math.floor(Math.random() * 16)]++
      for (const byte of crypto.getRandomValues(new Uint8Array(16000))) counts[byte >> 4]++
      return counts
    }`
    for (const count of returned(module) as number[]) expect(Math.abs(count - 2000)).toBeLessThan(300)
  })

  test('performance says the same instant as Date', () => {
    expect(
      returned('export default () => [performance.now(), performance.timeOrigin === Date.now(), navigator.userAgent]'),
    ).toEqual([0, true, 'Wayside'])
  })

  test('a module draws the same numbers in every function, whatever the seed', () => {
    const module = 'const drawn = Math.random(); export default () => drawn'
    expect(returned(module)).toBe(valueIn(perform(module, null, { seed: new Uint8Array(32) })))
  })

  test('what would tell of the machine is not there', () => {
    const names = [
      ...['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics'],
      ...['process', 'Intl', 'WebAssembly', 'fetch', 'require', 'print', 'std', 'os', 'scriptArgs', 'gc'],
    ]
    expect(returned(`export default (names) => names.filter((name) => name in globalThis)`, names)).toEqual([])
  })
})

/** Programs that use the engine in many ways: fuel and memory must come out the same each time. */
const PROGRAMS = [
  'export default () => 1',
  'export default () => { let s = 0; for (let i = 0; i < 1e5; i++) s += Math.sin(i); return s }',
  'export default () => { const m = new Map(); for (let i = 0; i < 1e4; i++) m.set("k" + i, { i }); return [...m.keys()].sort().length }',
  'export default async () => { let n = 0; for (let i = 0; i < 1000; i++) n += await i; return n }',
  'export default () => JSON.stringify(Array.from({ length: 2000 }, (_, i) => ({ i, t: "x".repeat(i % 50) }))).length',
  'export default () => { const all = []; try { for (;;) all.push(new Uint8Array(50000)) } catch { return all.length } }',
  'export default () => { const a = []; for (;;) a.push({}) }',
  'export default () => /^(a+)+$/.test("a".repeat(22) + "b")',
  'const f = (n) => f(n + 1); export default () => f(0)',
  'let cyclic; for (let i = 0; i < 1000; i++) { cyclic = { cyclic }; cyclic.self = cyclic } export default () => { for (let i = 0; i < 1e4; i++) { const o = {}; o.o = o } return 1 }',
  'export default () => { throw new Error("x") }',
]

describe('an outcome', () => {
  test.each(PROGRAMS)('is the same cold, restored, after others, and in a fresh instance: %s', (module) => {
    const cold = begin(module).result
    const sandbox = createSandbox({ wasm, compare: true })
    const again = Array.from({ length: 3 }, () => begin(module, runOf(), {}, sandbox).result)
    sandbox.load('waits', bytesOf('export default (x, env, ctx) => ctx.call("x")'), limits.memory_bytes)
    sandbox.run('waits', runOf())
    expect([...again, begin(module, runOf(), {}, sandbox).result]).toEqual([cold, cold, cold, cold])
  })

  test('says how much memory there was at the end, at least the least there can be', () => {
    const bytes = (length: number, memory_bytes = 64 * MIB) =>
      perform(`export default () => new Uint8Array(${length}).length`, null, { limits: { ...limits, memory_bytes } })
        .memory_bytes
    expect(bytes(1)).toBe(MEMORY_BYTES_MIN)
    expect(bytes(1, 0)).toBe(MEMORY_BYTES_MIN)
    expect(bytes(20e6)).toBeGreaterThan(20e6)
    expect(bytes(20e6)).toBeLessThan(32e6)
  })

  test('says how many polls the run took', () => {
    const fuel = (rounds: number) => perform(`export default () => { for (let i = 0; i < ${rounds}; i++); }`).fuel
    expect(fuel(1)).toBeLessThan(100)
    expect(fuel(1_000_001) - fuel(1)).toBe(2_000_000)
  })
})

describe('the fuel limit', () => {
  const loop = (fuel: number) => perform('export default () => { for (;;); }', null, { limits: { ...limits, fuel } })

  test('rounds up to a tick', () => {
    expect(loop(1)).toMatchObject({
      fuel: FUEL_TICK,
      result: { code: 'E_FUEL_LIMIT', message: 'it used up its 10000 fuel' },
    })
    expect(loop(FUEL_TICK)).toMatchObject({ fuel: FUEL_TICK })
    expect(loop(FUEL_TICK + 1)).toMatchObject({ fuel: 2 * FUEL_TICK })
  })

  test('is not reached by what fits', () => {
    const fits = perform('export default () => { for (let i = 0; i < 4950; i++); }', null, {
      limits: { ...limits, fuel: 1 },
    })
    expect(fits.result.ok).toBe(true)
    expect(fits.fuel).toBeGreaterThan(9900)
    const over = perform('export default () => { for (let i = 0; i < 5010; i++); }', null, {
      limits: { ...limits, fuel: 1 },
    })
    expect(over.result).toMatchObject({ code: 'E_FUEL_LIMIT' })
  })

  test('counts in a loaded function as in one that has just been loaded', () => {
    const sandbox = createSandbox({ wasm, compare: true })
    const run = runOf(null, { limits: { ...limits, fuel: 1 } })
    for (let i = 0; i < 5; i++)
      expect(outcomeOf(begin('export default () => { for (;;); }', run, {}, sandbox).result).fuel).toBe(FUEL_TICK)
  })
})
