/** An agent that carries: for members alone, and within bounds. Peers without a way to be dialled stand for pages. */
import { tcp } from '@libp2p/tcp'
import { expect, onTestFinished, test } from 'vitest'
import { Carriers } from '../browser-agent/carriers.ts'
import { eventually } from '../peer/network/conformance-scene.ts'
import { createLibp2pNetwork } from '../peer/network/libp2p.ts'
import * as limits from '../peer/network/limits.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { KIB } from '../protocol/limits.ts'
import type { Channel, Network } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createSigner, generatePrivateKey } from './crypto.ts'
import { createNodeNetwork } from './network.ts'
import type { Relay } from './relay.ts'
import { startAgent, wayside } from './testing/wayside.ts'

const log = { event: () => {} }
const ECHO = '/test/echo'
const frameBytesMax = 64 * KIB

const relayFor = async (members: Set<string>): Promise<{ network: Network; relay: Relay; address: string }> => {
  const signer = createSigner(generatePrivateKey())
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const made = await createNodeNetwork({
    signer,
    storage: createMemoryStorage(),
    listen,
    clock: systemClock,
    log,
    relay: true,
  })
  const relay = made.relay as Relay
  relay.start((peer) => members.has(peer))
  await made.network.start()
  onTestFinished(() => made.network.stop())
  return { network: made.network, relay, address: made.network.addresses()[0] as string }
}

interface Carried {
  network: Network
  carriers: Carriers
}

/** Dials, and is dialled over a relay alone. */
const carried = async (listen: string[] = []): Promise<Carried> => {
  const signer = createSigner(generatePrivateKey())
  const carriers = new Carriers(systemClock, peerIdFromPublicKey(signer.publicKey), false)
  const network = await createLibp2pNetwork({
    ...{ signer, listen, clock: systemClock, log },
    transports: [tcp(), carriers.transport],
    carriedAt: () => carriers.addresses(),
    left: (peer) => carriers.left(peer),
  })
  network.handle(ECHO, (channel) => channel.receive({ frame: (frame) => void channel.send(frame), closed: () => {} }), {
    frameBytesMax,
  })
  await network.start()
  onTestFinished(() => network.stop())
  return { network, carriers }
}

/** A member that the relay carries for. */
const reserved = async (relay: { address: string }, members: Set<string>, listen?: string[]): Promise<Carried> => {
  const one = await carried(listen)
  members.add(one.network.peerId)
  one.carriers.met(await one.network.connect(relay.address))
  await eventually(() => expect(one.network.addresses()).not.toEqual([]))
  return one
}

const echoed = async (
  from: Network,
  peer: string,
): Promise<{ channel: Channel; ends: string[]; echo(): Promise<void> }> => {
  const channel = await from.open(peer, ECHO, { frameBytesMax })
  const ends: string[] = []
  let answered = () => {}
  channel.receive({ frame: () => answered(), closed: (reason) => void ends.push(reason) })
  const echo = () =>
    new Promise<void>((resolve) => {
      answered = resolve
      channel.send(new Uint8Array(100))
    })
  return { channel, ends, echo }
}

const scene = async () => {
  const members = new Set<string>()
  const relay = await relayFor(members)
  return { members, relay, target: await reserved(relay, members) }
}

const dialler = async (members: Set<string>, relay: { address: string }) => {
  const { network } = await carried()
  members.add(network.peerId)
  await network.connect(relay.address)
  return network
}

test('a member reaches another over the relay; status says what it carries', async () => {
  const { members, relay, target } = await scene()
  const from = await dialler(members, relay)
  const address = target.network.addresses()[0] as string
  expect(address).toBe(`${relay.address}/p2p-circuit/p2p/${target.network.peerId}`)
  const { echo } = await echoed(from, await from.connect(address))
  await echo()
  expect(relay.relay.status()).toEqual({
    reservations: 1,
    reservations_max: limits.RELAY_RESERVATIONS_MAX,
    circuits: 1,
    circuits_max: limits.RELAY_CIRCUITS_MAX,
    circuit_bytes_max: limits.RELAY_CIRCUIT_BYTES_MAX,
    circuit_ms_max: limits.RELAY_CIRCUIT_MS_MAX,
  })
})

