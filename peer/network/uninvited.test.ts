/** Over TCP as well, keys that are not admitted get nothing, and those that are get no more than the owner lends them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { createSigner, generatePrivateKey } from '../../node/crypto.ts'
import { createNodePorts } from '../../node/ports.ts'
import { BLOCKS_PROTOCOL, BlockFrame, PEER_PROTOCOL } from '../../protocol/frames.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { FRAME_BYTES_MAX, MIB } from '../../protocol/limits.ts'
import type { Log, LogEventName, LogFields } from '../../protocol/log.ts'
import type { Channel, Ports, Signer } from '../../protocol/ports.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { ScriptedPeer, type Surroundings } from '../../scripts/test/scripted-peer.ts'
import { Uninvited } from '../../scripts/test/uninvited.ts'
import { machine, publish, requestOf, returned } from '../../scripts/test/world.ts'
import { createInlineSandboxHost } from '../../simulations/sandbox-host.ts'
import { QUOTA_DEFAULT } from '../admission.ts'
import { createPeer } from '../index.ts'
import { foundMesh, learnMesh, readInvitation } from '../join.ts'
import type { MeshState } from '../membership.ts'
import { LENDS_NOTHING, type OwnerPolicy } from '../owner-policy.ts'
import type { Peer } from '../peer.ts'
import { eventually } from './conformance-scene.ts'

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']
const LENDS: OwnerPolicy = { ...LENDS_NOTHING, accept: ['mesh'], slots: 1, memoryBytes: 256 * MIB }
const DOUBLE = 'export default (x) => 2 * x'

const here: Surroundings = {
  clock: { now: () => systemClock.now(), advance: (ms) => sleep(ms) },
  until: (promise) => promise,
}

const newSigner = () => createSigner(generatePrivateKey())

const portsOn = (listen: readonly string[], log: Log, signer: Signer = newSigner()): Promise<Ports> =>
  createNodePorts({ signer, listen, log })

/** A peer of the product, which founds its mesh unless it is told another; what it logs. */
const started = async (policy: OwnerPolicy, { mesh, signer }: { mesh?: MeshState; signer?: Signer } = {}) => {
  const events: { name: LogEventName; fields: LogFields }[] = []
  const log: Log = { event: (name, fields = {}) => void events.push({ name, fields }) }
  const ports = await portsOn(LOOPBACK, log, signer)
  const sandboxHost = createInlineSandboxHost(systemClock, machine)
  const options = { policy, engines: ENGINES, effects: [], diskBytes: 64 * MIB, sandboxIdleMs: 30_000, places: 64 }
  const privately = { admission: 'private', independence: 'peer' } as const
  const peer = await createPeer(
    { ...ports, sandboxHost },
    { mesh: mesh ?? foundMesh(ports, 'tcp', privately), ...options },
  )
  await peer.start()
  onTestFinished(() => peer.stop())
  return { peer, peerId: peer.peerId, address: peer.addresses()[0] as string, events }
}

const silent: Log = { event: () => {} }

/** A key with the credentials of a member, or of nobody, played by the test. */
const scripted = async (host: Peer, genesis: MeshState['genesis'], isMember: boolean, signer = newSigner()) => {
  const ports = await portsOn(LOOPBACK, silent, signer)
  await ports.network.start()
  onTestFinished(() => ports.network.stop())
  const invited = async () => learnMesh(ports, await readInvitation(ports, await host.invite(60_000)))
  const mesh = isMember ? await invited() : { genesis, chain: [] }
  return new ScriptedPeer(here, ports, ports.network.peerId, mesh)
}

/** Learnt as a joiner does. */
const memberOf = async (host: Peer, signer: Signer): Promise<MeshState> => {
  const ports = await portsOn([], silent, signer)
  await ports.network.start()
  try {
    return await learnMesh(ports, await readInvitation(ports, await host.invite(60_000)))
  } finally {
    await ports.network.stop()
  }
}

const scene = async (policy: Partial<OwnerPolicy> = {}) => {
  const host = await started({ ...LENDS, ...policy })
  const signer = newSigner()
  const mesh = await memberOf(host.peer, signer)
  const caller = await started(LENDS_NOTHING, { mesh, signer })
  await caller.peer.join(host.address)
  const published = await publish(caller as never, DOUBLE)
  await publish(host as never, DOUBLE)
  const stillServes = async () => {
    expect(returned(await caller.peer.call(requestOf(published, 4)))).toBe(8)
    expect(host.events.filter(({ name }) => name === 'internal.error')).toEqual([])
  }
  return { host, caller, published, genesis: mesh.genesis, stillServes }
}

