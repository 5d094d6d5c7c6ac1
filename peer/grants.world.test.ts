/** Functions with state, across a mesh: nothing is read or written but what is granted and what the function itself asked for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EffectKind } from '../protocol/effects.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { Grants } from '../protocol/grants.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { decodeValue, encodeValue, type Value } from '../protocol/values.ts'
import { outcomeOf, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import { createWorld, type PeerSetup, type World, type WorldPeer } from '../simulations/world.ts'
import { type CallResult, ensureLevel } from './calls.ts'

const ABOUT = {
  effects: ['call', 'delete', 'get', 'list', 'now', 'put', 'random'] as EffectKind[],
  env: [{ name: 'DB', kind: 'state' as const }],
}
const GRANTS: Grants = { DB: { state: 'shop' } }
const COUNT = `export default async (key, { DB }, ctx) => {
  const n = ((await DB.get(key)) ?? 0) + 1
  DB.put(key, n)
  return n
}`

/** Peer 0 calls, and is home; the others lend. */
const meshFor = (name: string, executors: number) =>
  worldFor(name, { peers: 1 + executors, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

interface Wish {
  level?: string
  grants?: Grants | undefined
  exports?: string[]
}

const call = async (world: World, code: string, input: unknown, wish: Wish = {}): Promise<CallResult> => {
  const { level = 'self', exports = ['default'] } = wish
  const grants = 'grants' in wish ? wish.grants : GRANTS
  const { peer } = world.peers[0] as WorldPeer
  const cid = await publish(world.peers[0] as WorldPeer, code, { ...ABOUT, exports })
  return world.until(peer.call(requestOf(cid, input, { level: ensureLevel(level), grants })))
}
const stateOf = async (world: World): Promise<Record<string, Value>> => {
  const list = `export default async (x, { DB }) => Object.fromEntries((await DB.list()).entries.map(({ key, value }) => [key, value]))`
  return returned(await call(world, list, null)) as Record<string, Value>
}

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test('a function finds what it wrote before, under its own name and no other', async () => {
    const world = await meshFor(`counts at ${level}`, 3)
    for (let n = 1; n <= 3; n++) expect(returned(await call(world, COUNT, 'a', { level }))).toBe(n)
    expect(returned(await call(world, COUNT, 'b', { level }))).toBe(1)
    const elsewhere = { DB: { state: 'other' } }
    expect(returned(await call(world, COUNT, 'a', { level, grants: elsewhere }))).toBe(1)
    expect(await stateOf(world)).toEqual({ a: 3, b: 1 })
  })

  test('a read out of the grant is answered with E_GRANT, which the function can catch', async () => {
    const world = await meshFor(`read at ${level}`, 3)
    const code = `export default async (x, { DB }) => {
      const caught = []
      for (const ask of [() => DB.get('b/1'), () => DB.list(), () => DB.list({ prefix: 'b/' })]) {
        try { await ask() } catch (error) { caught.push(error.code) }
      }
      return [caught, await DB.get('a/1'), (await DB.list({ prefix: 'a/' })).entries]
    }`
    const grants = { DB: { state: 'shop', prefix: 'a/' } }
    expect(returned(await call(world, code, null, { level, grants }))).toEqual([
      ['E_GRANT', 'E_GRANT', 'E_GRANT'],
      null,
      [],
    ])
  })

  test('a write out of the grant refuses the whole call: nothing of it is kept', async () => {
    const world = await meshFor(`write at ${level}`, 3)
    const code = `export default async (x, { DB }) => { DB.put('a/1', 1); DB.put('b/1', 1); return 'done' }`
    const grants: [Grants | undefined, string][] = [
      [{ DB: { state: 'shop', prefix: 'a/' } }, 'env.DB: only keys that begin with "a/" are granted'],
      [{ DB: { state: 'shop', access: 'read' } }, 'env.DB: reading is granted, and put writes'],
      [{ DB: { state: 'shop', requests: 1 } }, 'env.DB: the 1 requests that are granted are used up'],
      [undefined, 'env.DB: the caller grants no state here'],
    ]
    for (const [grant, message] of grants) {
      const refused = call(world, code, null, { level, grants: grant })
      await expect(refused).rejects.toMatchObject({ code: 'E_GRANT', message: expect.stringContaining(message) })
    }
    expect(await stateOf(world)).toEqual({})
  })

  test('what a function wrote before it threw is not kept', async () => {
    const world = await meshFor(`threw at ${level}`, 3)
    const code = `export default async (x, { DB }) => { DB.put('a', 1); throw new Error('oh') }`
    const { outcome } = await call(world, code, null, { level })
    expect(outcome.result).toMatchObject({ ok: false, code: 'E_FUNCTION_THREW' })
    expect(await stateOf(world)).toEqual({})
  })

  test('an own export that is called has its caller’s grants, and another function none', async () => {
    const world = await meshFor(`nested at ${level}`, 3)
    await call(world, COUNT, 'a', { level })
    const code = `
      export default async (cid, { DB }, ctx) => {
        const calls = [['#read'], ['#write'], [cid, 'b']]
        return Promise.all(calls.map((call) => ctx.call(...call).catch((error) => error.code)))
      }
      export const read = (x, { DB }) => DB.get('a')
      export const write = async (x, { DB }) => { DB.put('c', 9); return 'written' }`
    const exports = ['default', 'read', 'write']
    const read = `export default (key, { DB }) => DB.get(key).catch((error) => error.code)`
    const { cid } = await publish(world.peers[0] as WorldPeer, read, ABOUT)
    expect(returned(await call(world, code, `${cid}`, { level, exports }))).toEqual([1, 'written', 'E_GRANT'])
    expect(await stateOf(world)).toEqual({ a: 1, c: 9 })
  })
})

