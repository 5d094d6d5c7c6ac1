/** Peers find each other where nobody gave an address, and come back where the one that was given is no more. */
import { describe, expect, test } from 'vitest'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { Lan } from '../simulations/lan.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { foundMesh } from './join.ts'

const DOUBLE = 'export default (n) => 2 * n'

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((one) => one.peer)

/** What `from` gets by a call that it must have answered by another. */
const called = async (world: World, from: WorldPeer): Promise<unknown> =>
  returned(await world.until(from.peer.call(requestOf(await publish(from, DOUBLE), 21))))

/** The same machine, with its key and what it kept, started again. */
const restarted = async (world: World, before: WorldPeer): Promise<WorldPeer> => {
  const { peerId, ports } = before
  await world.until(before.peer.stop())
  return world.add({}, { ...before, ports: { ...ports, network: world.hub.join(peerId, { log: ports.log }) } })
}

/** Storage that is not closed with its peer. */
const onDisk = ({ ports }: { ports: WorldPeer['ports'] }) => {
  ports.storage.close = async () => {}
}

describe('on a local network', () => {
  test('members find each other without any address, and work for each other', async () => {
    const lan = new Lan()
    const world = await worldFor('lan', { peers: 0 })
    for (let i = 0; i < 3; i++) await world.add({ vicinity: lan.join() })
    await world.clock.advance(1000)
    for (const one of world.peers) expect(neighboursOf(one)).toHaveLength(2)
    expect(await called(world, world.peers[2] as WorldPeer)).toBe(42)
  })

  test('peers of another mesh are not seen', async () => {
    const lan = new Lan()
    const world = await worldFor('other mesh', { peers: 0 })
    const setup: PeerSetup = { vicinity: lan.join() }
    const member = await world.add(setup)
    const machine = world.machine({ vicinity: lan.join() })
    const mesh = foundMesh(machine.ports, 'other', { admission: 'private', independence: 'peer' })
    const other = await world.add({ mesh }, machine)
    await world.clock.advance(1000)
    expect([neighboursOf(member), neighboursOf(other)]).toEqual([[], []])
    expect([...member.events, ...other.events]).toEqual([])
  })
})

describe('without the peer by which they joined', () => {
  test('a mesh stays up, and members go on working for each other', async () => {
    const world = await worldFor('up', { peers: 4 })
    const [bootstrap, ...others] = world.peers as [WorldPeer, ...WorldPeer[]]
    world.kill(bootstrap)
    await world.clock.advance(5 * 60_000)
    for (const one of others) expect(neighboursOf(one)).toHaveLength(2)
    expect(await called(world, others[0] as WorldPeer)).toBe(42)
  })

  test('a member that is started again comes back through others', async () => {
    const world = await worldFor('back', { peers: 4 })
    const [bootstrap, second] = world.peers as [WorldPeer, WorldPeer]
    onDisk(second)
    world.kill(bootstrap)
    const back = await restarted(world, second)
    await world.clock.advance(2000)
    expect(neighboursOf(back)).toHaveLength(2)
    expect(await called(world, back)).toBe(42)
  })

  test('so it does when everybody was away for an hour, and those it dials first stay away', async () => {
    const world = await worldFor('away', { peers: 14 })
    const second = world.peers[1] as WorldPeer
    onDisk(second)
    await world.until(second.peer.stop())
    const [found, ...gone] = world.peers.filter((one) => one !== second) as [WorldPeer, ...WorldPeer[]]
    for (const one of gone) world.kill(one)
    await world.clock.advance(60 * 60_000)
    const back = await restarted(world, second)
    await world.clock.advance(60_000)
    expect(neighboursOf(back)).toEqual([found.peerId])
  })
})

describe('a newcomer that knows one address', () => {
  const apart = (from: string, to: string) => 10 + ((from.charCodeAt(20) * 31 + to.charCodeAt(20) * 17) % 90)

  test('has answered each of 20 others within 2 s, 10 to 100 ms away from them', async () => {
    const world = await worldFor('newcomer', { peers: 20, latencyMs: apart, setup: () => ({ policy: { slots: 0 } }) })
    const published = await Promise.all(world.peers.map((one) => publish(one, DOUBLE)))
    const others = [...world.peers]
    const newcomer = await world.add()
    const startMs = world.clock.monotonic()
    const answeredMs = new Map<string, number>()
    const callUntilAnswered = async (from: WorldPeer, i: number) => {
      while (!answeredMs.has(from.peerId)) {
        const request = requestOf(published[i] as (typeof published)[0], i)
        const answer = await from.peer.call(request).catch(() => undefined)
        if (answer) answeredMs.set(from.peerId, world.clock.monotonic() - startMs)
        else await new Promise<void>((resolve) => world.clock.after(10, resolve))
      }
    }
    newcomer.peer.join((world.peers[0] as WorldPeer).address)
    await world.until(Promise.all(others.map(callUntilAnswered)))
    expect(Math.max(...answeredMs.values())).toBeLessThanOrEqual(2000)
  })
})
