/** What peers do for each other, as both have signed it: over calls, crashes and lies; and who waits less for it. */
import { describe, expect, test } from 'vitest'
import { type Envelope, signBatch } from '../../protocol/envelope.ts'
import { type Tally, Tally as TallyRecord, USAGE_PROTOCOL, UsageFrame, UsageRecord } from '../../protocol/tally.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import { slowHost } from '../../simulations/adversaries.ts'
import { checkUsage } from '../../simulations/checkers/usage.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { newAccount, noWork } from './account.ts'
import { WEIGHT_MAX } from './weight.ts'

const DOUBLE = 'export default (x) => 2 * x'
/** Longer than until what was done is signed for. */
const SETTLED_MS = 15_000

const usageOf = ({ peer }: WorldPeer) => peer.status().usage ?? []
const rowOf = (at: WorldPeer, of: WorldPeer) => usageOf(at).find(({ peer }) => peer === of.peerId)
const booksOf = (world: World) =>
  world.peers.flatMap((one) => usageOf(one).map((row) => ({ ...row, peer: one.peerId, other: row.peer })))

/** Calls `executor`, the only one that lends, and returns the fuel that its receipts show. */
const callOften = async (world: World, caller: WorldPeer, times: number): Promise<number> => {
  const double = await publish(caller, DOUBLE)
  let fuel = 0
  for (let i = 0; i < times; i++) fuel += (await world.until(caller.peer.call(requestOf(double, i)))).outcome.fuel
  return fuel
}

