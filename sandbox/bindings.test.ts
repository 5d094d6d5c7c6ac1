import { describe, expect, test } from 'vitest'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { STATE_PUT_BYTES_MAX } from '../protocol/limits.ts'
import type { Binding } from '../protocol/records.ts'
import { decodeValue, encodeValue, ensureValue, type Value } from '../protocol/values.ts'
import { bytesOf, limits, outcomeOf, runOf, valueIn, wasm } from './fixture.ts'
import { PLAIN_MODULE } from './job.ts'
import { createSandbox } from './sandbox.ts'

const ENV: Binding[] = [
  { name: 'API', kind: 'fetch' },
  { name: 'DB', kind: 'state' },
  { name: 'KEY', kind: 'secret' },
  { name: 'OTHER', kind: 'state' },
]
const EFFECTS = ['call', 'delete', 'fetch', 'get', 'list', 'now', 'put', 'random', 'send', 'sleep'] as const

type Home = (request: { kind: string; args: Record<string, Value> }) => Value | Error
const entries = (...keys: string[]) => keys.map((key) => ({ key, value: `home ${key}` }))

/** A state with the keys given, ascending. */
const stateOf =
  (...keys: string[]): Home =>
  ({ kind, args }) => {
    if (kind === 'get') return keys.includes(args.key as string) ? `home ${args.key}` : null
    const found = keys.filter(
      (key) => key.startsWith(args.prefix as string) && (args.after === null || key > (args.after as string)),
    )
    const limit = args.limit as number
    return { entries: entries(...found.slice(0, limit)), more: found.length > limit }
  }

/** One run of `body`, of an async function of (input, env, ctx), whose requests `home` answers in order. */
const run = (
  body: string,
  home: Home = () => null,
  input: unknown = null,
  changes: Parameters<typeof runOf>[1] = {},
) => {
  const sandbox = createSandbox({ wasm, compare: true })
  const module = `export default async (input, env, ctx) => {${body}}`
  sandbox.load('f', bytesOf(module), limits.memory_bytes, { ...PLAIN_MODULE, env: ENV, effects: EFFECTS })
  const perform = (journal: readonly JournalEntry[]) => {
    const entriesOf: JournalEntry[] = []
    const open: EffectRequest[] = []
    const requested = (request: EffectRequest) => {
      entriesOf.push({ entry: 'request', ...request })
      if (!['put', 'delete', 'send'].includes(request.kind)) open.push(request)
    }
    const handle = sandbox.run('f', runOf(input, { effects: EFFECTS, ...changes, journal }), { requested })
    for (let request = open.shift(); request && !handle.result; request = open.shift()) {
      const given = home({ kind: request.kind, args: decodeValue(request.arguments) as Record<string, Value> })
      const answer: Answer =
        given instanceof Error
          ? { ok: false, code: 'E_GRANT', message: given.message }
          : { ok: true, value: encodeValue(ensureValue(given)) }
      entriesOf.push({ entry: 'answer', n: request.n, answer })
      handle.answer(request.n, answer)
    }
    return { result: handle.result, journal: entriesOf }
  }
  const first = perform([])
  // The same again in the engine that was reset, and from the journal alone.
  expect(perform([])).toEqual(first)
  expect(perform(first.journal)).toEqual({ result: first.result, journal: [] })
  const outcome = outcomeOf(first.result)
  const requests = outcome.requests.map(({ kind, arguments: args }) => [kind, decodeValue(args)] as [string, Value])
  return { outcome, requests, journal: first.journal, value: () => valueIn(outcome) }
}

test('env has what the manifest declares and nothing else, and cannot be changed', () => {
  const { value } = run(`
    'use strict'
    const attempts = [() => { env.X = 1 }, () => { env.DB = 1 }, () => { env.DB.get = 1 }, () => { delete env.KEY }, () => { ctx.now = 1 }]
    const threw = attempts.map((f) => { try { f(); return false } catch (e) { return e instanceof TypeError } })
    return [Object.keys(env), Object.keys(env.DB), Object.keys(env.API), env.KEY, Object.isFrozen(env), threw]
  `)
  expect(value()).toEqual([
    ['API', 'DB', 'KEY', 'OTHER'],
    ['get', 'list', 'put', 'delete'],
    ['fetch', 'send'],
    '{wayside-secret:KEY}',
    true,
    [true, true, true, true, true],
  ])
})

