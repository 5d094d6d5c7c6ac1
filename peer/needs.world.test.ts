/** A call that nobody in reach can run finds who can: among those whom neighbours know, and in the directory. */
import { expect, test } from 'vitest'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { DirectoryHub } from '../simulations/directory.ts'
import type { World, WorldPeer } from '../simulations/world.ts'

const DOUBLE = 'export default (n) => 2 * n'
const LENDS_NOTHING = { policy: { slots: 0 } }
const LATENCY_MS = 50

const callOf = async (from: WorldPeer, n = 21) =>
  from.peer.call(requestOf(await publish(from, DOUBLE), n, { remote: true }))

const failureOf = (world: World, call: Promise<unknown>) =>
  world.until(
    call.then(
      () => undefined,
      (cause: { code: string }) => cause.code,
    ),
  )

/** Nobody can dial `caller`, so that whoever comes later than it is heard of by asking alone. */
const withCaller = async (name: string, peers: number, options: { places?: number } = {}) => {
  const setup = () => LENDS_NOTHING
  const world = await worldFor(name, { peers, setup, latencyMs: () => LATENCY_MS })
  const caller = await world.add({ ...LENDS_NOTHING, ...options })
  caller.ports.network.addresses = () => []
  await world.until(caller.peer.join((world.peers[0] as WorldPeer).address))
  await world.clock.advance(5000)
  return { world, caller }
}

const lookupsAt = (asked: ScriptedPeer) => asked.all('lookup').filter(({ known }) => known).length

test('a neighbour of a neighbour is found by one question, and has answered within ten round trips', async () => {
  const { world, caller } = await withCaller('neighbour', 3)
  const late = await world.add()
  await world.until(late.peer.join((world.peers[1] as WorldPeer).address))
  await world.clock.advance(1000)
  expect(caller.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(late.peerId)
  const startMs = world.clock.monotonic()
  expect(returned(await world.until(callOf(caller)))).toBe(42)
  expect(world.clock.monotonic() - startMs).toBeLessThanOrEqual(10 * 2 * LATENCY_MS)
})

test('so it is where only a place for guests is left', async () => {
  const { world, caller } = await withCaller('guest', 7, { places: 8 })
  expect(caller.peer.status().neighbours).toHaveLength(7)
  const late = await world.add()
  await world.until(late.peer.join((world.peers[1] as WorldPeer).address))
  await world.clock.advance(1000)
  expect(returned(await world.until(callOf(caller)))).toBe(42)
})

test('whom no neighbour knows the directory finds', async () => {
  const world = await worldFor('directory', { peers: 0 })
  const hub = new DirectoryHub(world.clock, 200)
  const [caller, far] = [await world.add({ directory: hub, ...LENDS_NOTHING }), await world.add({ directory: hub })]
  const between = [await scriptedPeer(world), await scriptedPeer(world)] as const
  await between[0].join(caller)
  await between[1].join(far)
  // The caller's own looks are over but for one in ten minutes; the other has just begun to provide.
  far.peer.pause()
  await world.clock.advance(31 * 60_000)
  expect(caller.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(far.peerId)
  far.peer.resume()
  await world.clock.advance(6 * 60_000)
  expect(returned(await world.until(callOf(caller)))).toBe(42)
})

test('nobody is asked twice within a minute, and nobody at all where a neighbour offers it', async () => {
  const world = await worldFor('seldom', { peers: 1, setup: () => LENDS_NOTHING })
  const [caller] = world.peers as [WorldPeer]
  const asked = await scriptedPeer(world)
  await asked.join(caller, 0, { features: ['acquaintances'] })
  const old = await scriptedPeer(world)
  await old.join(caller)
  asked.react = (frame) => frame.t === 'lookup' && asked.send({ t: 'found', id: frame.id, peers: [], wait_ms: 0 })
  for (let i = 0; i < 5; i++) expect(await failureOf(world, callOf(caller, i))).toBe('E_NO_PEER')
  expect([lookupsAt(asked), lookupsAt(old)]).toEqual([1, 0])
  await world.clock.advance(61_000)
  expect(await failureOf(world, callOf(caller))).toBe('E_NO_PEER')
  expect(lookupsAt(asked)).toBe(2)
  const lender = await world.add()
  await world.until(lender.peer.join(caller.address))
  await world.clock.advance(61_000)
  expect(returned(await world.until(callOf(caller)))).toBe(42)
  expect(lookupsAt(asked)).toBe(2)
})

test('one that was lost is waited for until it is dialled again, though a neighbour tells of it', async () => {
  const { world, caller } = await withCaller('lost', 2)
  const lender = await world.add()
  await world.until(lender.peer.join((world.peers[1] as WorldPeer).address))
  expect(returned(await world.until(callOf(caller)))).toBe(42)
  await world.clock.advance(61_000)
  const call = callOf(caller, 4)
  await world.clock.advance(LATENCY_MS)
  await world.until(caller.ports.network.disconnect(lender.peerId))
  expect(returned(await world.until(call))).toBe(8)
})

test('who is asked whom it knows does not walk through the directory for it', async () => {
  const world = await worldFor('no walk', { peers: 0 })
  const hub = new DirectoryHub(world.clock)
  const keeper = await world.add({ directory: hub })
  const asker = await scriptedPeer(world)
  await asker.join(keeper)
  await world.clock.advance(60_000)
  hub.asked.length = 0
  await asker.say({ t: 'lookup', id: 1, capability: ENGINE_ID, cell: '', known: true })
  expect(asker.all('found')).toHaveLength(1)
  expect(hub.asked).toEqual([])
  await asker.say({ t: 'lookup', id: 2, capability: ENGINE_ID, cell: '' })
  expect(hub.asked.length).toBeGreaterThan(0)
})
