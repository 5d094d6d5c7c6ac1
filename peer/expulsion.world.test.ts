/** Who is not admitted, or no more, gets nothing: attacked from all sides, on peers as they run everywhere. */
import { describe, expect, test } from 'vitest'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { BlockFrame, type FrameOf } from '../protocol/frames.ts'
import { Membership, Revocation, signTicket } from '../protocol/mesh.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { joinBy, publish, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { codesOf, DOUBLE, hostAnd, join, running } from './attacked-host.ts'
import { readInvitation } from './join.ts'

const HOUR_MS = 3_600_000

const membershipBy = async (inviter: ScriptedPeer, peer: string, lifeMs = HOUR_MS): Promise<Envelope[]> => {
  const record = {
    v: 1 as const,
    mesh: inviter.meshId,
    peer,
    expires_ms: inviter.world.clock.now() + lifeMs,
    own: false,
  }
  return [...(await inviter.sign('membership', [Membership.encode(record)])), ...inviter.mesh.chain]
}

const byMembership = (chain: Envelope[]) => ({ credential: { by: 'membership' as const, chain } })

describe('a key that is not admitted runs nothing, fetches no block and learns of no peer', () => {
  interface Scene {
    world: World
    /** Founded the mesh. */
    host: WorldPeer
    guest: ScriptedPeer
  }
  type Says = Partial<FrameOf<'hello'>>

  const ticketBy = async ({ host }: Scene, inviter: ScriptedPeer) => {
    const { crypto, signer, clock } = inviter.ports
    const says = { mesh: inviter.meshId, addresses: [host.address], expires_ms: clock.now() + HOUR_MS, own: false }
    return signTicket(crypto, signer, { v: 1, inviter: inviter.peerId, chain: inviter.mesh.chain, ...says })
  }

  const ticketOf = async (host: WorldPeer, lifeMs = HOUR_MS) => {
    const { ticket } = await readInvitation(host.ports, await host.peer.invite(lifeMs))
    return { credential: { by: 'ticket' as const, ticket: ticket!.signed } }
  }

  test.each<[string, string, (scene: Scene) => Promise<Says>]>([
    ['a stranger without a ticket', 'E_NOT_ADMITTED', async () => ({ credential: { by: 'none' } })],
    [
      'a stranger who does not say of which mesh it is',
      'E_NOT_ADMITTED',
      async () => ({ genesis: new Uint8Array(), credential: { by: 'none' } }),
    ],
    [
      'an expired ticket',
      'E_TICKET_EXPIRED',
      async ({ world, host }) => {
        const says = await ticketOf(host, 1000)
        await world.clock.advance(1000)
        return says
      },
    ],
    [
      'a ticket of another mesh',
      'E_MESH_MISMATCH',
      async () => ticketOf((await worldFor('another mesh', { peers: 1 })).peers[0] as WorldPeer),
    ],
    [
      'a ticket by another member than the one it is shown to',
      'E_NOT_ADMITTED',
      async (scene) => ({
        credential: { by: 'ticket', ticket: await ticketBy(scene, await scriptedPeer(scene.world)) },
      }),
    ],
    [
      'a ticket that the guest made, with the chain of a member',
      'E_NOT_ADMITTED',
      async (scene) => {
        const { chain } = (await scriptedPeer(scene.world)).mesh
        scene.guest.mesh.chain = chain
        return { credential: { by: 'ticket', ticket: await ticketBy(scene, scene.guest) } }
      },
    ],
    [
      'the membership of another peer',
      'E_NOT_ADMITTED',
      async ({ world }) => byMembership((await scriptedPeer(world)).mesh.chain),
    ],
    [
      'a membership that the guest signed itself',
      'E_NOT_ADMITTED',
      async ({ guest }) => byMembership(await membershipBy(guest, guest.peerId)),
    ],
    [
      'a chain through a member who was revoked',
      'E_NOT_ADMITTED',
      async ({ world, host, guest }) => {
        const inviter = await scriptedPeer(world)
        await world.until(host.peer.revoke(inviter.peerId))
        return byMembership(await membershipBy(inviter, guest.peerId))
      },
    ],
    [
      'a chain through a member whose membership has expired',
      'E_NOT_ADMITTED',
      async ({ world, guest }) => {
        const inviter = await scriptedPeer(world)
        inviter.mesh.chain = (await world.membershipOf(inviter.peerId, 1000)).chain
        const chain = await membershipBy(inviter, guest.peerId)
        await world.clock.advance(1000)
        return byMembership(chain)
      },
    ],
    [
      'a membership of before the guest was revoked',
      'E_NOT_ADMITTED',
      async ({ world, host, guest }) => {
        const { chain } = await world.membershipOf(guest.peerId)
        await world.until(host.peer.revoke(guest.peerId))
        return byMembership(chain)
      },
    ],
    [
      'a membership by another member, of after the guest was revoked',
      'E_NOT_ADMITTED',
      async ({ world, host, guest }) => {
        await world.until(host.peer.revoke(guest.peerId))
        return byMembership(await membershipBy(await scriptedPeer(world), guest.peerId))
      },
    ],
    [
      'a good ticket of a guest who was revoked',
      'E_NOT_ADMITTED',
      async ({ world, host, guest }) => {
        await world.until(host.peer.revoke(guest.peerId))
        return ticketOf(host)
      },
    ],
  ])('%s: %s', async (name, code, make) => {
    const { world, host, double, stillServes } = await hostAnd(name)
    const guest = await scriptedPeer(world, { stranger: true })
    const hello = guest.hello(await make({ world, host, guest }))
    await getsNothing(world, host, guest, hello, code, double)
    await stillServes()
  })

  test('a member whom the owner denies: E_NOT_ACCEPTED', async () => {
    const { world, double, caller } = await hostAnd('denied')
    const guest = await scriptedPeer(world)
    const host = await world.add({ policy: { deny: [guest.peerId], accept: ['anyone', guest.peerId] } })
    await world.until(host.peer.join(caller.address))
    await publish(host, DOUBLE)
    await getsNothing(world, host, guest, guest.hello(), 'E_NOT_ACCEPTED', double)
  })

  /** It says everything that a member would, without waiting to be welcomed, and then asks for blocks. */
  const getsNothing = async (
    world: World,
    host: WorldPeer,
    guest: ScriptedPeer,
    hello: FrameOf<'hello'>,
    code: string,
    double: Parameters<ScriptedPeer['invoke']>[0],
  ) => {
    await guest.dial(host)
    guest.send(hello)
    guest.send({ t: 'welcome', chain: [] })
    guest.send(await guest.advertisement({ slots: 1, free: 1 }))
    guest.send(await guest.invoke(double, [1, 2, 3]))
    await world.clock.advance(2000)
    expect(codesOf(guest)).toEqual([code])
    expect(guest.heard.map(({ t }) => t)).toEqual(['hello', 'bye'])
    expect(guest.closed).toBeDefined()
    expect(running(host)).toBe(0)
    expect(host.peer.status().today.tasks).toBe(0)
    expect(host.peer.status().neighbours.map(({ peer }) => peer)).not.toContain(guest.peerId)

    const heard: unknown[] = []
    const blocks = await guest.openBlocks(host)
    const ended = new Promise<string>((resolve) =>
      blocks.receive({ frame: (bytes) => void heard.push(bytes), closed: resolve }),
    )
    blocks.send(BlockFrame.encode({ t: 'want', cids: [double.cid], send: true }))
    await world.until(ended)
    expect(heard).toEqual([])
  }
})

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((one) => one.peer)
const revokedAt = ({ peer }: WorldPeer) => peer.mesh().revoked.map((one) => one.peer)

