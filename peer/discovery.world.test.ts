/** Peers find each other where nobody gave an address, and come back where the one that was given is no more. */
import { describe, expect, test } from 'vitest'
import { rawCid } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Directory } from '../protocol/ports.ts'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { DirectoryHub } from '../simulations/directory.ts'
import { Lan } from '../simulations/lan.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { foundMesh } from './join.ts'
import { ProviderRounds } from './provider-rounds.ts'

const DOUBLE = 'export default (n) => 2 * n'

const neighboursOf = ({ peer }: WorldPeer) => peer.status().neighbours.map((one) => one.peer)

/** What `from` gets by a call that it must have answered by another. */
const called = async (world: World, from: WorldPeer): Promise<unknown> =>
  returned(await world.until(from.peer.call(requestOf(await publish(from, DOUBLE), 21))))

/** The same machine, with its key and what it kept, started again. */
const restarted = async (world: World, before: WorldPeer): Promise<WorldPeer> => {
  const { peerId, ports } = before
  await world.until(before.peer.stop())
  return world.add({}, { ...before, ports: { ...ports, network: world.hub.join(peerId, { log: ports.log }) } })
}

/** Storage that is not closed with its peer. */
const onDisk = ({ ports }: { ports: WorldPeer['ports'] }) => {
  ports.storage.close = async () => {}
}

describe('on a local network', () => {
  test('members find each other without any address, and work for each other', async () => {
    const lan = new Lan()
    const world = await worldFor('lan', { peers: 0 })
    for (let i = 0; i < 3; i++) await world.add({ vicinity: lan.join() })
    await world.clock.advance(1000)
    for (const one of world.peers) expect(neighboursOf(one)).toHaveLength(2)
    expect(await called(world, world.peers[2] as WorldPeer)).toBe(42)
  })

  test('peers of another mesh are not seen', async () => {
    const lan = new Lan()
    const world = await worldFor('other mesh', { peers: 0 })
    const setup: PeerSetup = { vicinity: lan.join() }
    const member = await world.add(setup)
    const machine = world.machine({ vicinity: lan.join() })
    const mesh = foundMesh(machine.ports, 'other', { admission: 'private', independence: 'peer' })
    const other = await world.add({ mesh }, machine)
    await world.clock.advance(1000)
    expect([neighboursOf(member), neighboursOf(other)]).toEqual([[], []])
    expect([...member.events, ...other.events]).toEqual([])
  })
})

describe('without the peer by which they joined', () => {
  test('a mesh stays up, and members go on working for each other', async () => {
    const world = await worldFor('up', { peers: 4 })
    const [bootstrap, ...others] = world.peers as [WorldPeer, ...WorldPeer[]]
    world.kill(bootstrap)
    await world.clock.advance(5 * 60_000)
    for (const one of others) expect(neighboursOf(one)).toHaveLength(2)
    expect(await called(world, others[0] as WorldPeer)).toBe(42)
  })

  test('a member that is started again comes back through others', async () => {
    const world = await worldFor('back', { peers: 4 })
    const [bootstrap, second] = world.peers as [WorldPeer, WorldPeer]
    onDisk(second)
    world.kill(bootstrap)
    const back = await restarted(world, second)
    await world.clock.advance(2000)
    expect(neighboursOf(back)).toHaveLength(2)
    expect(await called(world, back)).toBe(42)
  })

  test('so it does when everybody was away for an hour, and those it dials first stay away', async () => {
    const world = await worldFor('away', { peers: 14 })
    const second = world.peers[1] as WorldPeer
    onDisk(second)
    await world.until(second.peer.stop())
    const [found, ...gone] = world.peers.filter((one) => one !== second) as [WorldPeer, ...WorldPeer[]]
    for (const one of gone) world.kill(one)
    await world.clock.advance(60 * 60_000)
    const back = await restarted(world, second)
    await world.clock.advance(60_000)
    expect(neighboursOf(back)).toEqual([found.peerId])
  })
})

describe('a newcomer that knows one address', () => {
  const apart = (from: string, to: string) => 10 + ((from.charCodeAt(20) * 31 + to.charCodeAt(20) * 17) % 90)

  test('has answered each of 20 others within 2 s, 10 to 100 ms away from them', async () => {
    const world = await worldFor('newcomer', { peers: 20, latencyMs: apart, setup: () => ({ policy: { slots: 0 } }) })
    const published = await Promise.all(world.peers.map((one) => publish(one, DOUBLE)))
    const others = [...world.peers]
    const newcomer = await world.add()
    const startMs = world.clock.monotonic()
    const answeredMs = new Map<string, number>()
    const callUntilAnswered = async (from: WorldPeer, i: number) => {
      while (!answeredMs.has(from.peerId)) {
        const request = requestOf(published[i] as (typeof published)[0], i)
        const answer = await from.peer.call(request).catch(() => undefined)
        if (answer) answeredMs.set(from.peerId, world.clock.monotonic() - startMs)
        else await new Promise<void>((resolve) => world.clock.after(10, resolve))
      }
    }
    newcomer.peer.join((world.peers[0] as WorldPeer).address)
    await world.until(Promise.all(others.map(callUntilAnswered)))
    expect(Math.max(...answeredMs.values())).toBeLessThanOrEqual(2000)
  })
})

