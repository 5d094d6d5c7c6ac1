/** Calls of functions that change something: barriers of their callers, committed for themselves, and made once. */
import { describe, expect, test } from 'vitest'
import { ensureCid, recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { EffectKind } from '../protocol/effects.ts'
import type { Grants } from '../protocol/grants.ts'
import { Outcome } from '../protocol/outcome.ts'
import { decodeValue, type Value } from '../protocol/values.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { HONOURS, Sinks } from './durable/testing/sinks.ts'

const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const add = async (DB, key) => {
    const n = ((await DB.get(key)) ?? 0) + 1
    DB.put(key, n)
    return n
  }
  /** What it reads changes while it waits: its first step, and the one behind its call. */
  export const order = async (id, { DB }, ctx) => {
    DB.put('begun/' + id, 1)
    const taken = await ctx.call('#take', id)
    const n = await add(DB, 'orders')
    await sleep(500)
    return { taken, n }
  }
  export const take = async (id, { DB, PAY }) => {
    const isBegun = (await DB.get('begun/' + id)) === 1
    const n = await add(DB, 'taken')
    await sleep(200)
    await PAY.fetch('${HONOURS}/take', { method: 'POST', body: 'take ' + id })
    await add(DB, 'paid')
    return { isBegun, n }
  }
  export const careful = async (x, { DB }, ctx) => {
    DB.put('kept', 1)
    const code = await ctx.call('#failing').catch((error) => [error.code, error.message])
    return [code, await DB.get('before'), await DB.get('behind')]
  }
  export const failing = async (x, { DB, PAY }) => {
    DB.put('before', 1)
    await PAY.fetch('${HONOURS}/fail', { method: 'POST', body: 'fail' })
    DB.put('behind', 1)
    throw new Error('no more of it')
  }
  export const patient = async (x, { DB }, ctx) => {
    await ctx.call('#sleeping')
    return 'done'
  }
  export const sleeping = async (x, { DB }) => {
    await sleep(20_000)
    DB.put('slept', 1)
  }
  export const many = async (n, env, ctx) =>
    (await Promise.all(Array.from({ length: n }, (_, i) => ctx.call('#count', i)))).toSorted((a, b) => a - b)
  export const count = (i, { DB }) => add(DB, 'count')
  export const deep = async (x, { DB }, ctx) => {
    DB.put('deep/' + x, x)
    return 1 + (await ctx.call('#deep', x + 1).catch((error) => (error.code === 'E_CALL_DEPTH' ? 0 : 1000)))
  }
`
const EXPORTS = ['careful', 'count', 'deep', 'failing', 'many', 'order', 'patient', 'sleeping', 'take']
const EFFECTS: EffectKind[] = ['call', 'fetch', 'get', 'put', 'sleep']
const GRANTS: Grants = { DB: { state: 'shop' }, PAY: { fetch: [HONOURS], methods: ['POST'], onUnknown: 'retry' } }
const ENV = [
  { name: 'DB', kind: 'state' as const },
  { name: 'PAY', kind: 'fetch' as const },
]
const home = (world: World) => world.peers[0] as WorldPeer

const meshFor = async (name: string) => {
  const sinks = new Sinks()
  const homely: PeerSetup = { policy: { slots: 0 }, web: sinks.web(async () => {}) }
  const world = await worldFor(name, { peers: 4, setup: (i) => (i === 0 ? homely : {}) })
  return { world, sinks }
}

interface Way {
  level: string
  isDurable: boolean
}

const requestFor = async (world: World, { level }: Pick<Way, 'level'>, name: string, input: Value) => {
  const published = await publish(home(world), CODE, { exports: EXPORTS, effects: EFFECTS, env: ENV })
  return requestOf(published, input, { export: name, level: ensureLevel(level), grants: GRANTS, remote: false })
}

const call = async (world: World, way: Way, name: string, input: Value): Promise<Value> => {
  const request = await requestFor(world, way, name, input)
  const { peer } = home(world)
  if (!way.isDurable) return returned(await peer.call(request))
  const { outcome, error } = await peer.durable.wait(await peer.durable.start(request))
  if (error) throw error
  const { result } = Outcome.decode(outcome as Uint8Array)
  if (!result.ok) throw new Error(result.message)
  return decodeValue(result.value)
}

const stateOf = async ({ state }: WorldPeer, prefix = ''): Promise<Record<string, Value>> => {
  const { entries } = await state.list(
    { namespace: 'shop', prefix, after: undefined, limit: 100 },
    await state.revision(),
  )
  return Object.fromEntries(entries.map(({ key, value }) => [key, decodeValue(value as Uint8Array)]))
}

/** Of executors, in one world. */
const KILLS = 8

const WAYS: Way[] = ['self', 'quorum:2'].flatMap((level) => [true, false].map((isDurable) => ({ level, isDurable })))

describe.each(WAYS)('at $level, durable: $isDurable', (way) => {
  test('of many that conflict, in the caller and in what it calls, each is made once, behind what its caller wrote', async () => {
    const { world, sinks } = await meshFor(`once ${JSON.stringify(way)}`)
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const all = await world.until(Promise.all(ids.map((id) => call(world, way, 'order', id))))
    const orders = all as unknown as { taken: { isBegun: boolean; n: number }; n: number }[]
    expect(orders.map(({ taken }) => taken.isBegun)).toEqual(ids.map(() => true))
    const numbers = ids.map((_, i) => i + 1)
    expect(orders.map(({ taken }) => taken.n).sort()).toEqual(numbers)
    expect(orders.map(({ n }) => n).sort()).toEqual(numbers)
    expect(await stateOf(home(world))).toMatchObject({ orders: ids.length, paid: ids.length, taken: ids.length })
    expect(sinks.all()).toEqual(ids.map((id) => `take ${id}`))
  })

  test('whatever the moments at which executors are killed, it is made once', async () => {
    const random = randomFor(`killed ${JSON.stringify(way)}`)
    const { world, sinks } = await meshFor(`killed ${JSON.stringify(way)}`)
    const ids = Array.from({ length: KILLS }, (_, i) => `${i}`)
    let killed = 0
    for (const id of ids) {
      const called = call(world, way, 'order', id)
      await world.clock.advance(random.below(900))
      const busy = world.peers.slice(1).find((one) => one.peer.status().running.length > 0)
      if (busy) world.kill(busy)
      expect(await world.until(called)).toMatchObject({ taken: { isBegun: true } })
      if (!busy) continue
      killed++
      await world.clock.advance(1000)
      const { peer } = await world.restart(busy)
      await world.until(peer.join(home(world).address))
      await world.clock.advance(1000)
    }
    expect(killed).toBeGreaterThan(0)
    const state = await stateOf(home(world))
    expect(state).toMatchObject({ orders: KILLS, paid: KILLS, taken: KILLS })
    expect(sinks.all()).toEqual(ids.map((id) => `take ${id}`).sort())
  })

  test('one that throws is an error that its caller may catch; the steps that it ended before stay', async () => {
    const { world, sinks } = await meshFor(`throws ${JSON.stringify(way)}`)
    const [error, before, behind] = (await world.until(call(world, way, 'careful', null))) as Value[]
    expect(error).toEqual(['E_FUNCTION_THREW', expect.stringContaining('no more of it')])
    expect([before, behind]).toEqual([1, null])
    expect(await stateOf(home(world))).toEqual({ kept: 1, before: 1 })
    expect(sinks.all()).toEqual(['fail'])
  })

  test('they may be nested so deep and no deeper', async () => {
    const { world } = await meshFor(`deep ${JSON.stringify(way)}`)
    expect(await world.until(call(world, way, 'deep', 0))).toBe(17)
    expect(Object.keys(await stateOf(home(world), 'deep/'))).toHaveLength(17)
  })
})

test('more than run at a time wait for each other, and none is left out', async () => {
  const { world } = await meshFor('many')
  const way = { level: 'self', isDurable: true }
  const counted = await world.until(call(world, way, 'many', 40))
  expect(counted).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
})

test('servers know it by a key that is made of its caller’s invocation and its request', async () => {
  const keys: (string | undefined)[] = []
  const web: PeerSetup['web'] = {
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ headers }) => {
      keys.push(headers.find(([name]) => name === 'idempotency-key')?.[1])
      return { kind: 'answered', status: 200, headers: [], body: new Uint8Array() }
    },
  }
  const world = await worldFor('keys', { peers: 3, setup: (i) => (i === 0 ? { policy: { slots: 0 }, web } : {}) })
  const { durable } = home(world).peer
  const id = await durable.start(await requestFor(world, { level: 'self' }, 'order', 'a'))
  await world.until(durable.wait(id))
  const [entry] = (await durable.list(true)).filter((one) => one.export === 'take')
  const caller = ensureCid(id)
  // Of `order` request 1, behind a put; of `take` request 4, behind two reads or writes and a timer.
  const child = recordCid(machine.crypto, encodeCanonical({ v: 1, caller, n: 1 })).toString()
  expect(entry?.id).toBe(child)
  expect(keys).toEqual([`wayside-${child}-4`])
})

test('one that is cancelled ends what it has called, and nothing of that is kept', async () => {
  const { world } = await meshFor('cancelled')
  const { durable } = home(world).peer
  const id = await durable.start(await requestFor(world, { level: 'self' }, 'patient', null))
  const running = async () => (await durable.list(false)).map((one) => one.export).sort()
  for (let ms = 0; ms < 10_000 && (await running()).length < 2; ms += 100) await world.clock.advance(100)
  expect(await running()).toEqual(['patient', 'sleeping'])
  expect(await world.until(durable.cancel(id))).toBe(true)
  expect(await durable.list(true)).toMatchObject([{ state: 'cancelled' }, { state: 'cancelled' }])
  await world.clock.advance(30_000)
  expect(await stateOf(home(world))).toEqual({})
})

test('one that is cancelled by itself is an error of its caller', async () => {
  const { world } = await meshFor('cancelled alone')
  const { durable } = home(world).peer
  const id = await durable.start(await requestFor(world, { level: 'self' }, 'patient', null))
  const sleeping = async () => (await durable.list(false)).find((one) => one.export === 'sleeping')
  for (let ms = 0; ms < 10_000 && !(await sleeping()); ms += 100) await world.clock.advance(100)
  await world.until(durable.cancel((await sleeping())?.id as string))
  const { outcome } = await world.until(durable.wait(id))
  expect(Outcome.decode(outcome as Uint8Array).result).toMatchObject({ ok: false })
})

test('what a caller that does not outlast its cancelling has called is cancelled with it', async () => {
  const { world } = await meshFor('cancelled call')
  const abort = new AbortController()
  const request = await requestFor(world, { level: 'self' }, 'patient', null)
  const called = home(world).peer.call({ ...request, signal: abort.signal })
  called.catch(() => {})
  await world.clock.advance(5000)
  abort.abort()
  await expect(world.until(called)).rejects.toMatchObject({ code: 'E_CANCELLED' })
  await world.clock.advance(30_000)
  expect(await stateOf(home(world))).toEqual({})
})

test('at none and audit its caller is refused', async () => {
  const { world } = await meshFor('levels')
  for (const level of ['none', 'audit'])
    await expect(call(world, { level, isDurable: false }, 'order', 'a')).rejects.toMatchObject({ code: 'E_USAGE' })
})

test.each(['self', 'quorum:2'])(
  'at %s, whatever the moments at which its home is killed, it is made once',
  async (level) => {
    const random = randomFor(`home killed at ${level}`)
    const sinks = new Sinks()
    const setup: PeerSetup = { policy: { slots: 0 }, web: sinks.web(async () => {}) }
    const world = await worldFor(`home killed at ${level}`, { peers: 4, setup: (i) => (i === 0 ? setup : {}) })
    const ids = Array.from({ length: KILLS }, (_, i) => `${i}`)
    for (const id of ids) {
      const started = await world.until(home(world).peer.durable.start(await requestFor(world, { level }, 'order', id)))
      await world.clock.advance(random.below(900))
      const dead = home(world)
      world.kill(dead)
      await world.clock.advance(1000)
      const { peer } = await world.restart(dead, setup)
      await world.until(Promise.all(world.peers.slice(1).map(({ address }) => peer.join(address))))
      expect(await world.until(peer.durable.wait(started))).toMatchObject({ state: 'done' })
    }
    expect(await stateOf(home(world))).toMatchObject({ orders: KILLS, paid: KILLS, taken: KILLS })
    expect(ids.map((id) => sinks.timesOf(HONOURS, `take ${id}`))).toEqual(ids.map(() => 1))
    expect(sinks.contradicted).toEqual([])
  },
)