test('a stranger sends every frame at every stage, and gets nothing but a goodbye', async () => {
  const { host, caller, published, genesis, stillServes } = await scene()
  const guest = await scripted(host.peer, genesis, false)
  const { peerId, address } = host
  const heard = await new Uninvited(guest, { peerId, address, published, member: caller.peerId }, 3).attack()
  await sleep(200)
  for (const { to, types } of heard) {
    const expected = to.includes('block frame') ? [] : ['hello', 'bye']
    expect([to, types.filter((t) => !expected.includes(t))]).toEqual([to, []])
  }
  expect(heard.length).toBeGreaterThan(100)
  expect(host.peer.status()).toMatchObject({ running: [], today: { tasks: 0 } })
  expect(host.peer.status().neighbours.map(({ peer }) => peer)).toEqual([caller.peerId])
  expect(host.peer.mesh().revoked.map(({ peer }) => peer)).toEqual([])
  await stillServes()
})

test('one key with two connections loses both when it is revoked, and what it has open on either', async () => {
  const { host, published, genesis, stillServes } = await scene()
  const signer = newSigner()
  const first = await scripted(host.peer, genesis, true, signer)
  await first.dial(host)
  first.send(first.hello())
  first.send({ t: 'welcome', chain: [] })
  await eventually(() => expect(host.peer.status().neighbours.map(({ peer }) => peer)).toContain(first.peerId))
  const second = await scripted(host.peer, genesis, false, signer)
  await second.ports.network.connect(host.address)
  const ends: string[] = []
  let frames = 0
  for (const one of [first, second]) {
    const options = { frameBytesMax: FRAME_BYTES_MAX }
    const blocks = await one.ports.network.open(host.peerId, BLOCKS_PROTOCOL, options)
    blocks.receive({ frame: () => void frames++, closed: (reason) => void ends.push(reason) })
    const before = frames
    blocks.send(BlockFrame.encode({ t: 'want', cids: [published.cid], send: true }))
    await eventually(() => expect(frames).toBeGreaterThan(before))
  }
  await host.peer.revoke(first.peerId)
  await eventually(() => expect(ends).toHaveLength(2))
  expect(first.all('bye').map(({ code }) => code)).toEqual(['E_NOT_ADMITTED'])
  await second.dial(host)
  second.send(first.hello())
  await eventually(() => expect(second.all('bye').map(({ code }) => code)).toEqual(['E_NOT_ADMITTED']))
  await stillServes()
})

test('a member gets no more at once than the owner lends one peer', async () => {
  const { host, published, genesis, stillServes } = await scene({ quota: { ...QUOTA_DEFAULT, items: 2 } })
  const guest = await scripted(host.peer, genesis, true)
  await guest.join(host)
  guest.send(await guest.invoke(published, Array(200).fill(1)))
  await eventually(() => expect(guest.all('refused').map(({ code }) => code)).toEqual(['E_QUOTA']))
  guest.send(await guest.invoke(published, [1, 2]))
  await eventually(() => expect(guest.all('answers').flatMap(({ items }) => items)).toHaveLength(2))
  await stillServes()
})

test('a member whom the owner denies is refused, whoever dials', async () => {
  const signer = newSigner()
  const denied = peerIdFromPublicKey(signer.publicKey)
  const { host, genesis } = await scene({ deny: [denied] })
  const guest = await scripted(host.peer, genesis, false, signer)
  await guest.dial(host)
  guest.send(guest.hello({ credential: { by: 'none' } }))
  await eventually(() => expect(guest.all('bye').map(({ code }) => code)).toEqual(['E_NOT_ACCEPTED']))
  const accept = (channel: Channel) => {
    guest.hear(channel)
    guest.send(guest.hello({ credential: { by: 'none' } }))
  }
  guest.ports.network.handle(PEER_PROTOCOL, accept, { frameBytesMax: FRAME_BYTES_MAX })
  const dialling = host.peer.join(guest.ports.network.addresses()[0] as string)
  await expect(dialling).rejects.toMatchObject({ code: 'E_NOT_ACCEPTED' })
})
