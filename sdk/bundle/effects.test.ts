import { describe, expect, test } from 'vitest'
import { effectsIn } from './effects.ts'

describe('requests calls', () => {
  test.each([
    ['a method call', 'export default (input, env, ctx) => ctx.call("#hello", input)'],
    ['over lines', 'export default async (input, env, ctx) => {\n  return ctx\n    .call("#hello", input)\n}'],
    ['optional', 'export const f = (input, env, ctx) => ctx?.call?.("#hello")'],
    ['by key', 'export const f = (input, env, ctx) => ctx["call"]("#hello")'],
    ['typed', 'export const f = (input: X, env: {}, ctx: Context) => (ctx as Context).call("#hello")'],
    ['a destructured parameter', 'export default function f(input, env, { call }) { return call("#hello") }'],
    ['renamed', 'export const f = async (input: X, { DB }: Env, { signal, call: ask }: Context) => ask("#hello")'],
    ['taken from ctx', 'export const f = (input, env, ctx) => { const { call } = ctx; return call("#hello") }'],
    ['in a string, which the rule cannot tell', 'export const f = () => "ctx.call()"'],
  ])('%s', async (_, source) => {
    expect(await effectsIn('f.ts', source)).toEqual(['call'])
  })
})

describe('does not', () => {
  test.each([
    ['in a comment', '// ctx.call("#hello")\nexport default () => 1 /* ctx.call( */'],
    ['in a type', 'export default (x: { call(): void }, env: {}, ctx: Context & { call: typeof ctx.call }) => 1'],
    ["a function's own call", 'export const f = (g) => g.call(null, 1)'],
    ['another object', 'export const f = (context) => myctx.call("#hello")'],
    ['an object literal', 'export const f = (call) => [1, { call }]'],
  ])('%s', async (_, source) => {
    expect(await effectsIn('f.ts', source)).toEqual([])
  })

  test('a file that is no code', async () => {
    expect(await effectsIn('data.json', '{"a":"ctx.call()"}')).toEqual([])
  })
})

describe('requests sleep', () => {
  test.each<[string, string, string[]]>([
    ['a timer', 'export default () => new Promise((done) => setTimeout(done, 5))', ['sleep']],
    ['a delay that is not known', 'export default (ms) => new Promise((done) => setTimeout(done, ms))', ['sleep']],
    ['an interval', 'export default () => setInterval(() => {}, 0)', ['sleep']],
    ['a timeout', 'export default () => AbortSignal.timeout(5)', ['sleep']],
    ['handed on', 'export default () => wait(globalThis.setTimeout)', ['sleep']],
    ['both', 'export default (x, env, ctx) => setTimeout(() => ctx.call("#a"), 5)', ['call', 'sleep']],
    ['none without a delay', 'export default () => new Promise((done) => setTimeout(done, 0))', []],
    ['none with no delay', 'export default () => new Promise((done) => { setTimeout(done) })', []],
    ['none in a comment', 'export default () => 1 // setTimeout(done, 5)', []],
    ['none that is only cleared', 'export default (t) => clearTimeout(t)', []],
  ])('%s', async (_, source, effects) => {
    expect(await effectsIn('f.ts', source)).toEqual(effects)
  })
})

describe('requests', () => {
  test.each<[string, string, string[]]>([
    ['the clock', 'export default (x, env, ctx) => ctx.now()', ['now']],
    ['randomness, taken out of ctx', 'export default (x, env, { random }) => random(5)', ['random']],
    ['writes', 'export default (x, { DB }) => DB.put("a", 1)', ['put']],
    [
      'writes, taken out of a binding',
      'export default (x, { DB: { put, delete: drop } }) => drop("a")',
      ['put', 'delete'],
    ],
    ['deletions', 'export default (x, env) => env.DB["delete"]("a")', ['delete']],
    ['what is sent', 'export default (x, env) => env.MAIL?.send(x)', ['send']],
    ['no deletion of properties', 'export default (x) => { delete x.put1; return x }', []],
    ['no clock of another', 'export default () => Date.now() + performance.now()', []],
  ])('%s', async (_, source, effects) => {
    expect(await effectsIn('f.ts', source)).toEqual(effects)
  })
})
