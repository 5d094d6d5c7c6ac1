import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { withFrames } from '../simulations/channels.ts'
import { World, type WorldPeer } from '../simulations/world.ts'

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((neighbour) => neighbour.peer)
const others = (world: World, of: WorldPeer) =>
  world.peers
    .filter((one) => one !== of)
    .map(({ peerId }) => peerId)
    .sort()
const eventsOf = ({ events }: WorldPeer, name: string) => events.filter((event) => event.name === name)

describe('peers that know one address', () => {
  test.each(['one after another', 'all at once'])('meet all the others when they join %s', async (how) => {
    const world = await worldFor(how, { peers: 1 })
    const [first] = world.peers as [WorldPeer]
    for (let i = 0; i < 5; i++) await world.add()
    const joiners = world.peers.slice(1)
    if (how === 'all at once') await world.until(Promise.all(joiners.map(({ peer }) => peer.join(first.address))))
    else for (const { peer } of joiners) await world.until(peer.join(first.address))
    await world.clock.advance(1000)
    for (const one of world.peers) expect(neighboursOf(one).sort()).toEqual(others(world, one))
  })

  test('try the other addresses of a peer when its first is dead', async () => {
    const world = await worldFor('addresses', { peers: 2 })
    const [first, second] = world.peers as [WorldPeer, WorldPeer]
    const guide = await scriptedPeer(world)
    await guide.join(first)
    const hidden = await world.add()
    const shown = new ScriptedPeer(world, hidden.ports, hidden.peerId, await world.membershipOf(hidden.peerId))
    const elsewhere = await shown.advertisement({
      addresses: [`/memory/nobody/p2p/${hidden.peerId}`, hidden.address],
    })
    await guide.say({ t: 'peers', signed: [elsewhere.signed] })
    await world.clock.advance(1000)
    expect(neighboursOf(first)).toContain(hidden.peerId)
    expect(neighboursOf(second)).toContain(first.peerId)
  })
})

test('neighbours are asked for their round trips one after another, each once in 15 s', async () => {
  const asked: { peer: string; atMs: number }[] = []
  const listened = (ports: Ports): Ports =>
    withFrames(ports, {
      sent: (frame, peer) => {
        if (frame.t === 'ping') asked.push({ peer, atMs: ports.clock.monotonic() })
        return [frame]
      },
    })
  const world = await worldFor('pings', { peers: 6, setup: (i) => (i === 0 ? { ports: listened } : {}) })
  await world.clock.advance(20_000)
  asked.length = 0
  await world.clock.advance(30_000)
  const [first] = world.peers as [WorldPeer]
  expect(asked.map(({ peer }) => peer).sort()).toEqual([...others(world, first), ...others(world, first)].sort())
  const gapsMs = asked.slice(1).map(({ atMs }, k) => atMs - asked[k]!.atMs)
  for (const ms of gapsMs) expect(ms).toBeCloseTo(15_000 / 5, -1)
})

/** Two peers that dial each other, the second `gapMs` after the first; how it stands a while later. */
const dialEachOther = async (seed: number, gapMs: number, thereMs: number, backMs: number) => {
  const world = new World({ machine, seed, peers: 0, latencyMs: (from, to) => (from < to ? thereMs : backMs) })
  const [a, b] = [await world.add(), await world.add()]
  const joining = [a.peer.join(b.address)]
  await world.clock.advance(gapMs)
  joining.push(b.peer.join(a.address))
  const joined = await world.until(Promise.allSettled(joining))
  await world.clock.advance(5000)
  const lost = () => [a, b].map((one) => eventsOf(one, 'peer.left').length)
  const before = lost()
  await world.clock.advance(60_000)
  const stood = {
    joined,
    neighbours: [neighboursOf(a), neighboursOf(b)],
    lostLater: lost().map((n, i) => n - before[i]!),
  }
  const double = await publish(a, 'export default (x) => 2 * x')
  const answer = await world.until(a.peer.call(requestOf(double, 21)))
  await world.stop()
  return { ...stood, ids: [[b.peerId], [a.peerId]], answer: returned(answer) }
}

