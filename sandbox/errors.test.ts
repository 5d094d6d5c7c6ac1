import { describe, expect, test } from 'vitest'
import { begin, failed, outcomeOf, perform, returned, runOf, valueIn } from './fixture.ts'

describe('a function', () => {
  test('is an export, called with input, env and ctx', () => {
    const module = `export function add({ a, b }, env, ctx) {
      const frozen = Object.isFrozen(env) && Object.keys(env).length === 0 && Object.isFrozen(ctx)
      return [a + b, frozen, Object.keys(ctx).sort().join(), this === undefined, arguments.length]
    }`
    const outcome = perform(module, { a: 1, b: 2 }, { exportName: 'add' })
    expect(valueIn(outcome)).toEqual([3, true, 'call,invocationId,now,random,signal,waitUntil', true, 3])
  })

  test('may be asynchronous, or return something with a then method', () => {
    expect(returned('export default async (x) => (await null, x + 1)', 1)).toBe(2)
    expect(returned('export default (x) => ({ then(resolve) { resolve(x + 1) } })', 1)).toBe(2)
    expect(returned('export default async () => ({ then(resolve) { resolve(2) } })')).toBe(2)
    expect(returned('export default () => ({ then: 3 })')).toHaveProperty('then', 3)
  })

  test('has an invocation ID that depends on the task alone', () => {
    const module = 'export default (x, env, ctx) => ctx.invocationId'
    expect(returned(module)).toBe('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20')
  })

  test('has a signal that it may ask and listen to', () => {
    const module = `export default (x, env, { signal }) => {
      signal.addEventListener('abort', () => {}); signal.removeEventListener('abort', () => {}); signal.throwIfAborted()
      return signal.aborted
    }`
    expect(returned(module)).toBe(false)
  })

  test('may keep what its module computed, with top-level await', () => {
    expect(returned('const x = await Promise.resolve(41); let y = 0; export default () => x + ++y')).toBe(42)
  })

  test('starts from its module each time: nothing of a call before is left', () => {
    expect(
      returned('let n = 0; const seen = []; export default (x) => { seen.push(x); return [++n, seen] }', 7),
    ).toEqual([1, [7]])
  })
})

describe('an export that cannot be called', () => {
  test.each([
    ['export const a = 1', 'there is no export default; callable exports: none'],
    [
      'export const b = 1; export function a() {}; export class C {}',
      'there is no export default; callable exports: C, a',
    ],
    ['export default 1; export const a = () => 1', 'the export default is not a function; callable exports: a'],
    ['export default {}', 'the export default is not a function; callable exports: none'],
    ['export default null', 'the export default is not a function; callable exports: none'],
  ])('%s', (module, message) => {
    expect(failed(module)).toEqual({ ok: false, code: 'E_EXPORT_UNKNOWN', message, stack: '' })
  })

  test('a name from a prototype is no export', () => {
    expect(failed('export default 1', null, { exportName: 'toString' }).message).toContain(
      'there is no export toString',
    )
  })
})

describe('a module that does not load', () => {
  test.each([
    ['let x = ;', "SyntaxError: unexpected token in expression: ';'", '    at function.js:1:9'],
    ['\n\n  export default 1 +', 'SyntaxError: ', '    at function.js:3:21'],
    ['export { x }', "SyntaxError: exported variable 'x' does not exist", ''],
    ['await', 'SyntaxError: ', '    at function.js:1:6'],
    ['"unclosed', 'SyntaxError: ', '    at function.js:1:1'],
    ['x = /(/', 'SyntaxError: ', '    at function.js:1:5'],
  ])('does not parse: %j', (module, message, stack) => {
    const failure = failed(module)
    expect(failure).toMatchObject({ code: 'E_FUNCTION_SYNTAX', message: expect.stringContaining(message), stack })
  })

  test.each([
    ['throw new Error("no")', 'Error: no'],
    ['throw 1', 'it threw 1'],
    ['await Promise.reject(new TypeError("late"))', 'TypeError: late'],
    ['JSON.parse("{")', 'SyntaxError: '],
    ['new Function("let x = ;")', 'SyntaxError: '],
    ['import "node:fs"', "ReferenceError: could not load module 'node:fs'"],
    ['await import("x")', "ReferenceError: could not load module 'x'"],
    ['undefinedThing()', "ReferenceError: 'undefinedThing' is not defined"],
    ['await new Promise(() => {})', 'its module waits, at the top level, for a promise that nothing will settle'],
  ])('throws: %j', (module, message) => {
    expect(failed(module)).toMatchObject({ code: 'E_FUNCTION_LOAD', message: expect.stringContaining(message) })
  })

  test('has a stack in its own lines', () => {
    expect(failed('function f() {\n  null.x\n}\nf()').stack).toBe(
      '    at f (function.js:2:7)\n    at <anonymous> (function.js:4:2)',
    )
  })

  test('computes too long', () => {
    expect(failed('for (;;);')).toMatchObject({
      code: 'E_FUNCTION_LOAD',
      message: 'its module used more than 20000000 fuel',
    })
  }, 120_000)

  test('uses up the memory', () => {
    expect(failed('const a = []; for (;;) a.push(new Uint8Array(1e5))')).toMatchObject({
      code: 'E_MEMORY_LIMIT',
      message: 'its module needs more than the 33554432 bytes of memory it has',
    })
  })

  test('is charged nothing, and keeps what it printed', () => {
    const outcome = perform('console.log("loading"); throw 1')
    expect(outcome).toMatchObject({ fuel: 0, console: [{ level: 'log', text: 'loading' }] })
  })
})

