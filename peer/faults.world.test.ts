/** Machines that sleep, whose clocks are wrong, that vanish or move: who notices, when, and that nobody is blamed for it. */
import { describe, expect, test } from 'vitest'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { DOUBLE } from './attacked-host.ts'
import { ensureLevel } from './calls.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Three pings without an answer, seen at the next look. */
const DECLARED_DEAD_MS = 60_000

/** A caller that lends nothing, and executors that take `runMs` over each item. */
const scene = async (name: string, { executors = 3, runMs = 100 } = {}) => {
  const world = await worldFor(name, {
    peers: 1 + executors,
    latencyMs: () => 5,
    setup: (i) =>
      i === 0 ? { policy: { slots: 0 } } : { sandboxHost: (host, clock) => slowHost(host, clock, () => runMs) },
  })
  await world.clock.advance(2000)
  const [caller, ...hosts] = world.peers as [WorldPeer, ...WorldPeer[]]
  const double = await publish(caller, DOUBLE)
  for (const host of hosts) await publish(host, DOUBLE)
  const call = (x: number, level = 'none') =>
    caller.peer.call(requestOf(double, x, { level: ensureLevel(level), timeoutMs: 5 * MINUTE_MS }))
  return { world, caller, hosts, double, call }
}

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((one) => one.peer)
const knowEachOther = (world: World) => {
  const all = world.peers.map(({ peerId }) => peerId).sort()
  return world.peers.every((one) => [...neighboursOf(one), one.peerId].sort().join() === all.join())
}

const ensureNobodyIsBlamed = ({ peers }: World) => {
  const blamed = peers.flatMap(({ events }) =>
    events.filter(({ name }) => ['peer.misbehaved', 'peer.expelled', 'call.disputed', 'internal.error'].includes(name)),
  )
  expect(blamed).toEqual([])
}

/** How long it takes until `holds` does. */
const timeUntil = async (world: World, holds: () => boolean, mostMs: number): Promise<number> => {
  const fromMs = world.clock.monotonic()
  while (!holds() && world.clock.monotonic() - fromMs < mostMs) await world.clock.advance(100)
  return world.clock.monotonic() - fromMs
}

describe('a machine that sleeps for a minute', () => {
  test('while it works for others: its work is done elsewhere within 2 s, and it is back within 5 s', async () => {
    const { world, hosts, call } = await scene('sleeping executor')
    const sleeper = hosts[0] as WorldPeer
    const calls = Array.from({ length: 30 }, (_, i) => call(i))
    await world.clock.advance(50)
    expect(sleeper.peer.status().running.length).toBeGreaterThan(0)
    const wake = world.suspend(sleeper)
    const fromMs = world.clock.monotonic()
    expect((await world.until(Promise.all(calls))).map(returned)).toEqual(calls.map((_, i) => 2 * i))
    expect(world.clock.monotonic() - fromMs).toBeLessThan(2000 + 30 * 100)
    await world.clock.advance(MINUTE_MS)
    expect(knowEachOther(world)).toBe(false)
    wake()
    expect(await timeUntil(world, () => knowEachOther(world), MINUTE_MS)).toBeLessThan(5000)
    await world.clock.advance(2000)
    const after = await world.until(Promise.all(Array.from({ length: 30 }, (_, i) => call(100 + i))))
    expect(after.some(({ performed }) => performed[0]?.executor === sleeper.peerId)).toBe(true)
    ensureNobodyIsBlamed(world)
  })

  test.each([0, 20, 105, 112, 130])('%i ms after it called: it has its answers, and blames nobody', async (ms) => {
    const { world, caller, hosts, call } = await scene(`sleeping caller ${ms}`)
    const calls = Array.from({ length: 6 }, (_, i) => call(i, 'audit'))
    await world.clock.advance(ms)
    const wake = world.suspend(caller)
    await world.clock.advance(MINUTE_MS)
    wake()
    const fromMs = world.clock.monotonic()
    expect((await world.until(Promise.all(calls))).map(returned)).toEqual([0, 2, 4, 6, 8, 10])
    expect(world.clock.monotonic() - fromMs).toBeLessThan(10_000)
    await timeUntil(world, () => knowEachOther(world), MINUTE_MS)
    await world.clock.advance(1500)
    const after = await world.until(Promise.all(Array.from({ length: 30 }, (_, i) => call(50 + i))))
    const executors = new Set(after.map(({ performed }) => performed[0]?.executor))
    expect(executors.size).toBe(hosts.length)
    ensureNobodyIsBlamed(world)
  })
})