test('now and random are asked of the home', () => {
  const home: Home = ({ kind, args }) =>
    kind === 'now' ? 1_800_000_000_000 : new Uint8Array(args.bytes as number).fill(7)
  const { requests, value } = run('return [await ctx.now(), await ctx.random(3)]', home)
  expect(value()).toEqual([1_800_000_000_000, Uint8Array.of(7, 7, 7)])
  expect(requests).toEqual([
    ['now', {}],
    ['random', { bytes: 3 }],
  ])
})

describe('state', () => {
  test('what a function writes is told at once and waits for nobody', () => {
    const { requests, journal, value } = run(`
      const waited = [env.DB.put('a', { n: [1, 2n, new Uint8Array([3])] }), env.DB.delete('b'), env.DB.put('c')]
      return [waited.every((one) => one instanceof Promise), await Promise.all(waited)]
    `)
    expect(value()).toEqual([true, [null, null, null]])
    expect(requests).toEqual([
      ['put', { binding: 'DB', key: 'a', value: { n: [1, 2n, Uint8Array.of(3)] } }],
      ['delete', { binding: 'DB', key: 'b' }],
      ['put', { binding: 'DB', key: 'c', value: null }],
    ])
    expect(journal.map(({ entry }) => entry)).toEqual(['request', 'request', 'request'])
  })

  test.each([
    "await env.API.fetch('https://a.example/')",
    "await ctx.call('#x')",
    'await new Promise((done) => setTimeout(done, 1))',
  ])('behind %s its own writes are the home’s to say: it may have committed them', (barrier) => {
    const { requests, value } = run(
      `
        env.DB.put('a', 1)
        const before = await env.DB.get('a')
        const asked = ${barrier.slice('await '.length)}
        const pending = env.DB.get('a')
        env.DB.put('b', 2)
        await asked
        const { entries } = await env.DB.list({})
        return [before, await pending, await env.DB.get('b'), entries]
      `,
      ({ kind, args }) =>
        kind === 'fetch' ? { status: 200, headers: [], body: bytesOf(''), url: '' } : stateOf('a', 'b')({ kind, args }),
    )
    expect(value()).toEqual([1, 'home a', 2, [...entries('a'), { key: 'b', value: 2 }]])
    expect(requests.filter(([kind]) => kind === 'get')).toEqual([['get', { binding: 'DB', key: 'a' }]])
  })

  test('it reads its own writes, as they were when it made them, each time anew', () => {
    const { requests, value } = run(
      `
      const bytes = new Uint8Array([1, 2])
      const value = { bytes, list: [1] }
      env.DB.put('a', value)
      bytes[0] = 9
      value.list.push(2)
      const first = await env.DB.get('a')
      first.bytes[1] = 8
      first.list.push(3)
      const again = await env.DB.get('a')
      env.DB.delete('a')
      const gone = await env.DB.get('a')
      env.DB.put('a', 5)
      return [again, gone, await env.DB.get('a'), await env.OTHER.get('a'), await env.DB.get('b')]
    `,
      stateOf('a', 'b'),
    )
    expect(value()).toEqual([{ bytes: Uint8Array.of(1, 2), list: [1] }, null, 5, 'home a', 'home b'])
    expect(requests.filter(([kind]) => kind === 'get')).toEqual([
      ['get', { binding: 'OTHER', key: 'a' }],
      ['get', { binding: 'DB', key: 'b' }],
    ])
  })

  test.each<[string, string, string, unknown]>([
    [
      'adds what it wrote, in its place',
      `env.DB.put('b', 1); env.DB.put('0', 1); env.DB.put('e', 1)`,
      '{}',
      [['0', 'a', 'b', 'c', 'd', 'e'], false],
    ],
    ['leaves out what it deleted', `env.DB.delete('a'); env.DB.delete('d'); env.DB.delete('x')`, '{}', [['c'], false]],
    ['has what it wrote over', `env.DB.put('c', 1)`, '{}', [['a', 'c', 'd'], false]],
    [
      'within the prefix and behind a key',
      `env.DB.put('ab', 1); env.DB.put('b', 1)`,
      `{ prefix: 'a', after: 'a' }`,
      [['ab'], false],
    ],
    ['up to the limit', `env.DB.put('b', 1)`, '{ limit: 2 }', [['a', 'b'], true]],
    ['as far as the home’s page goes', `env.DB.put('x', 1)`, '{ limit: 2 }', [['a', 'c'], true]],
    [
      'page after page where all of one was deleted',
      `env.DB.delete('a'); env.DB.delete('c')`,
      '{ limit: 1 }',
      [['d'], false],
    ],
    [
      'to the end where all was deleted',
      `env.DB.delete('a'); env.DB.delete('c'); env.DB.delete('d')`,
      '{ limit: 1 }',
      [[], false],
    ],
  ])('a list %s', (_, writes, options, expected) => {
    const body = `${writes}\nconst { entries, more } = await env.DB.list(${options}); return [entries.map(({ key }) => key), more, Array.isArray(entries)]`
    expect(run(body, stateOf('a', 'c', 'd')).value()).toEqual([...(expected as unknown[]), true])
  })

  test('keys sort by code point, as their UTF-8 does', () => {
    const keys = ['\u{1f600}', '\uff5e', 'z', '\ud7ff', 'é', '\u{10000}x', '\u{10000}']
    const { value } = run(
      'for (const key of input) env.DB.put(key, 1); return (await env.DB.list()).entries.map(({ key }) => key)',
      stateOf(),
      keys,
    )
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(value()).toEqual(sorted)
    expect(sorted).not.toEqual(keys.toSorted())
  })

  test('a read that is not granted can be caught', () => {
    const body = `try { return await env.DB.get('a') } catch (e) { return [e.code, e.message] }`
    expect(run(body, () => new Error('not for you')).value()).toEqual(['E_GRANT', 'not for you'])
  })

  test('a write with a wrong key or value is thrown at once, and is no request', () => {
    const { requests, value } = run(`
      const cycle = {}
      cycle.self = cycle
      const wrong = [
        () => env.DB.put('', 1), () => env.DB.put('a\\n', 1), () => env.DB.put('x'.repeat(257), 1), () => env.DB.put(5, 1),
        () => env.DB.put('\\ud800', 1), () => env.DB.put({ toString: () => 'a' }, 1), () => env.DB.delete(), () => env.DB.put('a', () => 1),
        () => env.DB.put('a', cycle), () => env.DB.put('a', new Uint8Array(${STATE_PUT_BYTES_MAX})),
      ]
      return [wrong.map((f) => { try { f(); return 'nothing' } catch (e) { return [e.code, e instanceof TypeError] } }), await env.DB.get('a')]
    `)
    const usage = ['E_USAGE', true]
    const noValue = ['E_VALUE', true]
    expect(value()).toEqual([[usage, usage, usage, usage, noValue, noValue, usage, noValue, noValue, usage], null])
    expect(requests).toEqual([['get', { binding: 'DB', key: 'a' }]])
  })

  test('a read with wrong arguments is a promise that rejects, and is no request', () => {
    const { requests, value } = run(`
      const wrong = [env.DB.get(''), env.DB.get(), env.DB.list({ limit: 0 }), env.DB.list({ prefix: 5 }), env.DB.list({ after: '' }), ctx.random(0), ctx.random('x')]
      return (await Promise.allSettled(wrong)).map(({ reason }) => reason?.code)
    `)
    expect(value()).toEqual(Array(7).fill('E_USAGE'))
    expect(requests).toEqual([])
  })
})

