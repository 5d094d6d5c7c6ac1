/** Each frame a hundred times more often than any honest peer sends it, while another neighbour calls. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { ERRORS } from '../protocol/errors.ts'
import { BlockFrame, PeerFrame } from '../protocol/frames.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { ADDRESSES_MAX, FRAME_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX, MIB } from '../protocol/limits.ts'
import { Revocation } from '../protocol/mesh.ts'
import { Advertisement } from '../protocol/records.ts'
import type { PublishedFunction } from '../registry/functions.ts'
import { arbitraryOf, peerIds } from '../scripts/protocol/arbitraries.ts'
import { MESSAGE_CASES, type MessageCase } from '../scripts/protocol/targets.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { seedFor } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { WorldPeer } from '../simulations/world.ts'
import { DOUBLE } from './attacked-host.ts'

/** How long a flood lasts, and how many frames of a type the busiest honest neighbour sends in that time. */
const FLOOD_MS = 10_000
const HONEST: Record<string, number> = {
  ...{ invoke: 5, ping: 10, pong: 10, advertise: 100, peers: 1, revocations: 2, progress: 20 },
}
const HONEST_DEFAULT = 50
/** What it is told, where it is refused. */
const CODES: Record<string, string[]> = {
  ...{ hello: ['E_MESSAGE'], welcome: ['E_MESSAGE'], peers: ['E_MESSAGE'], invoke: ['E_QUOTA'] },
}
/** Slices, between which the world goes on. */
const SLICES = 20
/** A run takes 5 ms, and others come in turn; a hostile peer that says it lends and does nothing is given up after 1.6 s. */
const CALL_MS_MAX = 2000
const KEPT_BYTES_MAX = 24 * MIB

setFlagsFromString('--expose_gc')
const gc = runInNewContext('gc') as () => void
const heapBytes = () => {
  gc()
  return process.memoryUsage().heapUsed
}

const framesOf = (kind: string): MessageCase[] => MESSAGE_CASES.filter(({ name }) => name.startsWith(`${kind} `))
const typeOf = ({ name }: MessageCase): string => name.split(' ').at(-1) as string
const countOf = (type: string) => 100 * (HONEST[type] ?? HONEST_DEFAULT)

/** Valid messages of one type, as many as repeat without being dull. */
const drawn = (one: MessageCase): Uint8Array[] =>
  fc.sample(arbitraryOf(one.schema), { numRuns: 40, seed: seedFor(one.name) }).map((x) => one.message.encode(x))

/** Advertisements of peers that are not there, with all the addresses of one that the liar wants to be dialled. */
const madeUp = async (peer: ScriptedPeer, count: number, address: (i: number) => string): Promise<Envelope[]> => {
  const base = Advertisement.decode((await peer.advertisement()).signed.payload)
  const { crypto } = peer.ports
  const all = Array.from({ length: count }, async (_, i) => {
    const signer = machine.createSigner(crypto.hash(Uint8Array.of(i)))
    const id = peerIdFromPublicKey(signer.publicKey)
    const addresses = Array.from({ length: ADDRESSES_MAX }, (_, j) => `${address(i * ADDRESSES_MAX + j)}/p2p/${id}`)
    const payload = Advertisement.encode({ ...base, peer: id, addresses })
    const [signed] = await signBatch(crypto, signer, id, 'advertisement', [payload])
    return signed as Envelope
  })
  return Promise.all(all)
}

type Hostile = ScriptedPeer & { double: PublishedFunction }