const callerAndHost = (name: string) =>
  worldFor(name, { peers: 2, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

test('what was done is signed by both within seconds, the same at both, and sums to zero', async () => {
  const world = await worldFor('both', { peers: 3 })
  for (const caller of world.peers) await callOften(world, caller, 12)
  await world.clock.advance(SETTLED_MS)
  expect(usageOf(world.peers[0] as WorldPeer).length).toBeGreaterThan(0)
  expect(checkUsage(booksOf(world))).toEqual([])
  const unsigned = world.peers.flatMap(usageOf).map(({ unsigned_fuel }) => unsigned_fuel)
  expect(Math.max(...unsigned)).toBe(0)
})

describe('a crash of', () => {
  test('the worker loses nothing: its user knows', async () => {
    const world = await callerAndHost('worker')
    const [caller, host] = world.peers as [WorldPeer, WorldPeer]
    const fuel = await callOften(world, caller, 5)
    await world.clock.advance(100)
    world.kill(host)
    const again = await world.restart(host)
    await world.until(again.peer.join(caller.address))
    await world.clock.advance(2 * 60_000)
    expect(rowOf(again, caller)?.lent.fuel).toBe(fuel)
    expect(checkUsage(booksOf(world))).toEqual([])
  })

  test('the user, once it has signed, loses and doubles nothing', async () => {
    const world = await callerAndHost('user')
    const [caller, host] = world.peers as [WorldPeer, WorldPeer]
    const before = await callOften(world, caller, 5)
    await world.clock.advance(SETTLED_MS)
    world.kill(caller)
    const again = await world.restart(caller, { policy: { slots: 0 } })
    await world.until(again.peer.join(host.address))
    await world.clock.advance(1000)
    const fuel = before + (await callOften(world, again, 3))
    await world.clock.advance(SETTLED_MS)
    expect([rowOf(host, again)?.lent.fuel, rowOf(again, host)?.used.fuel]).toEqual([fuel, fuel])
  })
})

/** Says `tally` to `worker` in the name of `user`, and returns what then stands, undefined if the channel was closed. */
const owes = async (
  world: World,
  user: WorldPeer,
  worker: WorldPeer,
  said: Partial<Tally>,
): Promise<Tally | undefined> => {
  const { network, signer, crypto } = user.ports
  const tally = {
    ...{ v: 1 as const, mesh: user.peer.meshId, worker: worker.peerId, user: user.peerId },
    ...{ sequence: 1, fuel: 0, gib_fuel: 0, bytes: 0, ...said },
  }
  const payload = TallyRecord.encode(tally)
  const by_user = (await signBatch(crypto, signer, user.peerId, 'tally', [payload]))[0] as Envelope
  const channel = await world.until(network.open(worker.peerId, USAGE_PROTOCOL, { frameBytesMax: UsageFrame.bytesMax }))
  const { promise, resolve } = Promise.withResolvers<Tally | undefined>()
  channel.receive({
    frame: (bytes) => resolve(TallyRecord.decode(UsageFrame.decode(bytes).by_user.payload)),
    closed: () => resolve(undefined),
  })
  channel.send(UsageFrame.encode({ t: 'owes', by_user }))
  return world.until(promise)
}

test('a user that takes back, replays or speaks for others is shown what it has signed, and gains nothing', async () => {
  const world = await callerAndHost('liar')
  const [user, worker] = world.peers as [WorldPeer, WorldPeer]
  const most = { sequence: 5, fuel: 100, gib_fuel: 10, bytes: 10 }
  const begunMs = world.clock.monotonic()
  expect(await owes(world, user, worker, most)).toMatchObject(most)
  expect(await owes(world, user, worker, { ...most, sequence: 6, fuel: 99 })).toMatchObject(most)
  expect(await owes(world, user, worker, { ...most, fuel: 1 })).toMatchObject(most)
  expect(await owes(world, user, worker, { ...most, sequence: 2, fuel: 1000 })).toMatchObject(most)
  expect(await owes(world, user, worker, { ...most, sequence: 7, user: worker.peerId })).toBe(undefined)
  expect(await owes(world, user, worker, { ...most, sequence: 7, worker: user.peerId })).toBe(undefined)
  expect(rowOf(worker, user)).toMatchObject({ lent: { fuel: 100 }, weight: 1 })
  // Each came over a channel of its own, and yet it is answered once a second.
  expect(world.clock.monotonic() - begunMs).toBeGreaterThanOrEqual(5000)
})

const RUN_MS = 100
const TASKS = 60
const SETUP = {
  policy: { slots: 1 },
  sandboxHost: ((host, clock) => slowHost(host, clock, () => RUN_MS)) as NonNullable<PeerSetup['sandboxHost']>,
}

const counted = (fuel: number) => ({ ...newAccount(), counted: { ...noWork(), fuel } })

/** A host of one slot that has counted what it and the second peer have done for each other, in fuel, and two that ask. */
const acquainted = async (name: string, { did = 0, had = 0 }) => {
  const world = await worldFor(name, { peers: 3, setup: (i) => (i === 0 ? SETUP : { policy: { slots: 0 } }) })
  const [first, known, newcomer] = world.peers as [WorldPeer, WorldPeer, WorldPeer]
  world.kill(first)
  const accounts = { used: counted(did), lent: counted(had), is_agreed: true, signed_lent: [], signed_used: [] }
  await first.kept.write([{ key: `usage/${known.peerId}`, put: UsageRecord.encode({ v: 1, ...accounts }) }])
  const host = await world.restart(first, SETUP)
  for (const { peer } of [known, newcomer]) await world.until(peer.join(host.address))
  return { world, host, known, newcomer }
}

/** Two that want more of a host than it has, which knows of what the first has done for it. */
const contended = async (name: string, didFuel: number) => {
  const { world, known, newcomer } = await acquainted(name, { did: didFuel })
  const both = [known, newcomer]
  const doubles = await Promise.all(both.map((one) => publish(one, DOUBLE)))
  const fromMs = world.clock.monotonic()
  const waits: number[][] = [[], []]
  const calls = both.flatMap(({ peer }, i) =>
    Array.from({ length: TASKS }, (_, input) =>
      peer.call(requestOf(doubles[i]!, input)).then(() => void waits[i]!.push(world.clock.monotonic() - fromMs)),
    ),
  )
  await world.until(Promise.all(calls))
  const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length
  return { lender: mean(waits[0]!), newcomer: mean(waits[1]!), newcomerFirst: waits[1]![0]! }
}

describe('where two want all of a machine', () => {
  test('two newcomers wait alike', async () => {
    const { lender, newcomer } = await contended('alike', 0)
    expect(Math.abs(lender - newcomer)).toBeLessThan(0.1 * newcomer)
  })

  test('who has lent waits less, and a newcomer is served all the same', async () => {
    const { lender, newcomer, newcomerFirst } = await contended('lent', 100_000_000_000)
    expect(lender).toBeLessThan(0.75 * newcomer)
    // One turn of whoever weighs most, and its own run.
    expect(newcomerFirst).toBeLessThan((WEIGHT_MAX + 3) * RUN_MS)
  })
})

test('where nobody else waits, whoever only takes, far below zero, is served as soon as a newcomer: an owner can just give', async () => {
  const takenFuel = 1_000_000_000_000
  const { world, host, known, newcomer } = await acquainted('gift', { had: takenFuel })
  const took: number[][] = []
  for (const one of [known, newcomer]) {
    const double = await publish(one, DOUBLE)
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      const fromMs = world.clock.monotonic()
      await world.until(one.peer.call(requestOf(double, i)))
      times.push(world.clock.monotonic() - fromMs)
    }
    took.push(times)
  }
  const [taker, other] = took as [number[], number[]]
  expect(Math.max(...taker)).toBeLessThan(2 * RUN_MS)
  expect(taker).toEqual(other)
  const { unsigned_fuel, used, weight } = rowOf(host, known)!
  expect(unsigned_fuel).toBeGreaterThanOrEqual(takenFuel)
  expect([used.fuel, weight]).toEqual([0, 1])
})