describe('a function that throws', () => {
  test.each([
    ['throw new Error("boom")', 'Error: boom'],
    ['throw new (class MyError extends TypeError { name = "MyError" })("x")', 'MyError: x'],
    ['throw new Error()', 'Error'],
    ['throw 42', 'it threw 42'],
    ['throw "text"', 'it threw "text"'],
    ['throw null', 'it threw null'],
    ['throw undefined', 'it threw undefined'],
    ['throw { code: 1 }', 'it threw {code: 1}'],
    ['throw Symbol("s")', 'it threw Symbol(s)'],
    [
      'throw new Proxy({}, { ownKeys() { throw 1 }, getPrototypeOf() { throw 2 } })',
      'it threw something that cannot be described',
    ],
    [
      'throw Object.defineProperty(new Error("x"), "message", { get() { throw 1 } })',
      'it threw something that cannot be described',
    ],
    ['const e = new Error("x"); e.name = {}; e.message = { toString() { return "y" } }; throw e', 'y'],
  ])('%s', (body, message) => {
    expect(failed(`export default () => { ${body} }`)).toMatchObject({ code: 'E_FUNCTION_THREW', message })
    expect(failed(`export default async () => { await null; ${body} }`)).toMatchObject({
      code: 'E_FUNCTION_THREW',
      message,
    })
  })

  test('has a stack without frames of ours', () => {
    const { stack } = failed('function inner() {\n  throw new Error("x")\n}\nexport default () => inner()')
    expect(stack).toBe('    at inner (function.js:2:18)\n    at default (function.js:4:27)')
  })

  test('has a bounded message and stack without control characters', () => {
    const { message, stack } = failed(
      'export default () => { const e = new Error("\\u001b[31m\\u202e" + "x".repeat(1e5)); e.stack = "s\\u0000\\n".repeat(1e5); throw e }',
    )
    expect(message).toBe(`Error: [31m${'x'.repeat(4096)}`.slice(0, 4096 - 2))
    expect(stack.length).toBeLessThanOrEqual(16_384)
    expect(stack).toMatch(/^s(\ns)+$/)
  })

  test('may be forging: only its own outcome shows it', () => {
    const module = 'export default () => { Error.prototype.toString = () => { throw 1 }; throw new Error("x") }'
    expect(failed(module).message).toBe('Error: x')
  })
})

describe('a function that waits for nothing', () => {
  test('is pending, and says so', () => {
    const failure = { code: 'E_FUNCTION_PENDING', message: 'it waits for a promise that nothing will settle' }
    expect(failed('export default () => new Promise(() => {})')).toMatchObject(failure)
    expect(failed('export default async () => { await new Promise(() => {}) }')).toMatchObject(failure)
    expect(failed('export default () => ({ then() {} })')).toMatchObject(failure)
  })
})

test('code after the result does not run', () => {
  const module = `export default () => { Promise.resolve().then(() => console.log('late')); return 1 }`
  expect(outcomeOf(begin(module, runOf()).result)).toMatchObject({ console: [], result: { ok: true } })
})