/** Founder, alice whom it invited, bob whom she invited, carol whom he invited: each knows all others. */
const family = async (name: string) => {
  const world = await worldFor(name, { peers: 1 })
  const [founder] = world.peers as [WorldPeer]
  const alice = await joinBy(world, founder)
  const bob = await joinBy(world, alice)
  const carol = await joinBy(world, bob)
  for (const one of world.peers) expect(neighboursOf(one)).toHaveLength(3)
  return { world, founder, alice, bob, carol }
}

describe('a revocation', () => {
  test('by the operator ends every link with the peer and with those that it let in, also its blocks channels', async () => {
    const { world, founder, alice, bob, carol } = await family('operator revokes')
    const spy = await join(world, founder)
    await world.until(founder.peer.revoke(bob.peerId))
    await world.clock.advance(1000)
    for (const one of [founder, alice]) {
      expect(neighboursOf(one)).not.toContain(bob.peerId)
      expect(neighboursOf(one)).not.toContain(carol.peerId)
      expect(neighboursOf(one).length).toBeGreaterThan(0)
      expect(revokedAt(one)).toEqual([bob.peerId])
    }
    expect(spy.all('revocations')).toHaveLength(1)
    await expect(world.until(bob.peer.join(alice.address))).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
    await expect(world.until(carol.peer.join(founder.address))).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
    expect(bob.peer.mesh().self.role).toBe('revoked')
    await expect(bob.peer.invite(HOUR_MS)).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
    await expect(bob.peer.revoke(carol.peerId)).rejects.toMatchObject({ code: 'E_NOT_ADMITTED' })
  })

  test('ends a blocks channel that was open', async () => {
    const { world, host } = await hostAnd('open blocks')
    const guest = await join(world, host)
    const blocks = await guest.openBlocks(host)
    const ended = new Promise<string>((resolve) => blocks.receive({ frame: () => {}, closed: resolve }))
    await world.until(host.peer.revoke(guest.peerId))
    expect(await world.until(ended)).toBeDefined()
    expect(codesOf(guest)).toEqual(['E_NOT_ADMITTED'])
  })

  test('takes what runs for the peer away', async () => {
    const { world, host, double } = await hostAnd('what runs', { delayMs: 60_000 })
    const guest = await join(world, host)
    await guest.say(await guest.invoke(double, [1, 2, 3]))
    expect(running(host)).toBe(3)
    await world.until(host.peer.revoke(guest.peerId))
    expect(running(host)).toBe(0)
  })

  test('by the one who invited it counts everywhere; others stay', async () => {
    const { world, founder, alice, bob, carol } = await family('inviter revokes')
    await world.until(alice.peer.revoke(carol.peerId))
    await world.clock.advance(1000)
    for (const one of [founder, alice, bob]) {
      expect(neighboursOf(one)).not.toContain(carol.peerId)
      expect(neighboursOf(one)).toHaveLength(2)
    }
  })

  test('is told to members who come later, by whoever knows it', async () => {
    const { world, founder, alice } = await family('later')
    const guest = await scriptedPeer(world)
    await world.until(founder.peer.revoke(guest.peerId))
    await world.clock.advance(1000)
    const late = await joinBy(world, alice)
    expect(revokedAt(late)).toEqual([guest.peerId])
    await guest.dial(late)
    await guest.say(guest.hello())
    expect(codesOf(guest)).toEqual(['E_NOT_ADMITTED'])
  })

  test('is not for everybody to make', async () => {
    const { world, founder, alice, bob } = await family('not for everybody')
    const stranger = await scriptedPeer(world)
    for (const [by, of] of [
      [bob, alice.peerId],
      [bob, founder.peerId],
      [bob, bob.peerId],
      [bob, stranger.peerId],
      [founder, founder.peerId],
    ] as const)
      await expect(by.peer.revoke(of)).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('of somebody whom its signer has not let in changes nothing', async () => {
    const { world, founder, alice, bob } = await family('slander')
    const slanderer = await join(world, founder)
    const record = { v: 1 as const, mesh: slanderer.meshId, revoked_ms: world.clock.now(), chain: slanderer.mesh.chain }
    const payloads = [alice, bob].map(({ peerId: peer }) => Revocation.encode({ ...record, peer }))
    await slanderer.say({ t: 'revocations', signed: await slanderer.sign('revocation', payloads) })
    await world.clock.advance(30_000)
    for (const one of [founder, alice]) expect(neighboursOf(one)).toContain(bob.peerId)
    expect(neighboursOf(founder)).toContain(alice.peerId)
    expect([founder, alice, bob].map(revokedAt)).toEqual([[], [], []])
    expect(slanderer.closed).toBeUndefined()
  })

  test('that is forged costs its sender the link; from a stranger it is not even read', async () => {
    const { world, host } = await hostAnd('forged', { policy: { accept: ['anyone'] } })
    const victim = await scriptedPeer(world)
    const { crypto, signer } = victim.ports
    const record = { v: 1 as const, mesh: victim.meshId, peer: victim.peerId, revoked_ms: 0, chain: [] }
    const forged = await signBatch(crypto, signer, host.peerId, 'revocation', [Revocation.encode(record)])
    const forger = await join(world, host)
    await forger.say({ t: 'revocations', signed: forged })
    expect(codesOf(forger)).toEqual(['E_SIGNATURE'])
    const stranger = await (await scriptedPeer(world, { stranger: true })).join(host)
    await stranger.say({ t: 'revocations', signed: forged })
    expect(stranger.closed).toBeUndefined()
    expect(stranger.all('revocations')).toEqual([])
    expect(revokedAt(host)).toEqual([])
  })
})

test('a membership that expires while its holder is connected ends the link', async () => {
  const { world, host } = await hostAnd('expires')
  const guest = await scriptedPeer(world)
  guest.mesh.chain = (await world.membershipOf(guest.peerId, 20_000)).chain
  await guest.join(host)
  await world.clock.advance(19_000)
  expect(neighboursOf(host)).toContain(guest.peerId)
  await world.clock.advance(16_000)
  expect(neighboursOf(host)).not.toContain(guest.peerId)
  expect(codesOf(guest)).toEqual(['E_NOT_ADMITTED'])
})

test('the owner is told who is in the mesh, and by whom', async () => {
  const { world, founder, alice, bob, carol } = await family('report')
  await world.until(founder.peer.revoke(carol.peerId))
  await world.clock.advance(1000)
  const report = alice.peer.mesh()
  expect(report).toMatchObject({
    ...{ name: 'world', admission: 'private', independence: 'peer', operator: founder.peerId },
    self: { peer: alice.peerId, role: 'member', invited_by: founder.peerId, until_ms: expect.any(Number) },
    revoked: [{ peer: carol.peerId, by: founder.peerId }],
  })
  const members = Object.fromEntries(report.members.map((one) => [one.peer, [one.invited_by, one.here]]))
  expect(members).toEqual({ [founder.peerId]: [null, true], [bob.peerId]: [alice.peerId, true] })
  expect(founder.peer.mesh().self).toMatchObject({ role: 'operator', invited_by: null, until_ms: null })
})
