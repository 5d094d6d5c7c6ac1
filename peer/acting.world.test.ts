/** Items that a home sends for a caller: executors admit and count them as that one's, by what it has signed. */
import { describe, expect, test } from 'vitest'
import { recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import { Delegation } from '../protocol/delegation.ts'
import type { EffectKind } from '../protocol/effects.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Value } from '../protocol/values.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { joinBy, machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { QUOTA_DEFAULT } from './admission.ts'
import { codesOf, hostAnd, join, running } from './attacked-host.ts'
import { remoteHomesOf } from './remote-homes.ts'

const CODE = `export default async (ms, env, ctx) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
}`
const ABOUT = { effects: ['sleep'] as EffectKind[] }
const HOUR_MS = 3_600_000
const STRANGER = '12D3KooWGRUTJzuDLSFYCzVTR4UXDrQbDBxwLBrTaH6eMLTm9f2c'

const answeredFor = ({ events }: WorldPeer): unknown[] =>
  events.flatMap(({ name, fields }) => (name === 'task.answered' ? [fields.peer] : []))

/** A home that lends nothing, a caller that it has let in, and what both ask for. */
const scene = async (name: string) => {
  const world = await worldFor(name, { peers: 1, setup: () => ({ policy: { slots: 0 } }) })
  const home = world.peers[0] as WorldPeer
  const caller = await joinBy(world, home, { policy: { slots: 0 } })
  const published = await publish(caller, CODE, ABOUT)
  const homes = remoteHomesOf(caller.ports, caller.peer)
  const request = (ms: Value) =>
    requestOf(published, ms, { level: { level: 'quorum', n: 2 }, timeoutMs: HOUR_MS, remote: true })
  const started = async (ms: Value) => world.until(homes.start(request(ms)))
  return { world, home, caller, homes, request, started }
}

test('an executor takes what its owner takes of the caller, and not what it takes of the home', async () => {
  const { world, home, caller, homes, request, started } = await scene('admitted')
  for (const accept of [home, caller, home, caller])
    await joinBy(world, home, { policy: { accept: [accept.peerId], slots: 2 } })
  const [ofHome, ofCaller] = [0, 1].map((kind) => world.peers.slice(2).filter((_, i) => i % 2 === kind))
  const id = await started(1000)
  expect(await world.until(homes.wait(id))).toMatchObject({ state: 'done' })
  expect(ofCaller?.flatMap(answeredFor)).toEqual([caller.peerId, caller.peerId])
  expect(ofHome?.flatMap(answeredFor)).toEqual([])
  const own = await world.until(home.peer.call(request(1)))
  expect(returned(own)).toBe(1)
  expect(ofHome?.flatMap(answeredFor)).toEqual([home.peerId, home.peerId])
  expect(ofCaller?.flatMap(answeredFor)).toHaveLength(2)
})

test('what a caller has under way is counted as its own, and leaves room for its home', async () => {
  const { world, home, caller, request, started } = await scene('counted')
  const quota = { ...QUOTA_DEFAULT, items: 1 }
  const executors = [
    await joinBy(world, home, { policy: { accept: ['mesh'], slots: 4, quota } }),
    await joinBy(world, home, { policy: { accept: ['mesh'], slots: 4, quota } }),
  ]
  await started(600_000)
  await started(600_000)
  await world.clock.advance(5000)
  // At a quorum the second is drawn once the first has ended: one runs at each, and each is full for this caller.
  for (const { peer } of executors) expect(peer.status().running.map((one) => one.peer)).toEqual([caller.peerId])
  expect(returned(await world.until(home.peer.call(request(1))))).toBe(1)
  await started(1)
  await world.clock.advance(5000)
  const refused = executors.flatMap(({ peer }) => peer.status().last_refusal ?? [])
  expect(refused).not.toEqual([])
  for (const one of refused) expect(one).toMatchObject({ peer: caller.peerId, code: 'E_QUOTA' })
})

/** By which `signer` lets `home` run what `frame` asks for. */
const delegationOf = async (
  { clock, peers: [first] }: World,
  frame: FrameOf<'invoke'>,
  home: string,
  { network, signer }: Pick<Ports, 'network' | 'signer'>,
  more: object = {},
): Promise<Envelope> => {
  const payload = Delegation.encode({
    ...{ v: 1, mesh: (first as WorldPeer).peer.meshId, home, function: frame.task.function, effects: [], in: [] },
    ...{ fuel: frame.task.environment.limits.fuel, not_before_ms: clock.now(), expires_ms: clock.now() + HOUR_MS },
    ...{ nonce: new Uint8Array(16), ...more },
  })
  const [signed] = await signBatch(machine.crypto, signer, network.peerId, 'delegation', [payload])
  return signed as Envelope
}

test('whom only its home knows is counted as that: new keys are no new quota', async () => {
  const quota = { ...QUOTA_DEFAULT, items: 1 }
  const { world, host, caller, double } = await hostAnd('new keys', { delayMs: 60_000, policy: { quota } })
  const home = await join(world, host)
  let asked = 0
  const ask = async (ports: Pick<Ports, 'network' | 'signer'>) => {
    const frame = await home.invoke(double, [1])
    const items = frame.items.map((item) => ({ ...item, id: ++asked }))
    await home.say({ ...frame, items, delegation: await delegationOf(world, frame, home.peerId, ports) })
    await world.clock.advance(1000)
    return host.peer.status().running.map(({ peer }) => peer)
  }
  expect(await ask((await scriptedPeer(world)).ports)).toEqual([home.peerId])
  expect(await ask((await scriptedPeer(world)).ports)).toEqual([home.peerId])
  expect(home.all('refused')).toMatchObject([{ code: 'E_QUOTA' }])
  // The host knows this one.
  expect(await ask(caller.ports)).toEqual([home.peerId, caller.peerId])
})

describe('a delegation beside items', () => {
  const shown = async (name: string, change: (signed: Envelope) => Envelope, more: object = {}) => {
    const { world, host, double, stillServes } = await hostAnd(name)
    const peer = await join(world, host)
    const caller = world.peers[1] as WorldPeer
    const frame = await peer.invoke(double, [1])
    const signed = await delegationOf(world, frame, peer.peerId, caller.ports, more)
    await peer.say({ ...frame, delegation: change(signed) })
    await world.clock.advance(1000)
    return { peer, host, caller, stillServes }
  }
  const other = recordCid(machine.crypto, encodeCanonical('other'))

  test('that holds: they are run for its signer', async () => {
    const { peer, host, caller, stillServes } = await shown('holds', (signed) => signed)
    expect(peer.all('answers')).toHaveLength(1)
    expect(answeredFor(host)).toContain(caller.peerId)
    await stillServes()
  })

  test.each<[string, object]>([
    ['of another mesh', { mesh: other }],
    ['for another home', { home: STRANGER }],
    ['for another function', { function: other }],
    ['for less fuel', { fuel: 1 }],
    ['that has expired', { not_before_ms: 0, expires_ms: 1 }],
    ['for too long', { expires_ms: Date.UTC(2030, 0, 1) }],
  ])('%s: they are refused, and not run as the home’s', async (name, more) => {
    const { peer, host, caller, stillServes } = await shown(name, (signed) => signed, more)
    expect(peer.all('refused')).toMatchObject([{ code: 'E_NOT_ACCEPTED' }])
    expect(peer.all('answers')).toEqual([])
    expect(host.peer.status().last_refusal).toMatchObject({ peer: caller.peerId })
    await stillServes()
  })

  test.each<[string, (signed: Envelope) => Envelope]>([
    [
      'that was changed',
      (signed) => ({ ...signed, payload: signed.payload.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }),
    ],
    ['in the name of another', (signed) => ({ ...signed, signer: STRANGER })],
  ])('%s: the link is closed, and nothing is run', async (name, change) => {
    const { peer, host, stillServes } = await shown(name, change)
    expect(['E_SIGNATURE', 'E_MESSAGE']).toContain(codesOf(peer)[0])
    expect(peer.closed).toBeDefined()
    expect([running(host), peer.all('answers')]).toEqual([0, []])
    await stillServes()
  })
})