test('two that dial each other at the same time keep one link, the same on both sides', async () => {
  const ms = fc.integer({ min: 0, max: 60 })
  const property = fc.asyncProperty(fc.nat(1e6), ms, ms, ms, async (seed, gapMs, thereMs, backMs) => {
    const stands = await dialEachOther(seed, gapMs, thereMs, backMs)
    expect(stands.joined.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(stands.neighbours).toEqual(stands.ids)
    expect(stands.lostLater).toEqual([0, 0])
    expect(stands.answer).toBe(42)
  })
  await checkProperty('simultaneous', property, { runs: 25 })
})

test('a lost connection is dialled again', async () => {
  const world = await worldFor('redial', { peers: 2 })
  const [a, b] = world.peers as [WorldPeer, WorldPeer]
  for (let i = 0; i < 3; i++) {
    await world.until(a.ports.network.disconnect(b.peerId))
    await world.clock.advance(0)
    expect([neighboursOf(a), neighboursOf(b)]).toEqual([[], []])
    await world.clock.advance(1500)
    expect([neighboursOf(a), neighboursOf(b)]).toEqual([[b.peerId], [a.peerId]])
  }
})

test('the address that the owner named is dialled for ever, learnt ones are given up', async () => {
  const world = await worldFor('given up', { peers: 3 })
  const [first, , last] = world.peers as [WorldPeer, WorldPeer, WorldPeer]
  world.kill(first)
  await world.clock.advance(10 * 60_000)
  const dials: string[] = []
  const { network } = last.ports
  const connect = network.connect.bind(network)
  network.connect = (address, signal) => {
    dials.push(address)
    return connect(address, signal)
  }
  await world.clock.advance(5 * 60_000)
  expect(dials.length).toBeGreaterThanOrEqual(4)
  expect(new Set(dials)).toEqual(new Set([first.address]))
})

const join = async (world: World, to: WorldPeer): Promise<ScriptedPeer> => (await scriptedPeer(world)).join(to)

test(`at most ${NEIGHBOURS_MAX} neighbours; the next is told so, and one that is known may come again`, async () => {
  const world = await worldFor('cap', { peers: 1 })
  const [host] = world.peers as [WorldPeer]
  const guests: ScriptedPeer[] = []
  for (let i = 0; i < NEIGHBOURS_MAX; i++) guests.push(await join(world, host))
  const late = await join(world, host)
  expect(late.all('bye')).toMatchObject([{ code: 'E_BUSY' }])
  expect(neighboursOf(host)).toHaveLength(NEIGHBOURS_MAX)
  const known = guests[7]!
  await known.join(host)
  expect(known.heard.at(-1)?.t).not.toBe('bye')
  expect(neighboursOf(host)).toHaveLength(NEIGHBOURS_MAX)
  guests[3]!.hangUp()
  await world.clock.advance(0)
  await (await join(world, host)).next('advertise')
  expect(neighboursOf(host)).toHaveLength(NEIGHBOURS_MAX)
})

test('as many at once as there are: the table stays within its size', async () => {
  const world = await worldFor('rush', { peers: 1 })
  const [host] = world.peers as [WorldPeer]
  const guests = await Promise.all(Array.from({ length: NEIGHBOURS_MAX + 10 }, () => scriptedPeer(world)))
  for (const guest of guests) await guest.dial(host)
  for (const guest of guests) await guest.say(guest.hello())
  for (const guest of guests) await guest.say({ t: 'welcome', chain: [] })
  expect(neighboursOf(host)).toHaveLength(NEIGHBOURS_MAX)
  expect(guests.filter((guest) => guest.closed !== undefined)).toHaveLength(10)
})

describe('hearsay', () => {
  /** Advertisements of peers that were made up on the spot. */
  const madeUp = (world: World, count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const { signed } = await (await scriptedPeer(world, { stranger: true })).advertisement({ slots: 8, free: 8 })
        return signed
      }),
    )

  test('a liar cannot fill the table of advertisements: neighbours still count', async () => {
    const world = await worldFor('poison', { peers: 1, setup: () => ({ policy: { slots: 0 } }) })
    const [host] = world.peers as [WorldPeer]
    const liar = await join(world, host)
    await liar.say({ t: 'peers', signed: await madeUp(world, NEIGHBOURS_MAX) })
    const honest = await world.add()
    await world.until(honest.peer.join(host.address))
    await world.clock.advance(100)
    expect(host.peer.status().neighbours).toContainEqual(expect.objectContaining({ peer: honest.peerId, slots: 2 }))
    const double = await publish(host, 'export default (x) => 2 * x')
    expect(returned(await world.until(host.peer.call(requestOf(double, 4))))).toBe(8)
  })

  test('is told once, and by members only', async () => {
    const world = await worldFor('twice', { peers: 1, setup: () => ({ policy: { accept: ['anyone'] } }) })
    const [host] = world.peers as [WorldPeer]
    const connects: string[] = []
    const { network } = host.ports
    network.connect = async (address) => {
      connects.push(address)
      throw new Error('not now')
    }
    const stranger = await scriptedPeer(world, { stranger: true })
    await stranger.join(host)
    await stranger.say({ t: 'peers', signed: await madeUp(world, 5) })
    expect(connects).toEqual([])
    const member = await join(world, host)
    await member.say({ t: 'peers', signed: await madeUp(world, NEIGHBOURS_MAX) })
    expect(connects.length).toBeLessThanOrEqual(NEIGHBOURS_MAX)
    expect(connects.length).toBeGreaterThan(0)
    await member.say({ t: 'peers', signed: [] })
    expect(member.all('bye')).toMatchObject([{ code: 'E_MESSAGE' }])
  })

  test('however many liars tell of however many peers, few are dialled at a time', async () => {
    const world = await worldFor('liars', { peers: 1 })
    const [host] = world.peers as [WorldPeer]
    let dials = 0
    host.ports.network.connect = async () => {
      dials++
      throw new MeshError('E_UNREACHABLE', 'nobody there')
    }
    const before = world.clock.pending
    for (let i = 0; i < 10; i++) {
      const liar = await join(world, host)
      await liar.say({ t: 'peers', signed: await madeUp(world, NEIGHBOURS_MAX) })
      liar.hangUp()
    }
    expect(world.clock.pending - before).toBeLessThan(2 * NEIGHBOURS_MAX)
    const atOnce = dials
    await world.clock.advance(120_000)
    expect(dials - atOnce).toBeLessThan(10 * NEIGHBOURS_MAX)
    expect(world.clock.pending - before).toBeLessThan(20)
  })

  test('what is not signed by whom it names is not believed', async () => {
    const world = await worldFor('false', { peers: 1 })
    const [host] = world.peers as [WorldPeer]
    const [member, other] = [await join(world, host), await join(world, host)]
    const { signed } = await other.advertisement({ slots: 99, free: 99 })
    await member.say({ t: 'advertise', signed })
    await member.say({ t: 'advertise', signed: { ...signed, signer: member.peerId } })
    expect(host.peer.status().neighbours.map(({ slots }) => slots)).toEqual([0, 0])
    await other.say({ t: 'advertise', signed })
    expect(host.peer.status().neighbours.map(({ slots }) => slots)).toEqual([0, 99])
  })
})

test('round trips are measured', async () => {
  const world = await worldFor('pings', { peers: 2, latencyMs: () => 25 })
  const [a] = world.peers as [WorldPeer]
  await world.clock.advance(60_000)
  expect(a.peer.status().neighbours[0]?.round_trip_ms).toBe(50)
})
