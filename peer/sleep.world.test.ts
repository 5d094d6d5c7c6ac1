import { describe, expect, test } from 'vitest'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'

/** Two timers that race, and one that is cleared. */
const RACE = `export default async (x) => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms, ms))
  clearTimeout(setTimeout(() => { throw new Error('cleared') }, 50))
  const first = await Promise.race([wait(400), wait(200)])
  return [x, first, await wait(1000), Date.now() === performance.timeOrigin]
}`

/** Ten times as many as their executor takes at once. */
const SLEEPERS = Array.from({ length: 40 }, (_, n) => n)

const sleeping = (world: World, code: string) => publish(world.peers[0]!, code, { effects: ['sleep'] })

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, others: number) =>
  worldFor(name, { peers: 1 + others, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

describe('a function that sets timers', () => {
  test.each(['none', 'self', 'quorum:2'])(
    'waits at its home, and is verified at level %s without waiting again',
    async (level) => {
      const world = await callerAnd(`sleep ${level}`, 3)
      const race = await sleeping(world, RACE)
      const began = world.clock.monotonic()
      const result = await world.until(world.peers[0]!.peer.call(requestOf(race, 7, { level: ensureLevel(level) })))
      expect(returned(result)).toEqual([7, 200, 1000, true])
      expect(result).toMatchObject({ executions: level === 'none' ? 1 : 2, disputes: [] })
      const tookMs = world.clock.monotonic() - began
      expect(tookMs).toBeGreaterThanOrEqual(1200)
      expect(tookMs).toBeLessThan(2400)
    },
  )

  test('goes on elsewhere when its executor is gone, and does not wait for what has been waited for', async () => {
    const world = await callerAnd('sleep failover', 2)
    const twice = await sleeping(
      world,
      `export default async () => { const wait = (ms) => new Promise((done) => setTimeout(done, ms)); await wait(3000); await wait(3000); return 'woke' }`,
    )
    const began = world.clock.monotonic()
    const call = world.peers[0]!.peer.call(requestOf(twice, null, { level: ensureLevel('none'), timeoutMs: 30_000 }))
    await world.clock.advance(4000)
    const busy = world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
    if (!busy) throw new Error('nobody runs it')
    world.kill(busy)
    const result = await world.until(call)
    expect(returned(result)).toBe('woke')
    expect(world.clock.monotonic() - began).toBeLessThan(10_000)
  })

  test('keeps no slot from others while it waits', async () => {
    const world = await callerAnd('sleepers', 1)
    const [caller, executor] = world.peers as [WorldPeer, WorldPeer]
    const began = world.clock.monotonic()
    const wish = { level: ensureLevel('none'), timeoutMs: 60_000 }
    const sleeper = await sleeping(world, 'export default (n) => new Promise((done) => setTimeout(done, 20_000, n))')
    const all = Promise.all(SLEEPERS.map((n) => caller.peer.call(requestOf(sleeper, n, wish))))
    await world.clock.advance(6000)
    expect(executor.peer.status()).toMatchObject({ running: SLEEPERS.map(() => ({ state: 'waiting' })) })
    const asked = world.clock.monotonic()
    const double = await publish(caller, 'export default (x) => 2 * x')
    expect(returned(await world.until(caller.peer.call(requestOf(double, 21, wish))))).toBe(42)
    expect(world.clock.monotonic() - asked).toBeLessThan(100)
    expect((await world.until(all)).map(returned)).toEqual(SLEEPERS)
    expect(world.clock.monotonic() - began).toBeLessThan(26_000)
    expect(caller.peer.status().neighbours).toMatchObject([{ in_flight: 0 }])
  })

  test('that outlast the call end with it: E_TIMEOUT', async () => {
    const world = await callerAnd('sleep timeout', 1)
    const long = await sleeping(world, 'export default () => new Promise((done) => setTimeout(done, 60000))')
    const call = world.peers[0]!.peer.call(requestOf(long, null, { level: ensureLevel('none'), timeoutMs: 2000 }))
    await expect(world.until(call)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
  })
})