describe('a function that changes what the language has', () => {
  const patched = `
    let said = 0
    const trap = { __proto__: null, get() { said++ }, set() { said++ }, configurable: true }
    for (const key of ['resolve', 'told', 'key', 'value', 'text', 'name', 'kind']) Object.defineProperty(Object.prototype, key, trap)
    Array.prototype[Symbol.iterator] = Array.prototype.sort = Array.prototype.push = () => { said++ }
    String.prototype.startsWith = String.prototype.charCodeAt = () => { said++ }
    Object.keys = Object.freeze = Object.setPrototypeOf = JSON.parse = JSON.stringify = () => { said++ }
    Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { said++ }
    globalThis.Promise = class { constructor() { said++ } }
    globalThis.Uint8Array = globalThis.Error = globalThis.TypeError = class { constructor() { said++ } }
  `

  test('changes it for itself alone: the same requests, the same answers', () => {
    const body = `
      env.DB.put('b', { n: 1 })
      env.DB.delete('c')
      const read = await env.DB.get('b')
      const page = await env.DB.list({ limit: 3 })
      const now = await ctx.now()
    `
    const result = `return { read, length: page.entries.length, more: page.more, now, said }`
    const home: Home = (request) => (request.kind === 'now' ? 5 : stateOf('a', 'c', 'd')(request))
    const plain = run(`let said = 0\n${body}\n${result}`, home)
    const changed = run(`${patched}\n${body}\n${result}`, home)
    expect(changed.outcome.result).toEqual(plain.outcome.result)
    expect(changed.requests).toEqual(plain.requests)
    expect(plain.value()).toEqual({ read: { n: 1 }, length: 3, more: false, now: 5, said: 0 })
    // Whatever is written as JSON meets setters of arrays, in the engine itself: they learn of it, and change nothing.
    const setters = `for (const at of [0, 1]) Object.defineProperty(Array.prototype, at, { set() {}, get() {}, configurable: true })`
    expect(run(`let said = 0\n${setters}\n${body}\n${result}`, home).requests).toEqual(plain.requests)
  })
})

