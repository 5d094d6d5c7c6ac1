import { afterEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../protocol/outcome.ts'
import { begin, limits, outcomeOf, runOf, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

/** One image for programs of all kinds, so that what one leaves behind would meet the next. */
const ANY = `let n = 0
const kept = { list: [1, 2, 3], text: 'kept' }
export default (code, env, ctx) => {
  n++
  return Function('n', 'kept', 'env', 'ctx', 'return (async () => {' + code + '})()')(n, kept, env, ctx)
}`
const CANARY = `
  const seen = [n, kept.list.join(), kept.text, [...new Map([[1, { a: [2] }]])].flat().length, JSON.stringify({ b: [1, null] })]
  console.log('canary', seen, Math.random())
  return [...seen, await Promise.all([1, Promise.resolve(2)]), new Date().getTime(), 'aXbX'.replaceAll('X', '-'), typeof leaked]`

const sandbox = createSandbox({ wasm, compare: true })
/** The memory is compared with the image, byte by byte, before each run. */
const attempt = (code: string, changes = {}): Outcome => outcomeOf(begin(ANY, runOf(code, changes), {}, sandbox).result)

const canary = attempt(CANARY)

/** Whatever a run did, the next one meets nothing of it. */
afterEach(() => {
  expect(attempt(CANARY)).toEqual(canary)
})

test('the canary sings', () => {
  expect(valueIn(canary)).toEqual([
    1,
    '1,2,3',
    'kept',
    2,
    '{"b":[1,null]}',
    [1, 2],
    Date.UTC(2000, 0, 1),
    'a-b-',
    'undefined',
  ])
})

const FUEL: [string, string][] = [
  ['a loop', 'for (;;);'],
  ['catch', 'try { for (;;); } catch { console.log("survived") }'],
  ['finally', 'try { for (;;); } finally { console.log("survived"); for (;;); }'],
  [
    'nested functions',
    'const f = () => { try { for (;;); } catch { console.log("survived") } }; f(); console.log("survived")',
  ],
  [
    'an async function',
    'const f = async () => { for (;;); }; f().catch(() => console.log("survived")); console.log("survived")',
  ],
  [
    'an awaited promise',
    'const f = async () => { await null; for (;;); }; try { await f() } catch { console.log("survived") }',
  ],
  [
    'a promise job',
    'Promise.resolve().then(() => { for (;;); }).finally(() => console.log("survived")); await null; await null; await null; console.log("survived")',
  ],
  [
    'a microtask',
    'queueMicrotask(() => { for (;;); }); for (let i = 0; i < 9; i++) await null; console.log("survived")',
  ],
  ['microtasks without end', 'const f = () => queueMicrotask(f); f(); await new Promise(() => {})'],
  [
    'a generator',
    'function* g() { try { for (;;); } finally { console.log("survived"); yield 1 } }; for (const x of g()); console.log("survived")',
  ],
  [
    'an async generator',
    'async function* g() { try { for (;;); } finally { console.log("survived") } }; for await (const x of g()); console.log("survived")',
  ],
  [
    'an iterator that is closed',
    'const it = { [Symbol.iterator]: () => ({ next() { for (;;); }, return() { console.log("survived"); return {} } }) }; for (const x of it);',
  ],
  ['a getter of the result', 'return { get a() { for (;;); } }'],
  ['a proxy as result', 'return new Proxy({}, { ownKeys() { for (;;); } })'],
  ['a toString of the error', 'throw Object.assign(new Error(), { message: { toString() { for (;;); } } })'],
  ['a regular expression', '/^(a+)+$/.test("a".repeat(40) + "b")'],
  ['a sort', '[3, 2, 1].sort(() => { for (;;); })'],
  ['a reviver', 'JSON.parse("[1]", () => { for (;;); })'],
  ['a class field', 'class A { static x = (() => { for (;;); })() }'],
  ['a thenable', 'await { then() { for (;;); } }; console.log("survived")'],
  ['the console', 'console.log({ get a() { for (;;); } }); console.log("survived")'],
]

describe('out of fuel: nothing runs any more', () => {
  test.each(FUEL)('%s', (_, code) => {
    const outcome = attempt(code, { limits: { ...limits, fuel: 3_000_000 } })
    expect(outcome.result).toMatchObject({ code: 'E_FUEL_LIMIT', message: 'it used up its 3000000 fuel' })
    expect(outcome.console).toEqual([])
    expect(outcome.fuel).toBe(3_000_000)
  })
})

const MEMORY: [string, string][] = [
  ['arrays', 'const a = []; for (;;) a.push([1, 2, 3])'],
  ['byte arrays', 'const a = []; for (;;) a.push(new Uint8Array(1e6))'],
  ['one byte array', 'new Uint8Array(1e9)'],
  ['a string that is flattened', 'let s = "x".repeat(1e6); for (;;) { s += s; s.indexOf("y") }'],
  ['objects', 'let o = null; for (;;) o = { o }'],
  ['a map', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)'],
  ['symbols', 'const a = []; for (let i = 0; ; i++) a.push(Symbol("s" + i))'],
  ['atoms', 'const o = {}; for (let i = 0; ; i++) o["key" + i] = i'],
  ['closures', 'const a = []; for (;;) a.push(() => a)'],
  ['promises', 'const a = []; for (;;) a.push(new Promise(() => {}))'],
  ['async functions', 'const a = []; for (;;) a.push((async () => { await null })())'],
  ['the result', 'return Array.from({ length: 1e5 }, () => "x".repeat(1000))'],
  ['an error with a long message', 'throw new Error("x".repeat(1e9))'],
  ['sparse arrays', 'const a = []; for (let i = 1; ; i *= 2) { a[i] = 1; a.fill(0) }'],
  [
    'after catching',
    'const a = []; const more = () => { for (;;) a.push(new Array(100).fill(a)) }; try { more() } catch {} try { more() } catch {} more()',
  ],
]

describe('out of memory', () => {
  test.each(MEMORY)('%s', (_, code) => {
    const outcome = attempt(code)
    expect(outcome.result).toMatchObject({
      code: 'E_MEMORY_LIMIT',
      message: expect.stringContaining(`it used up its ${limits.memory_bytes} bytes of memory`),
    })
    expect(outcome.memory_bytes).toBeLessThanOrEqual(limits.memory_bytes)
    expect(attempt(code)).toEqual(outcome)
  })

  test.each([
    ['let s = "x"; for (;;) s += s', 'InternalError: string too long'],
    ['let b = 3n; for (;;) b *= b', 'RangeError: BigInt is too large to allocate'],
  ])('some things have smaller limits: %s', (code, message) => {
    expect(attempt(code).result).toMatchObject({ code: 'E_FUNCTION_THREW', message })
  })

  test('may be caught, and lived with', () => {
    const code =
      'let a = []; try { for (;;) a.push(new Uint8Array(1e5)) } catch (e) { const n = a.length; a = null; return [n, String(e)] }'
    expect(valueIn(attempt(code))).toEqual([expect.any(Number), 'InternalError: out of memory'])
  })
})

/** What needs more of the native stack than a test runner has is in `node/sandbox-host.process.test.ts`. */
const DEEP: [string, string][] = [
  ['calls', 'const f = () => f(); f()'],
  ['arguments', 'const f = (...a) => f(...a, 1); f()'],
  ['constructors', 'class A { constructor() { new A() } }; new A()'],
  ['getters', 'const o = { get a() { return this.a } }; o.a'],
  ['source of blocks', 'eval("{".repeat(1e5))'],
  ['a regular expression', 'new RegExp("(?:".repeat(1e5) + ")".repeat(1e5))'],
  ['proxies', 'let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); p.x'],
  ['text of arrays', 'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)'],
  ['sorting in sorting', 'const f = () => [2, 1].sort(f); f()'],
  ['replacing in replacing', 'const f = () => "a".replace(/a/, f); f()'],
]

describe('too deep', () => {
  test.each(DEEP)('%s', (_, code) => {
    expect(attempt(code).result).toMatchObject({
      code: 'E_FUNCTION_THREW',
      message: expect.stringMatching(/^(Internal|Syntax)Error: stack overflow$/),
    })
    expect(attempt(`try { ${code} } catch (e) { return e.message }`).result.ok).toBe(true)
  })

  test('a thousand plain calls are not', () => {
    expect(valueIn(attempt('const f = (n) => n === 0 ? 0 : 1 + f(n - 1); return f(850)'))).toBe(850)
    expect(valueIn(attempt('let d = 0; const f = () => { d++; f() }; try { f() } catch {} return d'))).toBeGreaterThan(
      1000,
    )
  })
})

/** Each changes built-ins, then returns `[{ a: 1 }, 'x']`, prints `printed`, and asks nothing. */
const TAMPER = [
  'Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = () => "forged"',
  'JSON.stringify = JSON.parse = () => { throw new Error("forged") }',
  'Object.keys = Object.getPrototypeOf = Array.isArray = () => { throw new Error("forged") }',
  'String.prototype.isWellFormed = () => false; String.prototype.slice = () => "forged"',
  'Promise.prototype.then = Promise.prototype.catch = () => { throw new Error("forged") }',
  'Promise.resolve = Promise.reject = () => "forged"; Object.defineProperty(Promise, Symbol.species, { value: class { constructor() { throw new Error("forged") } } })',
  'Promise.prototype.constructor = class { constructor() { throw new Error("forged") } }',
  'Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error("forged") }',
  'Reflect.apply = Reflect.ownKeys = () => { throw new Error("forged") }',
  'Array.prototype[Symbol.iterator] = String.prototype[Symbol.iterator] = () => { throw new Error("forged") }',
  'for (const k of ["/", "text", "message", "stack", "resolve", "reject", "ok", "code", "length"]) Object.defineProperty(Object.prototype, k, { set() {}, get() { return "forged" }, configurable: true })',
  'for (const k of Object.getOwnPropertyNames(Array.prototype)) if (k !== "length") Array.prototype[k] = () => { throw new Error("forged") }',
  'for (const k of Object.getOwnPropertyNames(String.prototype)) if (k !== "length") String.prototype[k] = () => { throw new Error("forged") }',
  'for (const k of Object.getOwnPropertyNames(Object.getPrototypeOf(Uint8Array.prototype))) try { Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), k, { get() { throw new Error("forged") } }) } catch {}',
  'RegExp.prototype.exec = RegExp.prototype.test = () => { throw new Error("forged") }',
  'Object.setPrototypeOf(Object.prototype, null); Object.freeze(Object.prototype); Object.freeze(Array.prototype)',
  'for (const k of Object.getOwnPropertyNames(globalThis)) if (k !== "console") try { delete globalThis[k] } catch {}',
  'globalThis.leaked = 1; kept.list.push(4); kept.text = "changed"; Object.prototype.leaked = 1',
  'Error.prototype.name = "Forged"; Error = TypeError = InternalError = null',
  'Symbol.prototype.toString = Number.prototype.toString = BigInt.prototype.toString = () => "forged"',
]

describe('built-ins that the function has changed', () => {
  test.each(TAMPER)('%s', (code) => {
    const outcome = attempt(`${code}; console.log('printed'); return [{ a: 1 }, 'x']`)
    expect(valueIn(outcome)).toEqual([{ a: 1 }, 'x'])
    expect(outcome.console).toEqual([{ level: 'log', text: 'printed' }])
    expect(outcome.requests).toEqual([])
  })

  test.each(TAMPER)('do not forge an answer: %s', (code) => {
    const run = begin(ANY, runOf(`${code}; const x = await ctx.call('f', { q: [1, 'y'] }); return x`), {}, sandbox)
    run.answer(0, { ok: true, value: Uint8Array.of(0x82, 1, 0x61, 0x79) })
    const outcome = outcomeOf(run.result)
    expect(valueIn(outcome)).toEqual([1, 'y'])
    expect(outcome.requests).toHaveLength(1)
  })
})

test.each(['Array', 'Object'])('what a setter on %s.prototype throws is what the function threw', (name) => {
  const code = `Object.defineProperty(${name}.prototype, '0', { set() { throw new Error('setter') }, configurable: true })`
  expect(attempt(`${code}; return [{ a: 1 }]`).result).toMatchObject({
    code: 'E_FUNCTION_THREW',
    message: 'Error: setter',
  })
  expect(valueIn(attempt(`${code}; return 'x'`))).toBe('x')
})

const LEFT: [string, string][] = [
  ['a pending promise', 'globalThis.p = new Promise(() => {}); return 1'],
  [
    'microtasks',
    'queueMicrotask(() => { kept.text = "late"; console.log("late") }); Promise.resolve().then(() => { n = 9 }); return 1',
  ],
  ['a waiting request', 'ctx.call("f").then(() => { kept.text = "late" }); return 1'],
  [
    'an open generator',
    'globalThis.g = (function* () { try { yield 1 } finally { kept.text = "late" } })(); g.next(); return 1',
  ],
  ['a rejection that nobody handles', 'Promise.reject(new Error("unhandled")); return 1'],
  ['much memory', 'globalThis.a = Array.from({ length: 1e5 }, (_, i) => ({ i })); return 1'],
  ['an exception', 'throw new Error("left")'],
  ['a deep stack', 'const f = (n) => n && f(n - 1); f(700); throw 1'],
  [
    'compiled code',
    'for (let i = 0; i < 300; i++) eval("var v" + i + " = () => " + i); new RegExp("a{1,200}b"); return 1',
  ],
]

describe('what a run leaves behind', () => {
  test.each(LEFT)('%s', (_, code) => {
    attempt(code)
  })

  test('when it waits and is let go', () => {
    const waits = begin(ANY, runOf('kept.text = "changed"; await ctx.call("f"); return 1'), {}, sandbox)
    expect(attempt(CANARY)).toEqual(canary)
    waits.abandon()
  })
})