describe('the directory', () => {
  /** Peers that know nobody but the first, who tells of nobody: it does not carry the directory, and does not lend. */
  const strangersTo = async (name: string, peers: number) => {
    const world = await worldFor(name, { peers: 0 })
    const hub = new DirectoryHub(world.clock, 200)
    for (let i = 0; i < peers; i++) await world.add({ directory: hub })
    return { world, hub }
  }

  test('is open to members alone, while they are: not to the refused, the denied, the revoked, and whose time is over', async () => {
    const world = await worldFor('gate', { peers: 0 })
    const hub = new DirectoryHub(world.clock)
    const [denied, brief] = [world.machine(), world.machine()]
    const keeper = await world.add({ directory: hub, policy: { deny: [denied.peerId], accept: ['anyone'] } })
    const member = await world.add()
    const passing = await world.add({ mesh: await world.membershipOf(brief.peerId, 60_000) }, brief)
    const shunned = await world.add({}, denied)
    const stranger = await scriptedPeer(world, { stranger: true })
    for (const one of [member, passing]) await world.until(one.peer.join(keeper.address))
    await world.until(shunned.peer.join(keeper.address).catch(() => {}))
    await stranger.join(keeper)
    await world.clock.advance(5000)
    const isLetIn = ({ peerId }: { peerId: string }) => hub.gates.get(keeper.peerId)?.isMember(peerId)
    expect([member, passing, shunned, stranger].map(isLetIn)).toEqual([true, true, false, false])
    await world.clock.advance(60_000)
    expect([member, passing].map(isLetIn)).toEqual([true, false])
    await world.until(keeper.peer.revoke(member.peerId))
    expect(isLetIn(member)).toBe(false)
  })

  test('brings together members that share one neighbour, in the background', async () => {
    const { world, hub } = await strangersTo('shared', 2)
    const [first, second] = world.peers as [WorldPeer, WorldPeer]
    const [guide] = [await scriptedPeer(world)]
    await guide.join(first)
    const other = await scriptedPeer(world)
    await other.join(second)
    await world.clock.advance(60_000)
    expect(neighboursOf(first)).toContain(second.peerId)
    expect(hub.asked.some(({ by, what }) => by === first.peerId && what === 'provide')).toBe(true)
  })

  test('is told nothing by who lends nothing, or has paused', async () => {
    const world = await worldFor('lends nothing', { peers: 0 })
    const hub = new DirectoryHub(world.clock)
    const idle = await world.add({ directory: hub, policy: { slots: 0 } })
    const paused = await world.add({ directory: hub })
    paused.peer.pause()
    await world.until(idle.peer.join(paused.address))
    await world.clock.advance(20 * 60_000)
    expect(hub.asked.filter(({ what }) => what === 'provide')).toEqual([])
  })

  test('is asked seldom once nobody new is found', async () => {
    const { world, hub } = await strangersTo('quiet', 3)
    const [first, ...others] = world.peers as [WorldPeer, ...WorldPeer[]]
    await world.until(Promise.all(others.map(({ peer }) => peer.join(first.address))))
    await world.clock.advance(20 * 60_000)
    hub.asked.length = 0
    await world.clock.advance(60 * 60_000)
    const finds = hub.asked.filter(({ by, what }) => by === first.peerId && what === 'find').length
    // Each round of providing looks at two keys, each look at two.
    expect(finds).toBeLessThanOrEqual((60 / 4.5) * 2 + (60 / 10) * 2)
  })

  test('spreads a crowd over shards: no key has 256 providers, each peer has its key, and many are found', async () => {
    const world = await worldFor('crowd', { peers: 0 })
    const hub = new DirectoryHub(world.clock)
    const { ports } = world.machine()
    const mesh = rawCid(ports.crypto, Uint8Array.of(1))
    const rounds = Array.from({ length: 600 }, (_, i) => {
      const directory = hub.join(() => ({ peer: `peer ${i}`, addresses: [] }))
      const network = { ...ports.network, peerId: `peer ${i}` }
      return new ProviderRounds({ ...ports, network }, mesh, directory, () => ({ capability: 'engine', cell: '' }))
    })
    rounds.forEach((one, i) => void world.clock.after(200 * i, () => one.start()))
    await world.clock.advance(30 * 60_000)
    expect(Math.max(...hub.crowds)).toBeLessThan(128)
    expect(hub.crowds.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(600)
    const told: string[] = []
    const one = rounds[0] as ProviderRounds
    const found = await world.until(one.find('engine', '', 64, ({ peer }) => void told.push(peer)))
    expect(found.size).toBeGreaterThanOrEqual(64)
    expect(told).toEqual([...found.keys()])
    hub.asked.length = 0
    await world.clock.advance(5.5 * 60_000)
    // Each begins one level above the key that was its own: all would ask for the first one else.
    expect(hub.asked.filter(({ what }) => what === 'find').length).toBeLessThan(2.6 * 600 * (5.5 / 4.5))
    for (const one of rounds) one.stop()
  })
})

test('a walk that is cut short has found what it had found, and that was told of at once', async () => {
  const world = await worldFor('cut short', { peers: 0 })
  const { ports } = world.machine()
  const directory: Directory = {
    ...{ start: async () => {}, add: () => {}, provide: async () => {}, stop: async () => {} },
    async *find(_, signal) {
      yield { peer: 'first', addresses: [] }
      await new Promise((_, reject) => signal.addEventListener('abort', reject))
    },
  }
  const mesh = rawCid(ports.crypto, Uint8Array.of(1))
  const rounds = new ProviderRounds(ports, mesh, directory, () => ({ capability: undefined, cell: '' }))
  const told: string[] = []
  const found = rounds.find('engine', '', 64, ({ peer }) => void told.push(peer))
  await world.clock.advance(1)
  expect(told).toEqual(['first'])
  expect([...(await world.until(found)).keys()]).toEqual(['first'])
})

describe('a look-up', () => {
  test('lets a peer that nobody can dial meet who came after it', async () => {
    const world = await worldFor('asks', { peers: 2 })
    const [first] = world.peers as [WorldPeer]
    const caller = await world.add({ policy: { slots: 0 } })
    caller.ports.network.addresses = () => []
    await world.until(caller.peer.join(first.address))
    await world.clock.advance(1000)
    const late = await world.add()
    await world.until(late.peer.join(first.address))
    await world.clock.advance(60_000)
    expect(neighboursOf(caller)).toContain(late.peerId)
  })

  test('is answered with members that lend, and no oftener than one asks in earnest', async () => {
    const world = await worldFor('answers', { peers: 3 })
    const [first] = world.peers as [WorldPeer]
    const asker = await scriptedPeer(world)
    await asker.join(first)
    const ask = async (id: number, capability = ENGINE_ID) => {
      await asker.say({ t: 'lookup', id, capability, cell: '' })
      return asker.next('found')
    }
    const { peers, wait_ms } = await ask(1)
    expect(peers.map(({ peer }) => peer).sort()).toEqual(
      world.peers
        .slice(1)
        .map(({ peerId }) => peerId)
        .sort(),
    )
    expect(wait_ms).toBe(0)
    expect((await ask(2, 'another engine')).peers).toEqual([])
    const answers = []
    for (let id = 3; id < 403; id++) answers.push(await ask(id))
    expect(answers.filter(({ peers }) => peers.length > 0).length).toBeLessThan(10)
    expect(answers.at(-1)).toMatchObject({ peers: [], wait_ms: 15_000 })
  })

  test('is not answered to a key that was not admitted, and a forged answer leads nowhere', async () => {
    const world = await worldFor('forged', { peers: 1, setup: () => ({ policy: { accept: ['anyone'] } }) })
    const [first] = world.peers as [WorldPeer]
    const stranger = await scriptedPeer(world, { stranger: true })
    await stranger.join(first)
    await stranger.say({ t: 'lookup', id: 1, capability: ENGINE_ID, cell: '' })
    await world.clock.advance(5000)
    expect(stranger.all('found')).toEqual([])
    const liar = await scriptedPeer(world)
    await liar.join(first)
    const victim = await scriptedPeer(world)
    await liar.say({
      t: 'found',
      id: 9,
      peers: [{ peer: victim.peerId, addresses: victim.ports.network.addresses() }],
      wait_ms: 0,
    })
    await world.clock.advance(1000)
    expect(first.events.filter(({ fields }) => fields.peer === victim.peerId)).toEqual([])
  })
})

describe('a peer that can dial and not be dialled', () => {
  test('is callable by one who comes later, over the connection that it is asked to open', async () => {
    const world = await worldFor('nat', { peers: 1, setup: () => ({ policy: { slots: 0 } }) })
    const [first] = world.peers as [WorldPeer]
    const inside = await world.add()
    await world.until(inside.peer.join(first.address))
    const later = await world.add({ policy: { slots: 0 } })
    // Behind NAT: what is dialled there by others does not arrive.
    const { connect } = later.ports.network
    later.ports.network.connect = (address, signal) => {
      if (address.endsWith(inside.peerId)) return Promise.reject(new MeshError('E_UNREACHABLE', 'no way'))
      return connect.call(later.ports.network, address, signal)
    }
    await world.until(later.peer.join(first.address))
    await world.clock.advance(1000)
    expect(neighboursOf(later)).toContain(inside.peerId)
    expect(await called(world, later)).toBe(42)
  })

  test('is not made to dial by a flood of requests', async () => {
    const world = await worldFor('reach flood', { peers: 2 })
    const [first, second] = world.peers as [WorldPeer, WorldPeer]
    const flood = await scriptedPeer(world)
    await flood.join(first)
    const target = await scriptedPeer(world)
    await target.join(first)
    for (let i = 0; i < 6400; i++) flood.send({ t: 'reach', peer: target.peerId })
    await world.clock.advance(1000)
    expect(target.all('sought').length).toBeLessThanOrEqual(66)
    expect(neighboursOf(first)).toContain(second.peerId)
  })
})