test.each(['none', 'audit'])('at %s a function that writes is refused, and one that reads is not', async (level) => {
  const world = await meshFor(`level ${level}`, 2)
  await expect(call(world, COUNT, 'a', { level })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('use self or quorum:N'),
  })
  const { peer } = world.peers[0] as WorldPeer
  const reads = await publish(world.peers[0] as WorldPeer, 'export default (key, { DB }) => DB.get(key)', {
    ...ABOUT,
    effects: ['get'],
  })
  const request = requestOf(reads, 'a', { level: ensureLevel(level), grants: GRANTS })
  expect(returned(await world.until(peer.call(request)))).toBeNull()
})

test('what cannot be sent refuses the call, and is not passed over in silence', async () => {
  const world = await meshFor('sends', 2)
  const { peer } = world.peers[0] as WorldPeer
  const code = `export default async (x, { DB, MAIL }) => { DB.put('a', 1); MAIL.send('https://a.example/'); return 1 }`
  const env = [...ABOUT.env, { name: 'MAIL', kind: 'fetch' as const }]
  const cid = await publish(world.peers[0] as WorldPeer, code, { effects: ['put', 'send'], env })
  const grants = { ...GRANTS, MAIL: { fetch: ['https://a.example'] } }
  const sent = world.until(peer.call(requestOf(cid, null, { level: { level: 'self' }, grants })))
  await expect(sent).rejects.toMatchObject({ code: 'E_FETCH', message: expect.stringContaining('env.MAIL') })
  expect(await stateOf(world)).toEqual({})
})

test('the home’s clock and randomness are the same for whoever verifies', async () => {
  const world = await meshFor('now', 3)
  const code = `export default async (x, env, ctx) => [await ctx.now(), [...await ctx.random(8)], await ctx.now()]`
  const before = Math.floor(world.clock.now())
  const result = await call(world, code, null, { level: 'quorum:3' })
  const [from, bytes, to] = returned(result) as [number, number[], number]
  expect([from >= before, to >= from, to <= world.clock.now(), bytes.length]).toEqual([true, true, true, 8])
  expect(result).toMatchObject({ executions: 3, disputes: [] })
})

test('whatever the moment at which its executor is killed, the call comes out right, and is committed once', async () => {
  const code = `export default async (key, { DB }, ctx) => {
    const n = ((await DB.get(key)) ?? 0) + 1
    DB.put(key, n)
    DB.put('log/' + n, await ctx.now())
    DB.delete('gone')
    return [n, (await DB.list({ prefix: 'log/' })).entries.length, await ctx.random(4)]
  }`
  const slow: PeerSetup = { sandboxHost: (host, clock) => slowHost(host, clock, () => 300) }
  let killed = 0
  const moments = fc.tuple(fc.nat(1e6), fc.integer({ min: 0, max: 2000 }))
  const property = fc.asyncProperty(moments, async ([seed, ms]) => {
    const setup = (i: number): PeerSetup => (i === 0 ? { policy: { slots: 0 } } : slow)
    const world = await createWorld({ machine, seed, peers: 4, setup })
    try {
      await world.clock.advance(5000)
      const cid = await publish(world.peers[0] as WorldPeer, code, ABOUT)
      const { peer } = world.peers[0] as WorldPeer
      const called = peer.call(requestOf(cid, 'a', { level: { level: 'quorum', n: 2 }, grants: GRANTS }))
      await world.clock.advance(ms)
      const busy = world.peers.slice(1).find((one) => one.peer.status().running.length > 0)
      if (busy) world.kill(busy)
      const result = await world.until(called)
      expect(returned(result)).toEqual([1, 1, expect.any(Uint8Array)])
      expect(result.outcome.requests.map(({ kind }) => kind)).toEqual('get put now put delete list random'.split(' '))
      const state = await stateOf(world)
      expect(Object.keys(state)).toEqual(['a', 'log/1'])
      expect(state.a).toBe(1)
      if (busy) killed++
    } finally {
      await world.stop()
    }
  })
  await checkProperty('killed', property, { runs: 12 })
  expect(killed).toBeGreaterThan(0)
})

