/** A liar that a member let in: with real peers, that member answers for it, and so do those whom it lets in afterwards. */
import { expect, test } from 'vitest'
import { auditedWork, joinBy, joinWith, worldFor } from '../scripts/test/world.ts'
import { lyingWhen } from '../simulations/adversaries.ts'
import type { WorldPeer } from '../simulations/world.ts'
import { PROBATION_RECEIPTS, RIGHTS_A_CHARGE } from './trust.ts'

const BATCH = 200

/** Peer 0, the founder, calls and lends nothing; the others are honest, and let in by it. */
const familyOf = async (name: string) => {
  const world = await worldFor(name, { peers: 4, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })
  const [home, host] = world.peers as [WorldPeer, WorldPeer]
  const work = await auditedWork(home, BATCH)
  const trustIn = (whom: string) => home.peer.status().neighbours.find(({ peer }) => peer === whom)?.trust
  return { world, home, host, work, trustIn }
}

test('whoever let in a liar answers for it: the next ones it lets in are audited for longer, and its own work is taken as before', async () => {
  const { world, home, host, work, trustIn } = await familyOf('answers')
  let liar = ''
  const lies = () => trustIn(liar)?.state === 'trusted'
  const isOut = () => home.events.some(({ name, fields }) => name === 'peer.expelled' && fields.peer === liar)
  // One that is expelled before any of its lies was released is charged to nobody: then another comes.
  while (home.peer.mesh().self.charges === 0) {
    const ticket = await host.peer.invite(60_000)
    liar = (await joinWith(world, ticket, {}, { sandboxHost: (real) => lyingWhen(real, lies) })).peerId
    while (!isOut()) {
      await world.until(work())
      await world.clock.advance(1000)
    }
  }
  const { self, members } = home.peer.mesh()
  const charges = Object.fromEntries(members.map((one) => [one.peer, one.charges]))
  const [, , ...others] = world.peers.map(({ peerId }) => charges[peerId])
  expect(others.pop()).toBe(1)
  expect(new Set(others)).toEqual(new Set([0]))
  // Its guests gave right receipts meanwhile, which make up for a little of it; so do all others for the founder.
  expect(charges[host.peerId]).toBeGreaterThan(0.5)
  expect(self.charges).toBeLessThanOrEqual(0.5)

  const [guest, neighbour] = [await joinBy(world, host), await joinBy(world, home)]
  expect(trustIn(guest.peerId)?.left).toBe(Math.ceil(RIGHTS_A_CHARGE * (charges[host.peerId] as number)))
  expect(trustIn(neighbour.peerId)?.left).toBe(PROBATION_RECEIPTS)
})
