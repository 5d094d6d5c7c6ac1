import { describe, expect, test } from 'vitest'
import { rawCid, recordCid } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Answer, EffectRequest } from '../protocol/journal.ts'
import { CALL_DEPTH_MAX, MIB, PUT_BLOCKS_MAX, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { outcomeOf } from '../scripts/test/scripted-peer.ts'
import { machine } from '../scripts/test/world.ts'
import { FakeClock } from '../simulations/clock.ts'
import { seededRandom } from '../simulations/random.ts'
import type { CallRequest, Item } from './calls.ts'
import { createEffects } from './effects/effects.ts'
import type { StateReads } from './effects/state.ts'
import { type AnswerSink, Home } from './home.ts'
import { homeKit } from './home-kit.ts'
import { Proven } from './proven.ts'

const self = recordCid(machine.crypto, Uint8Array.of(1))
const other = recordCid(machine.crypto, Uint8Array.of(2))

/** The home of one item; nested calls return what `calls` gives for the request. */
const homeOf = (
  calls: (request: CallRequest) => Promise<Value> | Value = () => 0,
  depth = 0,
  { grants, reads }: Pick<CallRequest, 'grants'> & { reads?: StateReads } = {},
) => {
  const clock = new FakeClock()
  const made: CallRequest[] = []
  const request = {
    function: self,
    depth,
    level: { level: 'self' },
    timeoutMs: 1000,
    remote: true,
    grants,
    steps: reads && { current: async () => ({ reads, from: 0 }) },
  } as CallRequest
  const limits = { fuel: 1000, memory_bytes: 5, output_bytes: 6 }
  const template = { function: self, export: 'default', environment: { engine: 'e', protocol: 1, limits } }
  const item = {
    request,
    manifest: { effects: ['call', 'get'], env: [{ name: 'DB', kind: 'state' }] },
    template,
    journal: [],
    proven: new Proven(),
    deadlineMs: 1000,
  } as unknown as Item
  const nested = async (call: CallRequest) => {
    made.push(call)
    return outcomeOf(await calls(call), 300)
  }
  const ports = { clock, crypto: machine.crypto, random: seededRandom(1), log: { event() {} } }
  const home = new Home(item, createEffects(ports, nested, homeKit))
  const told: [number, Answer][] = []
  const sink: AnswerSink = { answer: (n, answer) => void told.push([n, answer]), refuse() {} }
  home.attach(sink)
  const ask = async (n: number, args: Value, kind: EffectRequest['kind'] = 'call') => {
    const effect: EffectRequest = { n, after: 0, kind, arguments: encodeValue(args) }
    home.onRequest(sink, effect)
    await clock.advance(0)
    return told.findLast(([of]) => of === n)?.[1]
  }
  return { home, item, clock, made, told, sink, ask }
}

const ok = (value: Value) => ({ ok: true, value: encodeValue(value) })

test('a request is recorded, performed and answered, and the answer recorded', async () => {
  const { ask, item, made } = homeOf(({ input }) => input.length)
  expect(await ask(0, { ref: '#part', input: 5 })).toEqual(ok(1))
  expect(item.journal.map(({ entry, n }) => [entry, n])).toEqual([
    ['request', 0],
    ['answer', 0],
  ])
  expect(made).toMatchObject([{ export: 'part', depth: 1, timeoutMs: 1000, level: { level: 'self' } }])
  expect(made[0]!.function.equals(self)).toBe(true)
})

test('an executor that names more blocks than an invocation may put is refused, and nothing of it is recorded', async () => {
  const { ask, item, sink } = homeOf()
  const refused: string[] = []
  sink.refuse = (reason) => void refused.push(reason)
  const blocks = Array<string>(PUT_BLOCKS_MAX / 2).fill(rawCid(machine.crypto, new Uint8Array()).toString())
  const put = { binding: 'DB', key: 'k', bytes: blocks.length * STATE_BLOCK_BYTES, blocks }
  for (let n = 0; n < 3; n++) await ask(n, put, 'put')
  expect(item.journal).toHaveLength(2)
  expect(refused).toEqual([expect.stringContaining(`${PUT_BLOCKS_MAX} blocks`)])
})

test('arguments of a few million empty things are not read to their end: E_MESSAGE_LIMIT', async () => {
  const { ask, made } = homeOf()
  expect(await ask(0, { ref: '#part', input: new Array(500_000).fill(0) })).toMatchObject({ ok: true })
  const refused = { ok: false, code: 'E_MESSAGE_LIMIT', message: expect.stringContaining('over 524288 items') }
  expect(await ask(1, { ref: '#part', input: Array.from({ length: 3_000_000 }, () => []) })).toMatchObject(refused)
  expect(made).toHaveLength(1)
})

test('a request that is recorded is not performed again, whoever makes it', async () => {
  const { ask, home, made } = homeOf()
  await ask(0, { ref: '#part' })
  await ask(0, { ref: '#other' })
  const next = { answer() {}, refuse() {} }
  home.attach(next)
  home.onRequest(next, { n: 0, after: 0, kind: 'call', arguments: encodeValue({ ref: '#part' }) })
  expect(made).toHaveLength(1)
})

test('an executor that was replaced is not listened to, and answers go to the one that took its place', async () => {
  const answer = Promise.withResolvers<Value>()
  const { home, clock, sink, ask, told, made } = homeOf(() => answer.promise)
  await ask(0, { ref: '#slow' })
  const later: number[] = []
  home.attach({ answer: (n) => void later.push(n), refuse() {} })
  home.onRequest(sink, { n: 1, after: 0, kind: 'call', arguments: encodeValue({ ref: '#more' }) })
  answer.resolve(7)
  await clock.advance(0)
  expect([told, later, made.length]).toEqual([[], [0], 1])
})

describe('what is asked for', () => {
  test.each<[string, Value]>([
    ['no record', 'text'],
    ['no ref', { input: 1 }],
    ['a ref that is none', { ref: 'nothing' }],
    ['a fuel of 0', { ref: '#x', options: { fuel: 0 } }],
    ['a fuel of 1.5', { ref: '#x', options: { fuel: 1.5 } }],
    ['a timeout of text', { ref: '#x', options: { timeoutMs: 'soon' } }],
  ])('with %s is an answer with E_USAGE', async (_, args) => {
    const { ask, made } = homeOf()
    expect(await ask(0, args)).toMatchObject({ ok: false, code: 'E_USAGE' })
    expect(made).toEqual([])
  })

  test('in bytes that are no Value is an answer too', async () => {
    const { home, sink, clock, told } = homeOf()
    home.onRequest(sink, { n: 0, after: 0, kind: 'call', arguments: Uint8Array.of(0xff) })
    await clock.advance(0)
    expect(told).toMatchObject([[0, { ok: false }]])
  })

  test('names another function, and tightens what it may use', async () => {
    const { ask, made, clock } = homeOf()
    await clock.advance(400)
    await ask(0, { ref: `${other}#twice`, options: { fuel: 10, timeoutMs: 50 } })
    await ask(1, { ref: `${other}`, options: { fuel: 1_000_000, timeoutMs: 1_000_000 } })
    expect(made.map((one) => [one.function.equals(other), one.export, one.limits?.fuel, one.timeoutMs])).toEqual([
      [true, 'twice', 10, 50],
      [true, 'default', 700, 600],
    ])
  })

  test('uses up the fuel, then the time, then the depth', async () => {
    const { ask, clock } = homeOf()
    for (let n = 0; n < 4; n++) expect(await ask(n, { ref: '#x' })).toEqual(ok(0))
    expect(await ask(4, { ref: '#x' })).toMatchObject({ code: 'E_FUEL_LIMIT' })
    await clock.advance(1000)
    expect(await homeOf(undefined, CALL_DEPTH_MAX).ask(0, { ref: '#x' })).toMatchObject({ code: 'E_CALL_DEPTH' })
    const late = homeOf()
    await late.clock.advance(1000)
    expect(await late.ask(0, { ref: '#x' })).toMatchObject({ code: 'E_TIMEOUT' })
  })
})

describe('a call that is thrown for', () => {
  test('is answered with its code', async () => {
    const { ask } = homeOf(() => Promise.reject(new MeshError('E_NO_PEER', 'nobody')))
    expect(await ask(0, { ref: '#x' })).toEqual({ ok: false, code: 'E_NO_PEER', message: 'nobody' })
  })

  test('by a defect is E_INTERNAL, and nobody is told more', async () => {
    const { ask } = homeOf(() => Promise.reject(new TypeError('x of undefined')))
    expect(await ask(0, { ref: '#x' })).toEqual({ ok: false, code: 'E_INTERNAL', message: 'the call failed' })
  })
})

describe('a journal has its limits', () => {
  test('requests larger than any run can make are the executor’s invention', async () => {
    const { ask } = homeOf()
    await ask(0, { ref: '#x', input: new Uint8Array(3 * MIB) })
    await expect(ask(1, { ref: '#x', input: new Uint8Array(3 * MIB) })).rejects.toMatchObject({
      code: 'E_MESSAGE_LIMIT',
    })
  })

  test('answers that come to more than 4 MiB are answered with E_OUTPUT_LIMIT; smaller ones still go', async () => {
    const { ask } = homeOf(({ export: name }) => new Uint8Array(name === 'big' ? 3 * MIB : 10))
    expect(await ask(0, { ref: '#big' })).toMatchObject({ ok: true })
    expect(await ask(1, { ref: '#big' })).toMatchObject({ ok: false, code: 'E_OUTPUT_LIMIT' })
    expect(await ask(2, { ref: '#small' })).toMatchObject({ ok: true })
  })
})

test('begun anew, it forgets: what was under way is answered to nobody', async () => {
  const slow = Promise.withResolvers<Value>()
  const { home, item, ask, clock, told, made } = homeOf(({ export: name }) => (name === 'slow' ? slow.promise : 1))
  expect(home.startOver()).toBe(false)
  await ask(0, { ref: '#slow' })
  expect(home.startOver()).toBe(true)
  expect(item.journal).toEqual([])
  await ask(0, { ref: '#quick' })
  slow.resolve(2)
  await clock.advance(0)
  expect(told).toEqual([[0, ok(1)]])
  expect(item.journal).toHaveLength(2)
  expect(made).toHaveLength(2)
  // Of 1000 the quick call has used 300; the forgotten one used fuel of nobody.
  await ask(1, { ref: '#quick' })
  expect(made.at(-1)!.limits?.fuel).toBe(700)
})

describe('sleep', () => {
  const asleep = () => {
    const one = homeOf()
    const ask = (n: number, args: Value) =>
      one.home.onRequest(one.sink, { n, after: 0, kind: 'sleep', arguments: encodeValue(args) })
    return { ...one, ask }
  }

  test('is answered when the clock has gone so far, each by itself', async () => {
    const { ask, clock, told, item } = asleep()
    ask(0, { ms: 300 })
    ask(1, { ms: 100 })
    await clock.advance(99)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual([[1, ok(null)]])
    await clock.advance(200)
    expect(told).toEqual([
      [1, ok(null)],
      [0, ok(null)],
    ])
    expect(item.journal.map(({ entry, n }) => [entry, n])).toEqual([
      ['request', 0],
      ['request', 1],
      ['answer', 1],
      ['answer', 0],
    ])
  })

  test('that would outlast the item is never answered, and holds nothing', async () => {
    const { ask, clock, told } = asleep()
    ask(0, { ms: 1001 })
    ask(1, { ms: Number.MAX_SAFE_INTEGER })
    await clock.advance(5000)
    expect(told).toEqual([])
  })

  test('ends with its item: nothing is told or recorded any more', async () => {
    const { ask, home, clock, told, item } = asleep()
    ask(0, { ms: 100 })
    home.close()
    await clock.advance(200)
    expect([told, item.journal.length]).toEqual([[], 1])
  })

  test.each<[string, Value]>([
    ['none', {}],
    ['not a number', { ms: 'x' }],
    ['not whole', { ms: 1.5 }],
    ['nothing', { ms: 0 }],
    ['no map', 5],
  ])('for %s is refused', async (_, args) => {
    const { ask, clock, told } = asleep()
    ask(0, args)
    await clock.advance(0)
    expect(told).toMatchObject([[0, { ok: false, code: 'E_USAGE' }]])
  })

  test('with more arguments than there are is refused unread', async () => {
    const { ask, clock, told } = asleep()
    ask(0, { ms: 5, more: [1, 2, 3] })
    await clock.advance(0)
    expect(told).toMatchObject([[0, { ok: false, code: 'E_MESSAGE_LIMIT' }]])
  })
})

describe('each kind of effect', () => {
  test('now is the home’s clock, random its randomness', async () => {
    const { ask, clock } = homeOf()
    await clock.advance(250)
    expect(await ask(0, {}, 'now')).toEqual(ok(Math.floor(clock.now())))
    const [first, second] = [await ask(1, { bytes: 16 }, 'random'), await ask(2, { bytes: 16 }, 'random')]
    const bytesOf = (answer: Answer | undefined) => (answer?.ok ? (decodeValue(answer.value) as Uint8Array) : undefined)
    expect([bytesOf(first)?.length, bytesOf(second)?.length]).toEqual([16, 16])
    expect(bytesOf(first)).not.toEqual(bytesOf(second))
    expect(await ask(3, { bytes: 65_537 }, 'random')).toMatchObject({ ok: false, code: 'E_USAGE' })
    expect(await ask(4, { zone: 1 }, 'now')).toMatchObject({ ok: false, code: 'E_MESSAGE_LIMIT' })
  })

  test('what is deferred is recorded, and nobody is told anything', async () => {
    const { ask, item, told, home } = homeOf()
    await ask(0, { binding: 'DB', key: 'k', value: 1 }, 'put')
    await ask(1, { binding: 'DB', key: 'k' }, 'delete')
    expect([told, item.journal.map(({ entry, n }) => [entry, n])]).toEqual([
      [],
      [
        ['request', 0],
        ['request', 1],
      ],
    ])
    expect(home.startOver()).toBe(true)
    expect(item.journal).toEqual([])
  })

  const entries = new Map<string, Value>([
    ['a/1', 1],
    ['a/2', [2]],
    ['b', { x: null }],
    ['large', 'x'.repeat(100)],
  ])
  const reads: StateReads = {
    get: async (namespace, key) =>
      namespace === 'shop' && entries.has(key) ? encodeValue(entries.get(key)!) : undefined,
    list: async ({ prefix, after = '', limit }) => {
      const found = [...entries].filter(([key]) => key.startsWith(prefix) && key > after)
      const page = found.slice(0, limit).map(([key, value]) => ({ key, value: encodeValue(value) }))
      return { entries: page, more: found.length > limit }
    },
    beside: () => ({ reads, note: () => {} }),
  }

  test('get and list read where the call says, within the grant', async () => {
    const { ask } = homeOf(undefined, 0, { grants: { DB: { state: 'shop', prefix: 'a/' } }, reads })
    expect(await ask(0, { binding: 'DB', key: 'a/2' }, 'get')).toEqual(ok([2]))
    expect(await ask(1, { binding: 'DB', key: 'a/3' }, 'get')).toEqual(ok(null))
    expect(await ask(2, { binding: 'DB', prefix: 'a/', after: null, limit: 1 }, 'list')).toEqual(
      ok({ entries: [{ key: 'a/1', value: 1 }], more: true }),
    )
    expect(await ask(3, { binding: 'DB', prefix: 'a/', after: 'a/1', limit: 5 }, 'list')).toEqual(
      ok({ entries: [{ key: 'a/2', value: [2] }], more: false }),
    )
    expect(await ask(4, { binding: 'DB', key: 'b' }, 'get')).toMatchObject({ ok: false, code: 'E_GRANT' })
  })

  test('answers that come to more than is granted are none', async () => {
    const { ask } = homeOf(undefined, 0, { grants: { DB: { state: 'shop', bytes: 150 } }, reads })
    expect(await ask(0, { binding: 'DB', key: 'large' }, 'get')).toMatchObject({ ok: true })
    expect(await ask(1, { binding: 'DB', key: 'large' }, 'get')).toMatchObject({ ok: false, code: 'E_GRANT' })
    expect(await ask(2, { binding: 'DB', key: 'b' }, 'get')).toMatchObject({ ok: true })
  })

  test('a home without state says so', async () => {
    const { ask } = homeOf(undefined, 0, { grants: { DB: { state: 'shop' } } })
    const none = { ok: false, code: 'E_GRANT', message: 'env.DB: this home keeps no state' }
    expect(await ask(0, { binding: 'DB', key: 'b' }, 'get')).toEqual(none)
  })

  test('an own export has its caller’s grants, another function none', async () => {
    const { ask, made } = homeOf(undefined, 0, { grants: { DB: { state: 'shop' } }, reads })
    await ask(0, { ref: '#part' })
    await ask(1, { ref: `${other}` })
    expect(made.map(({ grants }) => grants)).toEqual([{ DB: { state: 'shop' } }, undefined])
  })
})
