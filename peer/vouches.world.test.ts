/** A public mesh, where nobody is let in: with real peers, newcomers are charged as guests of whoever vouches for them. */
import { expect, test } from 'vitest'
import { signBatch } from '../protocol/envelope.ts'
import { Membership } from '../protocol/mesh.ts'
import { auditedWork, joinBy, joinWith, worldFor } from '../scripts/test/world.ts'
import { lyingWhen } from '../simulations/adversaries.ts'
import type { PeerSetup, WorldPeer } from '../simulations/world.ts'
import { learnMesh } from './join.ts'
import type { MeshState } from './membership.ts'
import { PROBATION_RECEIPTS, RIGHTS_A_CHARGE } from './trust.ts'

const BATCH = 100
const MINUTE_MS = 60_000

/** Peer 0, the founder, calls and lends nothing; peers 1 and 2 are honest operators, for whom nobody vouches. */
const openMesh = async (name: string) => {
  const policy = { admission: 'public' } as const
  const world = await worldFor(name, { peers: 3, policy, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })
  const [home, one, other] = world.peers as [WorldPeer, WorldPeer, WorldPeer]
  const work = await auditedWork(home, BATCH)
  const workUntil = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      await world.until(work())
      await world.clock.advance(1000)
    }
  }
  const trustIn = ({ peerId }: { peerId: string }) =>
    home.peer.status().neighbours.find(({ peer }) => peer === peerId)?.trust
  /** Of whoever answers for somebody; of the founder, which is the home itself, too. */
  const chargesOf = ({ peerId }: { peerId: string }) => {
    const { self, members } = home.peer.mesh()
    return peerId === self.peer ? self.charges : members.find(({ peer }) => peer === peerId)?.charges
  }
  /** As one who has an address of the mesh alone. */
  const stranger = async (setup: PeerSetup = {}, vouched?: (mesh: MeshState, peer: string) => Promise<MeshState>) => {
    const born = world.machine(setup)
    await born.ports.network.start()
    const learnt = await world.until(learnMesh(born.ports, { addresses: [home.address] }))
    const mesh = vouched ? await vouched(learnt, born.peerId) : learnt
    const peer = await world.add({ mesh }, born)
    await world.until(peer.peer.join(home.address))
    await world.clock.advance(1000)
    return peer
  }
  /** Behaves until it is trusted, and lies then. Comes by a ticket, or as a stranger. */
  const lieBy = async (ticket?: string) => {
    let me = ''
    const lies = () => trustIn({ peerId: me })?.state === 'trusted'
    const setup: PeerSetup = { sandboxHost: (real) => lyingWhen(real, lies) }
    me = (ticket === undefined ? await stranger(setup) : await joinWith(world, ticket, {}, setup)).peerId
    const isOut = () => home.events.some(({ name, fields }) => name === 'peer.expelled' && fields.peer === me)
    await workUntil(isOut)
    await world.clock.advance(10_000)
    return chargesOf({ peerId: me })
  }
  /** One that is expelled before any of its lies was released is charged to nobody: then another comes. */
  const liarBy = async (ticket?: string) => {
    while ((await lieBy(ticket)) === 0);
  }
  return { world, home, one, other, workUntil, trustIn, chargesOf, stranger, liarBy }
}

const asked = (charges: number | undefined) => Math.ceil(RIGHTS_A_CHARGE * (charges as number))

test('a newcomer for whom an operator vouches that has earned it is on probation no longer than any; a stranger pays for those who were expelled', async () => {
  const { world, home, one, workUntil, trustIn, chargesOf, stranger, liarBy } = await openMesh('vouched')
  await liarBy()
  expect(chargesOf(home)).toBeGreaterThan(0.5)
  const [alone, guest] = [await stranger(), await joinBy(world, one)]
  expect(home.peer.mesh().members).toMatchObject(
    expect.arrayContaining([expect.objectContaining({ peer: guest.peerId, invited_by: one.peerId })]) as never,
  )
  const guestOfGuest = await joinBy(world, guest)
  // Until what it has earned is what a stranger gives, its word is worth nothing.
  expect(trustIn(alone)?.left).toBe(asked(chargesOf(home)))
  await workUntil(() => trustIn(one)?.state === 'trusted' && (trustIn(one)?.audited as number) >= RIGHTS_A_CHARGE)
  const newcomers = [await joinBy(world, one), await joinBy(world, guestOfGuest)]
  for (const newcomer of newcomers) expect(trustIn(newcomer)?.left).toBe(PROBATION_RECEIPTS)
  expect(trustIn(await stranger())?.left).toBe(asked(chargesOf(home)))
  expect(asked(chargesOf(home))).toBeGreaterThan(PROBATION_RECEIPTS)

  // Whoever vouched for a liar answers for it, and its word counts no more until it has earned as much again.
  const before = chargesOf(home) as number
  await liarBy(await one.peer.invite(MINUTE_MS))
  expect(chargesOf(one)).toBeGreaterThan(0.5)
  expect(chargesOf(home)).toBeGreaterThan(before)
  expect(trustIn(await joinBy(world, one))?.left).toBeGreaterThan(PROBATION_RECEIPTS)
})

test('a vouch that was withdrawn, is shown no more or has expired counts no more; one that is forged is refused; rings are strangers', async () => {
  const { world, home, one, workUntil, trustIn, chargesOf, stranger, liarBy } = await openMesh('withdrawn')
  await liarBy()
  await workUntil(() => (trustIn(one)?.audited as number) >= RIGHTS_A_CHARGE)
  const { crypto, clock } = home.ports
  const by =
    (voucher: WorldPeer, lifeMs: number, name = voucher.peerId) =>
    async (mesh: MeshState, peer: string): Promise<MeshState> => {
      const record = { v: 1 as const, mesh: home.peer.meshId, peer, expires_ms: clock.now() + lifeMs, own: false }
      const signed = await signBatch(crypto, voucher.ports.signer, name, 'membership', [Membership.encode(record)])
      return { ...mesh, chain: signed }
    }
  const [withdrawn, brief, silent] = [
    await joinBy(world, one),
    await stranger({}, by(one, MINUTE_MS)),
    await joinBy(world, one),
  ]
  for (const guest of [withdrawn, brief, silent]) expect(trustIn(guest)?.left).toBe(PROBATION_RECEIPTS)
  await one.peer.revoke(withdrawn.peerId)
  world.kill(silent)
  await world.clock.advance(MINUTE_MS)
  const again = await world.restart(silent, { mesh: { genesis: world.genesis, chain: [] } })
  await world.until(again.peer.join(home.address))
  await world.clock.advance(1000)
  const left = asked(chargesOf(home))
  expect(left).toBeGreaterThan(PROBATION_RECEIPTS)
  const known = home.peer.mesh().members
  for (const guest of [withdrawn, brief, silent]) {
    // No less in the mesh for it, and whoever once vouched for it answers for it.
    expect(trustIn(guest)?.left).toBe(left)
    expect(known.find(({ peer }) => peer === guest.peerId)).toMatchObject({ invited_by: one.peerId })
  }
  const ring = await stranger()
  expect(trustIn(await stranger({}, by(ring, MINUTE_MS)))?.left).toBe(left)
  await expect(stranger({}, by(ring, MINUTE_MS, one.peerId))).rejects.toMatchObject({ code: 'E_SIGNATURE' })
})