/** What is right in itself, and signed as it should be: it costs the most. */
const CRAFTED: Record<string, (peer: Hostile, count: number) => Promise<PeerFrame[]>> = {
  advertise: async (peer, count) => {
    const { signed } = await peer.advertisement()
    const base = Advertisement.decode(signed.payload)
    const payloads = Array.from({ length: count }, (_, i) =>
      Advertisement.encode({ ...base, sequence: base.sequence + i + 1, expires_ms: base.expires_ms + 60_000 }),
    )
    const all: Envelope[] = []
    for (let i = 0; i < count; i += 1000) all.push(...(await peer.sign('advertisement', payloads.slice(i, i + 1000))))
    return all.map((one) => ({ t: 'advertise', signed: one }))
  },
  invoke: async (peer, count) => {
    const frames = Array.from({ length: count }, async (_, i) => {
      const frame = await peer.invoke(peer.double, new Array(20).fill(i))
      return { ...frame, items: frame.items.map((item) => ({ ...item, id: item.id + 20 * i })) }
    })
    return Promise.all(frames)
  },
  // Who lends and does not answer is another matter.
  load: async (_, count) => Array.from({ length: count }, (_, i) => ({ t: 'load', slots: 0, free: 0, queued: i })),
  peers: async (peer) => [{ t: 'peers', signed: await madeUp(peer, 64, (i) => `/ip4/203.0.113.9/tcp/${i + 1}`) }],
  revocations: async (peer) => {
    const { chain } = peer.mesh
    const made = fc.sample(peerIds, { numRuns: 64, seed: seedFor('revoked') })
    const payloads = made.map((revoked) =>
      Revocation.encode({ v: 1, mesh: peer.meshId, peer: revoked, revoked_ms: peer.ports.clock.now(), chain }),
    )
    return [{ t: 'revocations', signed: await peer.sign('revocation', payloads) }]
  },
}

/** A host and a caller that lends nothing, with a hostile member at both of them. */
const scene = async (name: string) => {
  const costs = { checks: 0, dials: 0 }
  const world = await worldFor(name, {
    peers: 2,
    setup: (i) =>
      i === 0 ? { sandboxHost: (host, clock) => slowHost(host, clock, () => 5) } : { policy: { slots: 0 } },
    crypto: (honest) => ({
      ...honest,
      verify: (...args) => {
        costs.checks++
        return honest.verify(...args)
      },
    }),
  })
  const [host, caller] = world.peers as [WorldPeer, WorldPeer]
  for (const { ports } of [host, caller]) {
    const { connect } = ports.network
    ports.network.connect = (...args) => {
      costs.dials++
      return connect.apply(ports.network, args)
    }
  }
  const double = await publish(caller, DOUBLE)
  await publish(host, DOUBLE)
  const hostile: Hostile[] = []
  for (let i = 0; i < 2; i++) hostile.push(Object.assign(await scriptedPeer(world), { double }))
  for (const [i, peer] of hostile.entries()) await peer.join(world.peers[i] as WorldPeer)
  /** One call, and how long it took of the world's time. */
  const call = async () => {
    const fromMs = world.clock.monotonic()
    expect(returned(await world.until(caller.peer.call(requestOf(double, 21))))).toBe(42)
    return world.clock.monotonic() - fromMs
  }
  /** With which codes the two have reported somebody. */
  const reported = new Set<string | undefined>()
  const forget = () => {
    for (const { events } of world.peers)
      for (const { name: event, fields } of events.splice(0)) if (event === 'peer.misbehaved') reported.add(fields.code)
    for (const peer of hostile) peer.heard.length = 0
  }
  await call()
  return { world, host, caller, double, hostile, costs, call, forget, reported }
}

type Flooded = Awaited<ReturnType<typeof scene>>

/** Sends the frames in slices, each followed by a call; returns how long the longest took. */
const flood = async ({ world, call, forget }: Flooded, count: number, send: (i: number) => void): Promise<number> => {
  let longestMs = 0
  for (let slice = 0; slice < SLICES; slice++) {
    for (let i = Math.floor((slice * count) / SLICES); i < ((slice + 1) * count) / SLICES; i++) send(i)
    longestMs = Math.max(longestMs, await call())
    await world.clock.advance(FLOOD_MS / SLICES)
    forget()
  }
  return longestMs
}