describe('a wall clock that is a day', () => {
  test.each([
    ['ahead', DAY_MS],
    ['behind', -DAY_MS],
  ])('%s: its machine is met by all, calls and is called', async (name, aheadMs) => {
    const { world, call } = await scene(`clock ${name}`)
    const machine = world.machine({ sandboxHost: (host, clock) => slowHost(host, clock, () => 100) })
    world.setWallClock(machine, aheadMs)
    const odd = await world.add({}, machine)
    await world.until(odd.peer.join(world.peers[0]?.address as string))
    expect(await timeUntil(world, () => knowEachOther(world), MINUTE_MS)).toBeLessThan(2000)
    await world.clock.advance(1000)
    const results = await world.until(Promise.all(Array.from({ length: 40 }, (_, i) => call(i, 'audit'))))
    expect(results.some(({ performed }) => performed[0]?.executor === odd.peerId)).toBe(true)
    const own = await publish(odd, 'export default (x) => 3 * x')
    expect(returned(await world.until(odd.peer.call(requestOf(own, 5))))).toBe(15)
    await world.clock.advance(15 * MINUTE_MS)
    expect(knowEachOther(world)).toBe(true)
    expect(returned(await world.until(odd.peer.call(requestOf(own, 6))))).toBe(18)
    ensureNobodyIsBlamed(world)
  })

  test.each([
    ['forward', DAY_MS],
    ['back', -DAY_MS],
  ])('set %s while calls are under way: none is lost, nobody leaves', async (name, aheadMs) => {
    const { world, caller, hosts, call } = await scene(`set ${name}`)
    for (const machine of [caller, hosts[0] as WorldPeer]) {
      const calls = Array.from({ length: 20 }, (_, i) => call(i, 'audit'))
      await world.clock.advance(50)
      world.setWallClock(machine, aheadMs)
      const results = await world.until(Promise.all(calls))
      expect(results.map(returned)).toEqual(calls.map((_, i) => 2 * i))
      expect(results.reduce((sum, { recovered }) => sum + recovered, 0)).toBe(0)
      await world.clock.advance(5 * MINUTE_MS)
      expect(knowEachOther(world)).toBe(true)
      expect(returned(await world.until(call(7)))).toBe(14)
    }
    ensureNobodyIsBlamed(world)
  })
})

test('a peer that vanishes without a word: its work moves within 2 s, its link is dead within a minute', async () => {
  const { world, caller, hosts, call } = await scene('half open', { runMs: 500 })
  const gone = hosts[0] as WorldPeer
  const calls = Array.from({ length: 6 }, (_, i) => call(i))
  await world.clock.advance(100)
  const heal = world.hub.isolate(gone.peerId)
  const fromMs = world.clock.monotonic()
  expect((await world.until(Promise.all(calls))).map(returned)).toEqual([0, 2, 4, 6, 8, 10])
  expect(world.clock.monotonic() - fromMs).toBeLessThan(2000 + 6 * 500)
  const isDead = () => !neighboursOf(caller).includes(gone.peerId) && neighboursOf(gone).length === 0
  await timeUntil(world, isDead, 2 * MINUTE_MS)
  expect(isDead()).toBe(true)
  expect(world.clock.monotonic() - fromMs).toBeLessThan(DECLARED_DEAD_MS + 100)
  expect(gone.peer.status().running).toEqual([])
  heal()
  expect(await timeUntil(world, () => knowEachOther(world), 5 * MINUTE_MS)).toBeLessThan(MINUTE_MS)
  ensureNobodyIsBlamed(world)
})

test('a machine that moves to another address: all have it again within two minutes, and tell where it is', async () => {
  const { world, caller, hosts, call } = await scene('moved')
  const mover = hosts[0] as WorldPeer
  for (const host of ['cafe', 'home']) {
    world.hub.move(mover.peerId, host)
    expect(await timeUntil(world, () => !knowEachOther(world), MINUTE_MS)).toBeLessThan(DECLARED_DEAD_MS + 100)
    expect(await timeUntil(world, () => knowEachOther(world), 2 * MINUTE_MS)).toBeLessThan(MINUTE_MS)
    await world.clock.advance(1000)
    const told = caller.peer.status().neighbours.find(({ peer }) => peer === mover.peerId)
    expect(told?.addresses).toEqual([`/memory/${host}/p2p/${mover.peerId}`])
    const results = await world.until(Promise.all(Array.from({ length: 20 }, (_, i) => call(i))))
    expect(results.some(({ performed }) => performed[0]?.executor === mover.peerId)).toBe(true)
  }
  ensureNobodyIsBlamed(world)
})

test('1,000 peers that join and leave at once: 64 are neighbours at most, the others are told, and nothing of them stays', async () => {
  const { world, hosts, call } = await scene('crowd', { executors: 1 })
  const host = hosts[0] as WorldPeer
  await world.until(call(1))
  const [timers, events] = [world.clock.pending, host.events.length]
  const crowd = await Promise.all(Array.from({ length: 1000 }, () => scriptedPeer(world)))
  const joining = crowd.map(async (peer) => {
    await peer.dial(host)
    peer.send(peer.hello())
    peer.send({ t: 'welcome', chain: [] })
    peer.send(await peer.advertisement({ slots: 1, free: 1 }))
  })
  const during = call(2)
  await world.until(Promise.all(joining))
  expect(returned(await world.until(during))).toBe(4)
  await world.clock.advance(1000)
  expect(host.peer.status().neighbours).toHaveLength(NEIGHBOURS_MAX)
  const told = crowd.flatMap((peer) => peer.all('bye').map(({ code }) => code))
  expect(told).toEqual(new Array(1000 - (NEIGHBOURS_MAX - 1)).fill('E_BUSY'))
  for (const [i, peer] of crowd.entries()) {
    if (i % 2) peer.hangUp()
    else world.hub.kill(peer.peerId)
  }
  expect(await timeUntil(world, () => host.peer.status().neighbours.length === 1, MINUTE_MS)).toBeLessThan(1000)
  expect(returned(await world.until(call(3)))).toBe(6)
  // Those that were neighbours are dialled again, and given up.
  await world.clock.advance(2 * MINUTE_MS)
  expect(neighboursOf(host)).toEqual([world.peers[0]?.peerId])
  expect(world.clock.pending - timers).toBeLessThan(20)
  expect(host.events.slice(events).filter(({ name }) => name === 'internal.error')).toEqual([])
})
