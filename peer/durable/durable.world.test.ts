import { describe, expect, test } from 'vitest'
import { Outcome } from '../../protocol/outcome.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import type { World, WorldPeer } from '../../simulations/world.ts'
import type { DurableEnd } from './durable.ts'

const home = (world: World) => world.peers[0] as WorldPeer
const setup = (i: number) => (i === 0 ? { policy: { slots: 0 } } : {})
const meshOf = (name: string, peers = 3) => worldFor(name, { peers, setup })

/** Waits a second, calls, waits a second, draws a random number, and says at which instants. */
const LONG = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (x, env, ctx) => {
    const begun = await ctx.now()
    await sleep(1000)
    const part = await ctx.call('#part', x)
    await sleep(1000)
    const chance = await ctx.random(4)
    const ended = await ctx.now()
    return { part, begun, ended, chance }
  }
  export const part = (x) => 10 * x
`
const long = (world: World, changes = {}) =>
  publish(home(world), LONG, { exports: ['default', 'part'], effects: ['call', 'now', 'random', 'sleep'], ...changes })

const self = { level: { level: 'self' } } as const

const resultOf = ({ outcome }: DurableEnd): Value => {
  const { result } = Outcome.decode(outcome as Uint8Array)
  if (!result.ok) throw new Error(result.message)
  return decodeValue(result.value)
}

const fieldsOf = (end: DurableEnd) => resultOf(end) as Record<string, Value>

const start = async (world: World, input: Value = 4, changes = {}) => {
  const request = requestOf(await long(world), input, { ...self, remote: false, ...changes })
  return world.until(home(world).peer.durable.start(request))
}
const endOf = (world: World, id: string) => world.until(home(world).peer.durable.wait(id))

describe('a durable invocation', () => {
  test('ends as a call does, is listed, and is known afterwards', async () => {
    const world = await meshOf('ends')
    const id = await start(world)
    const { durable } = home(world).peer
    expect(await durable.list(false)).toMatchObject([{ id, state: 'running', export: 'default', endedMs: undefined }])
    const end = await endOf(world, id)
    expect(end).toMatchObject({ state: 'done', error: undefined })
    const { part, begun, ended } = fieldsOf(end)
    expect(part).toBe(40)
    expect((ended as number) - (begun as number)).toBeGreaterThanOrEqual(2000)
    expect(await durable.list(false)).toEqual([])
    expect(await durable.list(true)).toMatchObject([{ id, state: 'done' }])
    expect(await durable.wait(id)).toEqual(end)
  })

  test('whose function throws has ended all the same', async () => {
    const world = await meshOf('throws')
    const fn = await publish(home(world), 'export default () => { throw new Error("no") }')
    const id = await world.until(home(world).peer.durable.start(requestOf(fn, 1, self)))
    const end = await endOf(world, id)
    expect(end.state).toBe('done')
    expect(Outcome.decode(end.outcome as Uint8Array).result).toMatchObject({ ok: false, code: 'E_FUNCTION_THREW' })
  })

  test('that has no peer waits for one, and fails at its deadline', async () => {
    const world = await worldFor('nobody', { peers: 1, setup })
    const id = await start(world, 1, { remote: true, timeoutMs: 20_000 })
    const begunMs = world.clock.monotonic()
    const end = await endOf(world, id)
    expect(end).toMatchObject({ state: 'failed', outcome: undefined })
    expect(world.clock.monotonic() - begunMs).toBeGreaterThanOrEqual(19_000)
    expect(world.clock.monotonic() - begunMs).toBeLessThan(32_000)
  })

  test('is not known by another id', async () => {
    const world = await meshOf('unknown', 1)
    const { durable } = home(world).peer
    const no = { code: 'E_USAGE' }
    await expect(durable.wait('x')).rejects.toMatchObject(no)
    await expect(durable.cancel((await long(world)).cid.toString())).rejects.toMatchObject(no)
  })
})

describe('its executor', () => {
  test.each([10, 500, 1010, 1500, 2001])('killed after %i ms: another goes on from the journal', async (atMs) => {
    let killed = 0
    // It need not be at work at that moment: until it was.
    for (let round = 0; killed === 0; round++) {
      const world = await meshOf(`executor ${atMs}, ${round}`, 4)
      const id = await start(world)
      await world.clock.advance(atMs)
      const busy = world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
      if (busy) {
        world.kill(busy)
        killed++
      }
      const { part, begun, ended } = fieldsOf(await endOf(world, id))
      expect(part).toBe(40)
      // What was waited for is not waited for again: the time to notice, and to go on.
      expect((ended as number) - (begun as number)).toBeLessThan(5000)
    }
  })
})

describe('its home', () => {
  test.each([0, 1, 300, 999, 1003, 1500, 1999, 2004])(
    'killed after %i ms and started later: it goes on, with what was answered',
    async (atMs) => {
      const world = await meshOf(`home ${atMs}`)
      const id = await start(world)
      await world.clock.advance(atMs)
      world.kill(home(world))
      await world.clock.advance(700)
      const reborn = await world.restart(home(world), setup(0))
      await world.until(reborn.peer.join(world.peers[1]?.address as string))
      const end = await endOf(world, id)
      const { part, begun, ended } = fieldsOf(end)
      expect(part).toBe(40)
      expect((ended as number) - (begun as number)).toBeGreaterThanOrEqual(2000)
      // Sleeps went on by the wall clock meanwhile.
      expect((ended as number) - (begun as number)).toBeLessThan(4500)
      expect(await reborn.peer.durable.list(true)).toHaveLength(1)
    },
  )

  test('killed again and again: it ends once, and what it was answered first stays', async () => {
    const world = await meshOf('again and again')
    const id = await start(world)
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(150)
      world.kill(home(world))
      const reborn = await world.restart(home(world), setup(0))
      await world.until(reborn.peer.join(world.peers[1]?.address as string))
    }
    const { part, begun, ended } = fieldsOf(await endOf(world, id))
    expect(part).toBe(40)
    expect((ended as number) - (begun as number)).toBeLessThan(8000)
  })
})

describe('cancelled', () => {
  test('while it runs: it ends at once, and for good', async () => {
    const world = await meshOf('cancelled')
    const id = await start(world)
    await world.clock.advance(500)
    const { durable } = home(world).peer
    const waiting = durable.wait(id)
    expect(await world.until(durable.cancel(id))).toBe(true)
    expect(await world.until(waiting)).toMatchObject({ state: 'cancelled', outcome: undefined })
    await world.clock.advance(5000)
    expect(await durable.cancel(id)).toBe(false)
    expect(await durable.end(id)).toMatchObject({ state: 'cancelled' })
    expect(world.peers.map(({ peer }) => peer.status().running.length)).toEqual([0, 0, 0])
  })

  test('while its home is down it is not, and after it has ended no more', async () => {
    const world = await meshOf('too late')
    const id = await start(world)
    const end = await endOf(world, id)
    expect(await home(world).peer.durable.cancel(id)).toBe(false)
    expect(await home(world).peer.durable.end(id)).toEqual(end)
  })
})

describe('with state', () => {
  /** Counts, waits, and counts again by what it has read before. */
  const COUNT = `
    export default async (x, env, ctx) => {
      const n = (await env.DB.get('n')) ?? 0
      await new Promise((resolve) => setTimeout(resolve, 1000))
      await env.DB.put('n', n + 1)
      return n + 1
    }
    export const add = async (x, env) => env.DB.put('n', ((await env.DB.get('n')) ?? 0) + x)
  `
  const grants = { DB: { state: 'shop' } }
  const counter = (world: World) =>
    publish(home(world), COUNT, {
      exports: ['default', 'add'],
      effects: ['get', 'put', 'sleep'],
      env: [{ name: 'DB', kind: 'state' }],
    })
  const counted = async (world: World): Promise<Value> => {
    const fn = await counter(world)
    const result = await world.until(
      home(world).peer.call(requestOf(fn, 0, { ...self, remote: false, grants, export: 'add' })),
    )
    expect(returned(result)).toBe(null)
    const { state } = home(world)
    const [entry] = await state.read('shop', ['n'], await state.revision())
    return decodeValue(entry?.value as Uint8Array)
  }
  const startCount = async (world: World) => {
    const request = requestOf(await counter(world), 1, { ...self, remote: false, grants })
    return world.until(home(world).peer.durable.start(request))
  }
  const restart = async (world: World, i = 0) => {
    world.kill(home(world))
    const reborn = await world.restart(home(world), setup(i))
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
  }

  test.each([0, 500, 999, 1001, 1004, 1008])('its home killed after %i ms: it counts once', async (atMs) => {
    const world = await meshOf(`counts ${atMs}`)
    const id = await startCount(world)
    await world.clock.advance(atMs)
    await restart(world)
    expect(resultOf(await endOf(world, id))).toBe(1)
    expect(await counted(world)).toBe(1)
    await restart(world)
    expect(await counted(world)).toBe(1)
  })

  test('what it has read is changed by others while it waits, or while its home is down: it begins anew', async () => {
    const world = await meshOf('changed')
    const fn = await counter(world)
    const add = (x: number) =>
      world.until(home(world).peer.call(requestOf(fn, x, { ...self, remote: false, grants, export: 'add' })))
    const first = await startCount(world)
    await world.clock.advance(500)
    await add(10)
    expect(await endOf(world, first)).toMatchObject({ state: 'done' })
    expect(await counted(world)).toBe(11)
    const second = await startCount(world)
    await world.clock.advance(500)
    await add(100)
    await restart(world)
    expect(await endOf(world, second)).toMatchObject({ state: 'done' })
    expect(await counted(world)).toBe(112)
  })

  test('cancelled in its last moment: it has counted and ended, or it has not and is cancelled', async () => {
    const world = await meshOf('last moment')
    const ends = []
    for (let ms = 998; ms < 1012; ms++) {
      const id = await startCount(world)
      await world.clock.advance(ms)
      const wasRunning = await world.until(home(world).peer.durable.cancel(id))
      const { state } = await endOf(world, id)
      expect(state).toBe(wasRunning ? 'cancelled' : 'done')
      ends.push(state)
    }
    expect(await counted(world)).toBe(ends.filter((state) => state === 'done').length)
    expect(new Set(ends).size).toBe(2)
  })
})

test('a home that is stopped in order leaves it for the next start', async () => {
  const world = await meshOf('stopped')
  const id = await start(world)
  await world.clock.advance(300)
  const waiting = home(world).peer.durable.wait(id)
  waiting.catch(() => {})
  await world.until(home(world).peer.stop())
  await expect(waiting).rejects.toMatchObject({ code: 'E_STOPPING' })
  world.kill(home(world))
  const reborn = await world.restart(home(world), setup(0))
  await world.until(reborn.peer.join(world.peers[1]?.address as string))
  expect(fieldsOf(await endOf(world, id)).part).toBe(40)
})