/** Reads what the flooded ones keep, before and after. */
const watch = (stage: Flooded) => {
  const { world, host, caller, hostile, costs } = stage
  stage.forget()
  const [timers, heap, checks, dials] = [world.clock.pending, heapBytes(), costs.checks, costs.dials]
  return async (longestMs: number) => {
    expect(longestMs).toBeLessThan(CALL_MS_MAX)
    for (const peer of hostile) peer.hangUp({ atOnce: true })
    await world.clock.advance(1000)
    stage.forget()
    expect(heapBytes() - heap).toBeLessThan(KEPT_BYTES_MAX)
    expect(world.clock.pending - timers).toBeLessThan(200)
    // At both of them: the calls' own, and what a neighbour may cost.
    expect(costs.checks - checks).toBeLessThan(1000)
    expect(costs.dials - dials).toBeLessThan(300)
    expect([host, caller].map(({ peer }) => peer.status().running.length)).toEqual([0, 0])
    await stage.call()
  }
}

describe('a neighbour that sends a hundred times what any honest one would, of', () => {
  test.each(framesOf('frame').map((one) => [typeOf(one), one] as const))('%s', async (type, one) => {
    const stage = await scene(`flood ${type}`)
    const { hostile } = stage
    const count = countOf(type)
    const encoded = async (peer: Hostile) =>
      (await CRAFTED[type]?.(peer, count))?.map((frame) => PeerFrame.encode(frame)) ?? drawn(one)
    const frames = await Promise.all(hostile.map(encoded))
    const codes = new Set<string>()
    for (const peer of hostile)
      peer.react = (frame) => (frame.t === 'bye' || frame.t === 'refused') && codes.add(frame.code)
    const ensureNothingKept = watch(stage)
    const longestMs = await flood(stage, count, (i) => {
      for (const [at, peer] of hostile.entries()) peer.send(frames[at]![i % frames[at]!.length] as Uint8Array)
    })
    const expected = CODES[type]
    if (expected) expect([...codes]).toEqual(expect.arrayContaining(expected))
    // Whoever is cut off is told why.
    for (const peer of hostile) if (peer.closed !== undefined && type !== 'bye') expect(codes.size).toBeGreaterThan(0)
    for (const code of codes) expect(ERRORS).toHaveProperty(code)
    await ensureNothingKept(longestMs)
  })

  test('any frame, but broken: each time the link ends with the code, and may come back', async () => {
    const stage = await scene('broken')
    const { world, hostile, host } = stage
    const [peer] = hostile as [Hostile]
    const codes: string[] = []
    peer.react = (frame) => frame.t === 'bye' && codes.push(frame.code)
    const broken = framesOf('frame').flatMap((one) =>
      drawn(one)
        .slice(0, 10)
        .map((bytes) => bytes.slice(0, -1)),
    )
    const ensureNothingKept = watch(stage)
    const longestMs = await flood(stage, 2000, (i) => {
      if (peer.closed === undefined) return peer.send(broken[i % broken.length] as Uint8Array)
      peer.closed = undefined
      void peer.dial(host).then(() => {
        peer.send(peer.hello())
        peer.send({ t: 'welcome', chain: [] })
        peer.send(broken[i % broken.length] as Uint8Array)
      })
    })
    await world.clock.advance(1000)
    expect(new Set(codes)).toEqual(new Set(['E_MESSAGE']))
    expect(codes.length).toBeGreaterThan(5)
    await ensureNothingKept(longestMs)
  })

  test.each(framesOf('block frame').map((one) => [typeOf(one), one] as const))('block frame %s', async (type, one) => {
    const stage = await scene(`flood block ${type}`)
    const { world, hostile, host, double } = stage
    const [peer] = hostile as [Hostile]
    const wants = [double.cid, ...double.manifest.code].map((cid) =>
      BlockFrame.encode({ t: 'want', cids: [cid], send: true }),
    )
    const frames = type === 'want' ? [...wants, ...drawn(one)] : drawn(one)
    const channels = new Set<Awaited<ReturnType<Hostile['openBlocks']>>>()
    let opened = 0
    const open = async () => {
      const opening = ++opened
      const channel = await peer.openBlocks(host)
      channel.receive({ frame: () => {}, closed: () => channels.delete(channel) })
      channels.add(channel)
      if (opening === opened) opened = 0
    }
    const ensureNothingKept = watch(stage)
    const longestMs = await flood(stage, countOf(type), (i) => {
      const [channel] = channels
      if (channel) channel.send(frames[i % frames.length] as Uint8Array)
      else if (opened === 0) void open()
    })
    await world.clock.advance(1000)
    stage.forget()
    expect([...stage.reported]).toEqual([type === 'want' ? 'E_MESSAGE_LIMIT' : 'E_MESSAGE'])
    for (const channel of channels) channel.close({ abort: 'over' })
    await ensureNothingKept(longestMs)
  })
})

