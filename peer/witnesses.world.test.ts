/** After a dispute at a quorum: who else is asked, and what is made of those that told the same lie. */
import { expect, test } from 'vitest'
import { publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { lyingHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'

const liar: PeerSetup = { sandboxHost: lyingHost }

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

const trustOf = (world: World, { peerId }: { peerId: string }) =>
  world.peers[0]!.peer.status().neighbours.find(({ peer }) => peer === peerId)?.trust

const atQuorum = async (world: World) => {
  const caller = world.peers[0] as WorldPeer
  const double = await publish(caller, 'export default (x) => 2 * x')
  let next = 0
  return async () => {
    const call = caller.peer.call(requestOf(double, next++, { level: ensureLevel('quorum:2') }))
    const result = await world.until(call.catch(() => undefined))
    await world.clock.advance(1000)
    return result
  }
}

test('others are asked: those who have signed the same lie are caught with it, and never agree again', async () => {
  const world = await callerAnd('witnesses', [liar, liar, liar, ...Array<PeerSetup>(6).fill({})])
  const call = await atQuorum(world)
  const liars = world.peers.slice(1, 4)
  const caughtOf = () => liars.map((one) => trustOf(world, one)?.caught)
  while (caughtOf().every((caught) => caught === 0)) await call()
  // Three have voted, and the six others were asked.
  expect(caughtOf()).toEqual([1, 1, 1])
  while (liars.some((one) => trustOf(world, one))) {
    const result = await call()
    const bad = result?.performed.filter((one) => liars.some(({ peerId }) => peerId === one.executor)) ?? []
    expect(bad.length).toBeLessThan(2)
  }
  for (const honest of world.peers.slice(4)) expect(trustOf(world, honest)).toMatchObject({ caught: 0 })
})

test('a home whose outcome nobody else has, of many that agree, blames nobody and says so', async () => {
  const odd: PeerSetup = { sandboxHost: (host) => lyingHost(lyingHost(host)) }
  const world = await callerAnd('alone', [odd, ...Array<PeerSetup>(7).fill(liar)])
  const call = await atQuorum(world)
  const alone = () => world.peers[0]!.events.some(({ name }) => name === 'home.alone')
  while (!alone()) await call()
  for (const one of world.peers.slice(1)) expect(trustOf(world, one)).toMatchObject({ caught: 0, state: 'probation' })
})
