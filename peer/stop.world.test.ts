import { describe, expect, test } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'

const DOUBLE = 'export default (x) => 2 * x'
const slow = (delayMs: number): PeerSetup => ({ sandboxHost: (host, clock) => slowHost(host, clock, () => delayMs) })

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

describe('a peer that stops', () => {
  test('hands back what it runs within 200 ms, and it is done elsewhere', async () => {
    const world = await callerAnd('hands back', slow(3000), slow(3000))
    const [caller, ...executors] = world.peers as [WorldPeer, ...WorldPeer[]]
    const double = await publish(caller, DOUBLE)
    const calls = [1, 2, 3, 4, 5, 6].map((x) => caller.peer.call(requestOf(double, x)))
    await world.clock.advance(500)
    const leaver = executors.find(({ peer }) => peer.status().running.length > 0)!
    const fromMs = world.clock.monotonic()
    const stopped = leaver.peer.stop()
    await world.clock.advance(10)
    expect(leaver.peer.status().running).toEqual([])
    await world.until(stopped)
    expect(world.clock.monotonic() - fromMs).toBeLessThanOrEqual(300)
    const results = await world.until(Promise.all(calls))
    expect(results.map(returned)).toEqual([2, 4, 6, 8, 10, 12])
    expect(results.filter(({ recovered }) => recovered > 0).length).toBeGreaterThan(0)
    expect(caller.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(leaver.peerId)
  })

  test('refuses what comes meanwhile', async () => {
    const world = await callerAnd('refuses', {})
    const [, host] = world.peers as [WorldPeer, WorldPeer]
    const double = await publish(host, DOUBLE)
    const peer = await (await scriptedPeer(world)).join(host)
    const stopped = host.peer.stop()
    await peer.say(await peer.invoke(double, [1]))
    expect(peer.all('refused')).toMatchObject([{ ids: [1], code: 'E_STOPPING' }])
    await world.until(stopped)
    expect(peer.all('bye')).toMatchObject([{ code: 'E_STOPPING' }])
    expect(peer.closed).toBeDefined()
  })

  test('sets no timer that keeps its process from ending', async () => {
    const world = await callerAnd('no timers', {}, {})
    const [caller, ...others] = world.peers as [WorldPeer, ...WorldPeer[]]
    const double = await publish(caller, DOUBLE)
    const call = caller.peer.call(requestOf(double, 4))
    expect(returned(await world.until(call))).toBe(8)
    for (const one of [caller, ...others]) await world.until(one.peer.stop())
    await world.clock.advance(10 * 60_000)
    expect(world.clock.pending).toBe(0)
  })

  test('still sends the answers and receipts that it has', async () => {
    const world = await callerAnd('flush', {})
    const [caller, host] = world.peers as [WorldPeer, WorldPeer]
    const double = await publish(caller, DOUBLE)
    const call = caller.peer.call(requestOf(double, 4))
    for (let i = 0; i < 100 && host.peer.status().today.tasks === 0; i++) await world.clock.advance(0)
    expect(host.peer.status().today.tasks).toBe(1)
    const stopped = host.peer.stop()
    const result = await world.until(call)
    expect(returned(result)).toBe(8)
    await world.until(result.performed[0]!.receipt())
    await world.until(stopped)
  })

  test('ends its own calls with E_STOPPING, and takes no more', async () => {
    const world = await callerAnd('own', slow(60_000), slow(60_000))
    const [caller, ...executors] = world.peers as [WorldPeer, ...WorldPeer[]]
    const double = await publish(caller, DOUBLE)
    const ends = ['none', 'audit', 'self', 'quorum:2'].map((text) => {
      const level = text === 'quorum:2' ? { level: 'quorum' as const, n: 2 } : { level: text as 'none' }
      const call = caller.peer.call(requestOf(double, 1, { level, remote: false }))
      return call.then(
        () => 'a result',
        ({ code }) => code,
      )
    })
    await world.clock.advance(100)
    const stopped = caller.peer.stop()
    expect(await world.until(Promise.all(ends))).toEqual(Array(4).fill('E_STOPPING'))
    await world.until(stopped)
    for (const { peer } of executors) expect(peer.status().running).toEqual([])
    await expect(world.until(caller.peer.call(requestOf(double, 2)))).rejects.toMatchObject({ code: 'E_STOPPING' })
  })

  test('leaves no timer behind, whatever it was doing', async () => {
    const world = await callerAnd('timers', slow(5000), slow(5000))
    const [caller] = world.peers as [WorldPeer]
    const code = `export default (x, env, ctx) => ctx.call('#part', x)\nexport const part = (x) => x`
    const nested = await publish(caller, code, { exports: ['default', 'part'], effects: ['call'] })
    const call = caller.peer.call(requestOf(nested, encodeValue(1), { level: { level: 'self' } })).catch(() => {})
    await world.clock.advance(6000)
    caller.peer.pause(60_000)
    await Promise.all([call, world.until(Promise.all(world.peers.map(({ peer }) => peer.stop())))])
    // What is on its way in the network and the slow hosts.
    await world.clock.advance(20_000)
    caller.peer.resume()
    expect(world.clock.pending).toBe(0)
  })

  test('may be stopped twice', async () => {
    const world = await callerAnd('twice', {})
    const { peer } = world.peers[1]!
    await world.until(Promise.all([peer.stop(), peer.stop()]))
    await world.until(peer.stop())
  })
})

describe('pausing', () => {
  test('refuses what is new, lets go on what runs, and ends by itself', async () => {
    const world = await callerAnd('pause', slow(3000))
    const [caller, host] = world.peers as [WorldPeer, WorldPeer]
    const double = await publish(caller, DOUBLE)
    const running = caller.peer.call(requestOf(double, 1))
    await world.clock.advance(500)
    host.peer.pause(10_000)
    await expect(world.until(caller.peer.call(requestOf(double, 2)))).rejects.toMatchObject({ code: 'E_PAUSED' })
    expect(returned(await world.until(running))).toBe(2)
    expect(host.peer.status().paused_until).toBeGreaterThan(world.clock.now())
    await world.clock.advance(11_000)
    expect(host.peer.status().paused_until).toBe(null)
    expect(returned(await world.until(caller.peer.call(requestOf(double, 3))))).toBe(6)
  })
})