test('advertisements cost few signatures, and the last of them counts', async () => {
  const stage = await scene('advertisements')
  const { world, hostile, costs, host } = stage
  const [peer] = hostile as [Hostile]
  const { signed } = await peer.advertisement()
  const base = Advertisement.decode(signed.payload)
  const payloads = Array.from({ length: 1000 }, (_, i) =>
    Advertisement.encode({ ...base, sequence: base.sequence + i, slots: 1 + (i % 9) }),
  )
  const checks = costs.checks
  for (const one of await peer.sign('advertisement', payloads)) peer.send({ t: 'advertise', signed: one })
  await world.clock.advance(100)
  expect(costs.checks - checks).toBeLessThan(20)
  await world.clock.advance(1000)
  const told = host.peer.status().neighbours.find(({ peer: id }) => id === peer.peerId)
  expect(told?.slots).toBe(1 + (999 % 9))
})

describe('a stranger', () => {
  test('whatever its first frame is, is told why it is not let in, and costs nobody else anything', async () => {
    const stage = await scene('stranger')
    const { world, host, hostile } = stage
    hostile[0]?.hangUp({ atOnce: true })
    const types = framesOf('frame').filter((one) => typeOf(one) !== 'bye')
    const frames = types.flatMap((one) => drawn(one).filter(({ length }) => length <= HANDSHAKE_FRAME_BYTES_MAX))
    const answers: string[] = []
    const strangers: ScriptedPeer[] = []
    const ensureNothingKept = watch(stage)
    const longestMs = await flood(stage, frames.length, (i) => {
      void (async () => {
        const stranger = await scriptedPeer(world, { stranger: true })
        stranger.react = (frame) => frame.t !== 'hello' && answers.push(frame.t === 'bye' ? frame.code : frame.t)
        await stranger.dial(host)
        stranger.send(frames[i] as Uint8Array)
        strangers.push(stranger)
      })()
    })
    await world.clock.advance(6000)
    expect(answers.length).toBe(frames.length)
    for (const answer of answers) expect(ERRORS).toHaveProperty(answer)
    expect(strangers.filter(({ closed }) => closed === undefined)).toEqual([])
    expect(host.peer.status().neighbours).toHaveLength(1)
    await ensureNothingKept(longestMs)
  })

  test('a first frame of full size is not read: its channel ends', async () => {
    const stage = await scene('first frame')
    const { world, host } = stage
    const stranger = await scriptedPeer(world, { stranger: true })
    await stranger.dial(host)
    await stranger.say(new Uint8Array(HANDSHAKE_FRAME_BYTES_MAX + 1))
    expect(stranger.closed).toBeDefined()
    expect(host.events).toContainEqual({
      name: 'peer.misbehaved',
      fields: expect.objectContaining({ peer: stranger.peerId, code: 'E_MESSAGE_LIMIT' }),
    })
    const member = stage.hostile[0] as Hostile
    await member.say(new Uint8Array(FRAME_BYTES_MAX))
    expect(member.all('bye').map(({ code }) => code)).toEqual(['E_MESSAGE'])
  })
})
