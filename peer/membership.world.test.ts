import { describe, expect, test } from 'vitest'
import { signTicket, type Ticket, ticketToText, verifyChain } from '../protocol/mesh.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { joinWith, worldFor } from '../scripts/test/world.ts'
import type { WorldPeer } from '../simulations/world.ts'
import { readInvitation } from './join.ts'

const HOUR_MS = 3_600_000

const founded = async (name: string) => {
  const world = await worldFor(name, { peers: 1 })
  return { world, host: world.peers[0]! }
}

const members = ({ peer }: WorldPeer) =>
  peer
    .status()
    .neighbours.filter(({ member }) => member)
    .map((neighbour) => neighbour.peer)

test('a ticket earns a membership, and who has one can invite others, who are known to all', async () => {
  const { world, host } = await founded('ticket')
  const first = await joinWith(world, await host.peer.invite(HOUR_MS))
  const second = await joinWith(world, await first.peer.invite(HOUR_MS))
  await world.clock.advance(1000)
  expect(members(host).sort()).toEqual([first.peerId, second.peerId].sort())
  expect(members(second).sort()).toEqual([host.peerId, first.peerId].sort())
})

test('a membership outlives its ticket', async () => {
  const { world, host } = await founded('outlives')
  const guest = await joinWith(world, await host.peer.invite(1000))
  await world.clock.advance(2000)
  const third = await scriptedPeer(world)
  await third.join(guest)
  expect(members(guest)).toContain(third.peerId)
  const { credential } = third.all('hello')[0]!
  expect(credential).toMatchObject({ by: 'membership', chain: [{ signer: host.peerId }] })
  const { chain } = credential as Extract<typeof credential, { by: 'membership' }>
  const { operator } = world.genesis
  const to = { mesh: third.meshId, operator, peer: guest.peerId, nowMs: world.clock.now(), isRevoked: () => false }
  await expect(verifyChain(host.ports.crypto, chain, to)).resolves.toBeUndefined()
})

describe('a ticket that does not admit', () => {
  /** The error that `stranger` gets from `host` for showing `ticket`. */
  const refusal = async (host: WorldPeer, stranger: ScriptedPeer, ticket: Awaited<ReturnType<typeof signTicket>>) => {
    await stranger.dial(host)
    await stranger.say(stranger.hello({ credential: { by: 'ticket', ticket } }))
    return stranger.heard.find(({ t }) => t === 'bye' || t === 'welcome')
  }

  const ticketOf = (inviter: ScriptedPeer, changes: Partial<Ticket> = {}) => {
    const { crypto, signer, clock, network } = inviter.ports
    const { chain } = inviter.mesh
    const says = {
      mesh: inviter.meshId,
      addresses: network.addresses(),
      expires_ms: clock.now() + HOUR_MS,
      own: false,
      chain,
    }
    return signTicket(crypto, signer, { v: 1, inviter: inviter.peerId, ...says, ...changes })
  }

  test('one that does: it is by the peer that it is shown to', async () => {
    const { world, host } = await founded('good')
    const { ticket } = await readInvitation(host.ports, await host.peer.invite(HOUR_MS))
    const welcome = await refusal(host, await scriptedPeer(world, { stranger: true }), ticket!.signed)
    expect(welcome).toMatchObject({ t: 'welcome', chain: [{ signer: host.peerId }] })
  })

  test('of another inviter, though a member: the newcomer would not be in its line', async () => {
    const { world, host } = await founded('elsewhere')
    const inviter = await scriptedPeer(world)
    const bye = await refusal(host, await scriptedPeer(world, { stranger: true }), await ticketOf(inviter))
    expect(bye).toMatchObject({ t: 'bye', code: 'E_NOT_ADMITTED', message: expect.stringContaining(inviter.peerId) })
  })

  test('expired', async () => {
    const { world, host } = await founded('expired')
    const ticket = await ticketOf(await scriptedPeer(world), { expires_ms: world.clock.now() })
    const bye = await refusal(host, await scriptedPeer(world, { stranger: true }), ticket)
    expect(bye).toMatchObject({ t: 'bye', code: 'E_TICKET_EXPIRED' })
    await expect(readInvitation(host.ports, ticketToText(ticket))).rejects.toMatchObject({ code: 'E_TICKET_EXPIRED' })
  })

  test('changed after it was signed', async () => {
    const { world, host } = await founded('changed')
    const inviter = await scriptedPeer(world)
    const [early, late] = [
      await ticketOf(inviter),
      await ticketOf(inviter, { expires_ms: world.clock.now() + 9 * HOUR_MS }),
    ]
    const forged = { ...early, payload: late.payload }
    const bye = await refusal(host, await scriptedPeer(world, { stranger: true }), forged)
    expect(bye).toMatchObject({ t: 'bye', code: 'E_SIGNATURE' })
    await expect(readInvitation(host.ports, ticketToText(forged))).rejects.toMatchObject({ code: 'E_TICKET' })
  })

  test('signed by another than its inviter', async () => {
    const { world, host } = await founded('impostor')
    const impostor = await scriptedPeer(world)
    const bye = await refusal(host, impostor, await ticketOf(impostor, { inviter: host.peerId }))
    expect(bye).toMatchObject({ t: 'bye', code: 'E_SIGNATURE' })
  })

  test('of an inviter who is no member', async () => {
    const { world, host } = await founded('outsider')
    const outsider = await scriptedPeer(world, { stranger: true })
    const bye = await refusal(host, await scriptedPeer(world, { stranger: true }), await ticketOf(outsider))
    expect(bye).toMatchObject({ t: 'bye', code: 'E_NOT_ADMITTED' })
  })

  test('for another mesh', async () => {
    const { world, host } = await founded('here')
    const { host: there } = await founded('there')
    const { ticket } = await readInvitation(there.ports, await there.peer.invite(HOUR_MS))
    const bye = await refusal(host, await scriptedPeer(world, { stranger: true }), ticket!.signed)
    expect(bye).toMatchObject({ t: 'bye', code: 'E_MESH_MISMATCH' })
  })
})