describe('fetch and send', () => {
  test('ask for what a Request says, and answer with a Response', () => {
    const home: Home = () => ({
      status: 201,
      headers: [['content-type', 'application/json']],
      body: new TextEncoder().encode('{"x":1}'),
      url: 'https://a.example/y',
    })
    const { requests, value } = run(
      `
      const response = await env.API.fetch('https://a.example/x?q=1#part', {
        method: 'post', headers: { authorization: \`Bearer \${env.KEY}\` }, body: JSON.stringify({ a: 1 }),
      })
      return [response.status, response.ok, response.url, response.headers.get('content-type'), await response.json()]
    `,
      home,
    )
    expect(value()).toEqual([201, true, 'https://a.example/y', 'application/json', { x: 1 }])
    const headers = [
      ['authorization', 'Bearer {wayside-secret:KEY}'],
      ['content-type', 'text/plain;charset=UTF-8'],
    ]
    const body = new TextEncoder().encode('{"a":1}')
    expect(requests).toEqual([
      ['fetch', { binding: 'API', url: 'https://a.example/x?q=1', method: 'POST', headers, body }],
    ])
  })

  test('a response without a body, and one that is none', () => {
    const answers: Value[] = [
      { status: 204, headers: [], body: new Uint8Array(0), url: 'https://a.example/' },
      { status: 99 } as Value,
    ]
    const body = `
      const first = await env.API.fetch('https://a.example/')
      const second = await env.API.fetch('https://a.example/').catch((e) => e.name)
      return [first.status, first.body, second]`
    let at = 0
    expect(run(body, () => answers[at++ % 2] as Value).value()).toEqual([204, null, 'RangeError'])
  })

  test('what is sent is not waited for, also by a function that returns at once', () => {
    const { requests, value } = run(`
      env.API.send('https://a.example/', { method: 'POST', body: new Uint8Array([1, 2]) })
      const stream = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([3])); c.close() } })
      env.API.send('https://a.example/later', { method: 'POST', body: stream, duplex: 'half' })
      return 'done'
    `)
    expect(value()).toBe('done')
    const sent = { binding: 'API', method: 'POST', headers: [] }
    expect(requests).toEqual([
      ['send', { ...sent, url: 'https://a.example/', body: Uint8Array.of(1, 2) }],
      ['send', { ...sent, url: 'https://a.example/later', body: Uint8Array.of(3) }],
    ])
  })

  test('a wrong URL or header is thrown by send, and rejects a fetch', () => {
    const { requests, value } = run(`
      const attempt = (f) => { try { return f() } catch (e) { return e.name } }
      const long = 'https://a.example/' + 'x'.repeat(9000)
      return [
        attempt(() => env.API.send('nowhere')), attempt(() => env.API.send(long)),
        await env.API.fetch('nowhere').catch((e) => e.name), await env.API.fetch(long).catch((e) => e.code),
      ]
    `)
    expect(value()).toEqual(['TypeError', 'TypeError', 'TypeError', 'E_USAGE'])
    expect(requests).toEqual([])
  })
})

test('undeclared, even what is deferred ends the run', () => {
  const { outcome } = run(`try { env.DB.put('a', 1) } catch {} return 1`, undefined, null, { effects: ['get'] })
  expect(outcome.result).toMatchObject({ code: 'E_EFFECT_UNDECLARED', message: expect.stringContaining('"put"') })
  expect(outcome.requests).toEqual([])
})