test('strangers get no reservation, are carried to nobody, and nobody is carried to them', async () => {
  const { members, relay, target } = await scene()
  const stranger = await carried()
  stranger.carriers.met(await stranger.network.connect(relay.address))
  const to = target.network.addresses()[0] as string
  await expect(stranger.network.connect(to)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  const from = await dialler(members, relay)
  const unreserved = to.replace(target.network.peerId, stranger.network.peerId)
  await expect(from.connect(unreserved)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  expect(stranger.network.addresses()).toEqual([])
  await eventually(() => expect(relay.relay.status()).toMatchObject({ reservations: 1, circuits: 0 }))
  members.delete(target.network.peerId)
  await expect(from.connect(to)).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
})

test('one that is refused asks again, and is carried once it is a member', async () => {
  const { members, relay } = await scene()
  const late = await carried()
  late.carriers.met(await late.network.connect(relay.address))
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(late.network.addresses()).toEqual([])
  members.add(late.network.peerId)
  await eventually(() => expect(late.network.addresses()).not.toEqual([]))
})

test('a reservation ends with the connection, at both ends', async () => {
  const { relay, target } = await scene()
  let moved = 0
  target.carriers.start(
    () => false,
    () => moved++,
  )
  await relay.network.disconnect(target.network.peerId)
  await eventually(() => expect(relay.relay.status().reservations).toBe(0))
  await eventually(() => expect(target.network.addresses()).toEqual([]))
  expect(moved).toBe(1)
})

test('a flood ends that relayed connection only', async () => {
  const { members, relay, target } = await scene()
  const address = target.network.addresses()[0] as string
  const [flooding, other] = [await dialler(members, relay), await dialler(members, relay)]
  const flood = await echoed(flooding, await flooding.connect(address))
  const quiet = await echoed(other, await other.connect(address))
  const frame = new Uint8Array(32 * KIB)
  let sent = 0
  while (flood.ends.length === 0 && sent < 4 * limits.RELAY_CIRCUIT_BYTES_MAX) {
    if (!flood.channel.send(frame)) await flood.channel.drained()
    sent += frame.length
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  await eventually(() => expect(flood.ends).toHaveLength(1))
  expect(sent).toBeLessThan(2 * limits.RELAY_CIRCUIT_BYTES_MAX)
  await quiet.echo()
  expect(target.network.addresses()).toEqual([address])
  // The way is open again.
  await eventually(async () => expect(relay.relay.status().circuits).toBe(1))
  await (await echoed(flooding, await flooding.connect(address))).echo()
})

test('where a direct way comes up beside a relayed one, channels end there and go on here', async () => {
  const { members, relay } = await scene()
  const target = await reserved(relay, members, ['/ip4/127.0.0.1/tcp/0'])
  await eventually(() => expect(target.network.addresses()).toHaveLength(2))
  const [direct = '', relayed = ''] = target.network.addresses()
  const from = await dialler(members, relay)
  const before = await echoed(from, await from.connect(relayed))
  await before.echo()
  expect(relay.relay.status().circuits).toBe(1)
  expect(await from.connect(direct)).toBe(target.network.peerId)
  await eventually(() => expect(before.ends).toHaveLength(1))
  await (await echoed(from, target.network.peerId)).echo()
  await eventually(() => expect(relay.relay.status().circuits).toBe(0))
  expect(await from.connect(relayed)).toBe(target.network.peerId)
  expect(relay.relay.status().circuits).toBe(0)
})

test('one peer begins no more than its burst at once', async () => {
  const { members, relay, target } = await scene()
  const from = await dialler(members, relay)
  const address = target.network.addresses()[0] as string
  const fromMs = performance.now()
  let begun = 0
  const begin = async () => {
    for (; ; begun++) await from.disconnect(await from.connect(address))
  }
  await expect(begin()).rejects.toMatchObject({ code: 'E_UNREACHABLE' })
  const refilled = Math.floor((performance.now() - fromMs) / limits.RELAY_CIRCUIT_EVERY_MS)
  expect(begun).toBeGreaterThanOrEqual(limits.RELAY_CIRCUITS_BURST_MAX)
  expect(begun).toBeLessThanOrEqual(limits.RELAY_CIRCUITS_BURST_MAX + refilled)
})

test('it gives no more reservations than it has', async () => {
  const members = new Set<string>()
  const relay = await relayFor(members)
  for (let made = 0; made < limits.RELAY_RESERVATIONS_MAX; made += 16) {
    await Promise.all(Array.from({ length: 16 }, () => reserved(relay, members)))
    // As many connections as one address may make in a second.
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
  const late = await carried()
  members.add(late.network.peerId)
  late.carriers.met(await late.network.connect(relay.address))
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(late.network.addresses()).toEqual([])
  expect(relay.relay.status().reservations).toBe(limits.RELAY_RESERVATIONS_MAX)
})

test('an agent started with --relay says what it carries; its WebRTC address is the same after a restart', async () => {
  const ways = ['--relay', '--listen', '/ip4/127.0.0.1/udp/0/webrtc-direct']
  const agent = await startAgent(ways)
  expect(agent.status).toMatchObject({ relay: { reservations: 0, circuits: 0 }, without_webrtc: null })
  const words = await wayside(['status', '--data', agent.data])
  expect(words.stdout).toContain('for 0 peers of at most 64 now')
  const [direct] = agent.status.addresses.filter((address) => address.includes('/webrtc-direct/certhash/'))
  expect(direct).toContain('/ip4/127.0.0.1/udp/')
  await agent.stop()
  const again = await startAgent(ways, { data: agent.data })
  expect(again.status.addresses).toContain(direct)
})
