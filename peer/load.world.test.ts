import { expect, test } from 'vitest'
import { PEER_PROTOCOL, PeerFrame } from '../protocol/frames.ts'
import type { Channel } from '../protocol/ports.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, WorldMachine, WorldPeer } from '../simulations/world.ts'

/** Frames and bytes of each type. */
type Sent = Partial<Record<PeerFrame['t'], { frames: number; bytes: number }>>

/** Counts what `machine` sends from now on. */
const count = ({ ports: { network } }: WorldMachine, sent: Sent): void => {
  const counted = (channel: Channel): Channel => {
    const send = channel.send.bind(channel)
    channel.send = (bytes) => {
      const { t } = PeerFrame.decode(bytes)
      const { frames, bytes: before } = sent[t] ?? { frames: 0, bytes: 0 }
      sent[t] = { frames: frames + 1, bytes: before + bytes.length }
      return send(bytes)
    }
    return channel
  }
  const { open, handle } = network
  network.open = async (peer, protocol, ...rest) => {
    const channel = await open.call(network, peer, protocol, ...rest)
    return protocol === PEER_PROTOCOL ? counted(channel) : channel
  }
  network.handle = (protocol, accept, options) => {
    const to = protocol === PEER_PROTOCOL ? (channel: Channel) => accept(counted(channel)) : accept
    handle.call(network, protocol, to, options)
  }
}

const slow = (taskMs: () => number): PeerSetup => ({
  sandboxHost: (host, clock) => slowHost(host, clock, taskMs),
})

const PEERS = 12
const TASKS = 150
const TASK_MS = 300

test('load is told in few bytes, and is known to be what it is', async () => {
  const world = await worldFor('telling', { peers: 0, latencyMs: () => 10 })
  const random = randomFor('telling')
  const sent: Sent = {}
  const setup = slow(() => TASK_MS * (0.5 + random.below(1000) / 1000))
  for (let i = 0; i < PEERS; i++) {
    const machine = world.machine(setup)
    count(machine, sent)
    await world.add(setup, machine)
  }
  const [first, ...others] = world.peers as [WorldPeer, ...WorldPeer[]]
  await world.until(Promise.all(others.map(({ peer }) => peer.join(first.address))))
  await world.clock.advance(3000)
  const f = await publish(first, 'export default (x) => x')
  sent.advertise = { frames: 0, bytes: 0 }
  const calls: Promise<unknown>[] = []
  // By chance, so many that they fill 60 % of two slots each.
  for (let n = 0; n < TASKS; n++) {
    const caller = world.peers[random.below(PEERS / 3)] as WorldPeer
    calls.push(caller.peer.call(requestOf(f, n)))
    await world.clock.advance((-Math.log((1 + random.below(1e6)) / 1e6) * TASK_MS) / (0.6 * 2 * PEERS))
  }
  await world.until(Promise.all(calls))
  await world.clock.advance(1100)
  for (const { peer } of world.peers)
    for (const neighbour of peer.status().neighbours) expect(neighbour).toMatchObject({ free: 2, queued: 0 })
  // Measured: under 430 bytes a task. As a signed advertisement at each change it was 7,900.
  const { load, advertise } = sent
  expect((load!.bytes + advertise!.bytes) / TASKS).toBeLessThan(500)
})

test('who pauses says so at once; who lends again, too', async () => {
  const world = await worldFor('pause', { peers: 1 })
  const [host] = world.peers as [WorldPeer]
  const guest = await (await scriptedPeer(world)).join(host)
  await guest.next('advertise')
  host.peer.pause()
  await world.clock.advance(0)
  host.peer.resume()
  await world.clock.advance(0)
  expect(guest.all('load').slice(-2)).toMatchObject([
    { slots: 0, free: 0, queued: 0 },
    { slots: 2, free: 2, queued: 0 },
  ])
})

test('an advertisement is signed anew before it expires, though nothing changes', async () => {
  const world = await worldFor('refresh', { peers: 1 })
  const [host] = world.peers as [WorldPeer]
  const guest = await (await scriptedPeer(world)).join(host)
  await world.clock.advance(5 * 60_000)
  expect(guest.all('advertise').length).toBeGreaterThanOrEqual(5)
})

test('a load is believed of nobody who has not said what it offers', async () => {
  const world = await worldFor('early', { peers: 1 })
  const [host] = world.peers as [WorldPeer]
  const guest = await (await scriptedPeer(world)).dial(host)
  await guest.say(guest.hello())
  await guest.say({ t: 'welcome', chain: [] })
  await guest.say({ t: 'load', slots: 99, free: 99, queued: 0 })
  expect(host.peer.status().neighbours).toMatchObject([{ slots: 0, free: 0 }])
  await guest.say(await guest.advertisement({ slots: 3, free: 3 }))
  await guest.say({ t: 'load', slots: 3, free: 1, queued: 0 })
  expect(host.peer.status().neighbours).toMatchObject([{ slots: 3, free: 1 }])
})