type Asked = [EffectKind, Value]
/** What a liar asks for in place of `get(key)`, then `put(key, n)`; it is given the answers. */
type Lie = (key: string) => Generator<Asked, Value, Value>

const get = (key: string): Asked => ['get', { binding: 'DB', key }]
const put = (key: string, value: Value): Asked => ['put', { binding: 'DB', key, value }]
const after = (value: Value): number => ((value as number | null) ?? 0) + 1

const LIES: [string, Lie][] = [
  [
    'writes something else',
    function* (key) {
      const n = after(yield get(key))
      yield put(key, 1000)
      return n
    },
  ],
  [
    'reads something else',
    function* (key) {
      const n = after(yield get('other'))
      yield put(key, n)
      return n
    },
  ],
  [
    'writes more',
    function* (key) {
      const n = after(yield get(key))
      yield put(key, n)
      yield put('loot', n)
      return n
    },
  ],
  [
    'writes out of the grant, so that the call fails',
    function* (key) {
      const n = after(yield get(key))
      yield put(key, n)
      yield ['put', { binding: 'SAFE', key, value: 1 }]
      return n
    },
  ],
  [
    'does not write',
    function* (key) {
      return after(yield get(key))
    },
  ],
  [
    'writes twice',
    function* (key) {
      const n = after(yield get(key))
      yield put(key, n)
      yield put(key, n)
      return n
    },
  ],
  [
    'writes before it has read',
    function* (key) {
      yield put(key, 1)
      return after(yield get(key))
    },
  ],
  [
    'returns something else',
    function* (key) {
      const n = after(yield get(key))
      yield put(key, n)
      return n + 1
    },
  ],
]

/** Performs each item as `lie` says, and signs for it. */
const liar = async (world: World, lie: Lie) => {
  const peer = await scriptedPeer(world)
  interface Run {
    invoke: FrameOf<'invoke'>
    steps: ReturnType<Lie>
    journal: JournalEntry[]
    requests: { kind: EffectKind; arguments: Uint8Array }[]
    given: number
  }
  const runs = new Map<number, Run>()
  const goOn = (id: number, answer: Value) => {
    const run = runs.get(id) as Run
    for (;;) {
      const step = run.steps.next(answer)
      if (step.done) {
        const items = run.invoke.items.map((item) => ({ ...item, journal: run.journal }))
        return void peer.perform({ ...run.invoke, items }, { ...outcomeOf(step.value), requests: run.requests })
      }
      const [kind, args] = step.value
      const request = { n: run.requests.length, after: run.given, kind, arguments: encodeValue(args) }
      run.requests.push({ kind, arguments: request.arguments })
      run.journal.push({ entry: 'request', ...request })
      peer.send({ t: 'request', id, ...request })
      if (kind === 'get') return
    }
  }
  peer.react = (frame) => {
    if (frame.t === 'invoke') {
      const [item] = frame.items as [(typeof frame.items)[0]]
      const steps = lie(decodeValue(item.input) as string)
      runs.set(item.id, { invoke: frame, steps, journal: [], requests: [], given: 0 })
      goOn(item.id, null)
    }
    const run = frame.t === 'answer' ? runs.get(frame.id) : undefined
    if (!run || frame.t !== 'answer') return
    run.journal.push({ entry: 'answer', n: frame.n, answer: frame.answer })
    run.given++
    goOn(frame.id, frame.answer.ok ? decodeValue(frame.answer.value) : null)
  }
  return peer.join(world.peers[0] as WorldPeer, 1)
}

describe.each(['self', 'quorum:2'])('an executor that lies, at %s,', (level) => {
  test.each(LIES)('and %s, is found out and changes nothing', async (what, lie) => {
    const world = await meshFor(`${what} at ${level}`, 2)
    const { peerId } = await liar(world, lie)
    let n = 0
    let isMet = false
    while (!isMet) {
      const result = await call(world, COUNT, 'a', { level })
      expect(returned(result)).toBe(++n)
      isMet = result.disputes.some((one) => one.liar === peerId)
      expect(n).toBeLessThan(40)
      await world.clock.advance(1100)
    }
    expect(await stateOf(world)).toEqual({ a: n })
  })
})
