/** The directory over real connections on loopback: members find each other in it, and nobody else is told anything. */

import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, onTestFinished, test } from 'vitest'
import { INTRODUCE_MS_MAX } from '../peer/provider-keys.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import type { Clock, Directory, Network, Sighting } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createSigner, generatePrivateKey } from './crypto.ts'
import { createNodeNetwork } from './network.ts'

const MESH = 'bafymesh'
const KEY = new Uint8Array(32).fill(7)
const soon = () => AbortSignal.timeout(20_000)

interface Node {
  network: Network
  directory: Directory
  /** Who is a member, as this node sees it. */
  members: Set<string>
  introduced: string[]
  /** Who answers no dial. */
  gone: Set<string>
}

const nodeOf = async (mesh = MESH, clock = systemClock): Promise<Node> => {
  const log = { event: () => {} }
  const signer = createSigner(generatePrivateKey())
  const made = await createNodeNetwork({
    signer,
    storage: createMemoryStorage(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    clock,
    log,
  })
  await made.network.start()
  const members = new Set<string>()
  const gone = new Set<string>()
  const introduced: string[] = []
  const gate = {
    isMember: (peer: string) => members.has(peer),
    introduce: ({ peer }: Sighting) => {
      introduced.push(peer)
      return gone.has(peer) ? new Promise<void>(() => {}) : Promise.resolve()
    },
  }
  await made.directory.start(mesh, gate)
  onTestFinished(async () => {
    await made.directory.stop()
    await made.network.stop()
  })
  return { ...made, members, introduced, gone }
}

const sightingOf = ({ network }: Node): Sighting => ({ peer: network.peerId, addresses: network.addresses() })

/** As after a handshake: connected, and members to each other. */
const acquaint = async (one: Node, other: Node): Promise<void> => {
  await one.network.connect(other.network.addresses()[0] as string)
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as [Node, Node][]) {
    from.members.add(to.network.peerId)
    from.directory.add(sightingOf(to))
  }
}

const foundBy = async ({ directory }: Node, key = KEY): Promise<Sighting[]> => {
  const found: Sighting[] = []
  for await (const one of directory.find(key, soon())) found.push(one)
  return found
}

/** Provides until another one finds it: routing tables take their time. */
const provided = async (provider: Node, seeker: Node): Promise<Sighting[]> => {
  for (;;) {
    await provider.directory.provide(KEY, soon())
    const found = await foundBy(seeker)
    if (found.length > 0) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('members', () => {
  test('find who provides a key, with its addresses, though they are not connected to it', async () => {
    const [a, b, c] = [await nodeOf(), await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    await acquaint(b, c)
    expect(await provided(a, c)).toEqual([sightingOf(a)])
    expect(await foundBy(c, new Uint8Array(32))).toEqual([])
  })

  test('shake hands with whom they are told of before they ask it anything', async () => {
    const [a, b, c] = [await nodeOf(), await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    await acquaint(b, c)
    // Whoever is farther from a key than the one who told of it is not asked about that key.
    await provided(a, b)
    for (let i = 0; i < 30 && c.introduced.length === 0; i++) await foundBy(c, new Uint8Array(32).fill(i))
    expect(c.introduced).toContain(a.network.peerId)
    expect(b.introduced).toEqual([])
  })

  test('that are gone do not hold up a walk', async () => {
    const hasty: Clock = { ...systemClock, after: (ms, f) => systemClock.after(ms === INTRODUCE_MS_MAX ? 50 : ms, f) }
    const [a, b, gone] = [await nodeOf(MESH, hasty), await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    a.gone.add(gone.network.peerId)
    a.members.add(gone.network.peerId)
    a.directory.add(sightingOf(gone))
    const beforeMs = systemClock.monotonic()
    while (!a.introduced.includes(gone.network.peerId)) await a.directory.provide(KEY, soon())
    expect(await provided(a, b)).toEqual([sightingOf(a)])
    // kad-dht itself would wait for 5 s.
    expect(systemClock.monotonic() - beforeMs).toBeLessThan(4000)
  })

  test('that say nonsense of where they are do no harm', async () => {
    const [a, b] = [await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    a.directory.add({ peer: b.network.peerId, addresses: ['nonsense', '/ip4/1.2.3.4.5', `/p2p/${a.network.peerId}`] })
    expect((await provided(b, a)).map(({ peer }) => peer)).toEqual([b.network.peerId])
  })

  test('of another mesh speak another protocol', async () => {
    const [a, b] = [await nodeOf(), await nodeOf('bafyother')]
    await acquaint(a, b)
    await a.directory.provide(KEY, soon())
    expect(await foundBy(b)).toEqual([])
  })
})

/** A client that knows the mesh ID, and speaks to the directory as it likes. */
const stranger = async () => {
  const host = await createLibp2p({ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
  onTestFinished(() => host.stop() as Promise<void>)
  /** A request GET_PROVIDERS for KEY, with a length before it; what comes back until the stream ends. */
  const ask = async (address: string, requests = 1): Promise<number> => {
    const connection = await host.dial(multiaddr(address))
    const stream = await connection.newStream(`/wayside/1/dht/${MESH}`)
    const ended = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve(), { once: true }))
    let bytes = 0
    stream.addEventListener('message', ({ data }) => {
      bytes += data.byteLength
    })
    const request = Uint8Array.of(0x08, 3, 0x12, 34, 0x12, 0x20, ...KEY)
    try {
      for (let i = 0; i < requests; i++) stream.send(Uint8Array.of(request.length, ...request))
      stream.close().catch(() => {})
    } catch {
      // It has been refused by now.
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 200))])
    return bytes
  }
  return { peer: host.peerId.toString(), ask }
}

describe('whoever asks', () => {
  test('without having been admitted is told nothing, though it knows the mesh and the key', async () => {
    const [a, b] = [await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    await provided(a, b)
    const { peer, ask } = await stranger()
    const [address] = b.network.addresses() as [string]
    expect(await ask(address)).toBe(0)
    b.members.add(peer)
    await expect.poll(() => ask(address)).toBeGreaterThan(100)
    b.members.delete(peer)
    expect(await ask(address)).toBe(0)
  })

  test('a hundredfold of its allowance is refused the rest, and others are served', async () => {
    const [a, b] = [await nodeOf(), await nodeOf()]
    await acquaint(a, b)
    await provided(a, b)
    const { peer, ask } = await stranger()
    b.members.add(peer)
    const [address] = b.network.addresses() as [string]
    const answers: number[] = []
    for (let i = 0; i < 60; i++) answers.push(await ask(address))
    expect(answers.filter((bytes) => bytes > 0).length).toBeLessThan(60)
    expect(await ask(address, 1000)).toBeLessThan(20_000)
    expect(await foundBy(a)).toHaveLength(1)
  })
})
