/** An executor that was lost and is there again is asked again, also for what it was lost with: there may be no other. */
import { expect, test } from 'vitest'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'

const slow: PeerSetup = { sandboxHost: (host, clock) => slowHost(host, clock, () => 20_000) }

/** Peer 0 calls, two others lend; who runs a call of 20 s that has begun, and who does not. */
const underWay = async (name: string) => {
  const world = await worldFor(name, { peers: 3, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : slow) })
  const caller = world.peers[0] as WorldPeer
  const double = await publish(caller, 'export default (x) => 2 * x')
  const result = caller.peer.call(requestOf(double, 21, { timeoutMs: 120_000 }))
  result.catch(() => {})
  await world.clock.advance(100)
  const first = whoRuns(world)
  return { world, caller, result, first, second: 3 - first }
}

const isRunning = ({ peer }: WorldPeer) => peer.status().running.length > 0
const whoRuns = (world: World) => world.peers.findIndex(isRunning)

/** Ms until peer `i` runs something, 10,000 if it does not. */
const untilRunsAt = async (world: World, i: number) => {
  const fromMs = world.clock.monotonic()
  const passed = () => world.clock.monotonic() - fromMs
  while (!isRunning(world.peers[i] as WorldPeer) && passed() < 10_000) await world.clock.advance(10)
  return passed()
}

test('one that was silent, once it is heard', async () => {
  const { world, caller, result, first, second } = await underWay('silent')
  const [one, other] = [world.peers[first] as WorldPeer, world.peers[second] as WorldPeer]
  const heal = world.hub.partition(caller.peerId, one.peerId)
  expect(await untilRunsAt(world, second)).toBeLessThanOrEqual(2000)
  heal()
  await world.clock.advance(16_000)
  world.kill(other)
  expect(await untilRunsAt(world, first)).toBeLessThanOrEqual(500)
  const ended = await world.until(result)
  expect(returned(ended)).toBe(42)
  expect([ended.executions, ended.performed[0]?.executor]).toEqual([3, one.peerId])
})

test('one that was killed, once it is started again', async () => {
  const { world, result, first, second } = await underWay('killed')
  const [one, other] = [world.peers[first] as WorldPeer, world.peers[second] as WorldPeer]
  world.kill(one)
  expect(await untilRunsAt(world, second)).toBeLessThanOrEqual(500)
  await world.restart(one, slow)
  await world.clock.advance(5000)
  world.kill(other)
  expect(await untilRunsAt(world, first)).toBeLessThanOrEqual(500)
  const ended = await world.until(result)
  expect(returned(ended)).toBe(42)
  expect([ended.executions, ended.performed[0]?.executor]).toEqual([3, one.peerId])
})
