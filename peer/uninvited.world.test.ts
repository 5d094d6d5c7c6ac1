/** Keys that are not admitted send everything that there is to send, and get nothing. */
import { describe, expect, test } from 'vitest'
import type { CID } from '../protocol/cid.ts'
import { BlockFrame } from '../protocol/frames.ts'
import { REVOCATIONS_FRAME_MAX } from '../protocol/limits.ts'
import { Revocation } from '../protocol/mesh.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { typesWithoutExample, Uninvited } from '../scripts/test/uninvited.ts'
import { joinBy, publish, slowVerify, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { codesOf, DOUBLE, hostAnd, join, running } from './attacked-host.ts'

test('there is an example of every frame, so that every one is sent', () => {
  expect(typesWithoutExample()).toEqual([])
})

describe('of every frame, at every stage of a handshake, nothing comes but a goodbye, for', () => {
  interface Scene {
    world: World
    host: WorldPeer
    guest: ScriptedPeer
  }

  test.each<[string, boolean, (scene: Scene) => Promise<WorldPeer>]>([
    ['a stranger', true, async ({ host }) => host],
    [
      'a member who was revoked',
      false,
      async ({ world, host, guest }) => {
        await world.until(host.peer.revoke(guest.peerId))
        return host
      },
    ],
    [
      'a member whom the owner denies',
      false,
      async ({ world, host, guest }) => {
        const denying = await world.add({ policy: { deny: [guest.peerId], accept: ['anyone'] } })
        await world.until(denying.peer.join(host.address))
        await publish(denying, DOUBLE)
        return denying
      },
    ],
  ])('%s', async (name, stranger, prepare) => {
    const { world, host, caller, double, stillServes } = await hostAnd(name)
    const guest = await scriptedPeer(world, { stranger })
    const attacked = await prepare({ world, host, guest })
    const { peerId, address } = attacked
    const target = { peerId, address, published: double, member: caller.peerId }
    const heard = await new Uninvited(guest, target, 10).attack()
    await world.clock.advance(10_000)
    for (const { to, types } of heard) {
      const expected = to.includes('block frame') ? [] : ['hello', 'bye']
      expect([to, types.filter((t) => !expected.includes(t))]).toEqual([to, []])
    }
    expect(heard.length).toBeGreaterThan(100)
    expect(running(attacked)).toBe(0)
    expect(attacked.peer.status().today.tasks).toBe(0)
    expect(attacked.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(guest.peerId)
    expect(attacked.peer.mesh().revoked.map(({ peer }) => peer)).not.toContain(caller.peerId)
    const joined = attacked.events.filter((one) => one.name === 'peer.joined').map(({ fields }) => fields.peer)
    expect(joined).not.toContain(guest.peerId)
    expect(attacked.events.filter((one) => one.name === 'internal.error')).toEqual([])
    await stillServes()
  })
})

describe('a member who has been let in before', () => {
  /** Wants a block that the host holds; counts what comes. */
  const wanting = async (guest: ScriptedPeer, host: WorldPeer, cid: CID) => {
    const blocks = await guest.openBlocks(host)
    let frames = 0
    const ended = new Promise<string>((resolve) => blocks.receive({ frame: () => void frames++, closed: resolve }))
    const want = async () => {
      const before = frames
      blocks.send(BlockFrame.encode({ t: 'want', cids: [cid], send: true }))
      await guest.world.clock.advance(0)
      return frames - before
    }
    return { want, ended }
  }

  test('fetches no block once its link has ended, though its connection is open: it could be revoked unseen', async () => {
    const { world, host, double } = await hostAnd('link ended')
    const guest = await join(world, host)
    const { want, ended } = await wanting(guest, host, double.cid)
    expect(await want()).toBeGreaterThan(0)
    guest.hangUp()
    expect(await world.until(ended)).toBeDefined()
    await world.until(host.peer.revoke(guest.peerId))
    expect(await want()).toBe(0)
  })

  test('fetches no block from the instant at which it is revoked, also before its connection is cut', async () => {
    const { world, host, double } = await hostAnd('at once')
    const guest = await join(world, host)
    const { want } = await wanting(guest, host, double.cid)
    expect(await want()).toBeGreaterThan(0)
    await host.peer.revoke(guest.peerId)
    expect(await want()).toBe(0)
  })

  test('keeps its blocks channel when a newer link replaces the one it had', async () => {
    const { world, host, double } = await hostAnd('replaced')
    const guest = await join(world, host)
    const { want } = await wanting(guest, host, double.cid)
    await guest.join(host)
    expect(codesOf(guest)).toEqual(['E_BUSY'])
    expect(await want()).toBeGreaterThan(0)
  })

  test('is not let in by a handshake that was under way when it was revoked', async () => {
    const world = await worldFor('under way', { peers: 2, crypto: slowVerify(50) })
    const [host] = world.peers as [WorldPeer]
    const guest = await scriptedPeer(world)
    await guest.dial(host)
    await guest.say(guest.hello())
    await guest.say({ t: 'welcome', chain: [] })
    await host.peer.revoke(guest.peerId)
    await world.clock.advance(1000)
    expect(codesOf(guest)).toEqual(['E_NOT_ADMITTED'])
    expect(host.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(guest.peerId)
  })
})

describe('more revocations than a frame may hold', () => {
  const revoked = async (by: ScriptedPeer, count: number) => {
    const {
      meshId: mesh,
      mesh: { chain },
    } = by
    const others = Array.from({ length: count }, () => by.world.machine().peerId)
    const payloads = others.map((peer) =>
      Revocation.encode({ v: 1, mesh, peer, revoked_ms: by.world.clock.now(), chain }),
    )
    return by.sign('revocation', payloads)
  }

  test('in one frame cost its sender the link, and none of them counts', async () => {
    const { world, host, stillServes } = await hostAnd('65 in a frame')
    const guest = await join(world, host)
    await guest.say({ t: 'revocations', signed: await revoked(guest, REVOCATIONS_FRAME_MAX + 1) })
    expect(codesOf(guest)).toEqual(['E_MESSAGE'])
    expect(host.peer.mesh().revoked).toEqual([])
    await stillServes()
  })

  test('travel in several, to those who are there and to those who come', async () => {
    const count = 2 * REVOCATIONS_FRAME_MAX + 3
    const { world, host } = await hostAnd('in batches')
    const other = await joinBy(world, host)
    for (let i = 0; i < count; i++) await world.until(host.peer.revoke(world.machine().peerId))
    await world.clock.advance(1000)
    expect(other.peer.mesh().revoked).toHaveLength(count)
    for (const late of [await join(world, host), await join(world, other)]) {
      await world.clock.advance(1000)
      const frames = late.all('revocations').map(({ signed }) => signed.length)
      expect(frames).toEqual([REVOCATIONS_FRAME_MAX, REVOCATIONS_FRAME_MAX, 3])
    }
    const born = await joinBy(world, other)
    expect(born.peer.mesh().revoked).toHaveLength(count)
  })
})
