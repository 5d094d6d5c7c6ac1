import { describe, expect, test } from 'vitest'
import { type CID, rawCid } from '../protocol/cid.ts'
import { verifyEnvelope } from '../protocol/envelope.ts'
import type { MeshError } from '../protocol/errors.ts'
import { Receipt } from '../protocol/records.ts'
import { scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost, slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { type CallRequest, ensureLevel } from './calls.ts'

const DOUBLE = 'export default (x) => 2 * x'
/** Peer 0 calls and lends nothing; peer i has setup `setups[i - 1]`. */
const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, {
    peers: 1 + setups.length,
    setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } },
  })

const honest: PeerSetup = {}
const liar: PeerSetup = { sandboxHost: lyingHost }
const slow = (ms: number): PeerSetup => ({ sandboxHost: (host, clock) => slowHost(host, clock, () => ms) })

const levels = ['none', 'audit', 'self', 'quorum:2', 'quorum:3'].map((text) => [text, ensureLevel(text)] as const)

const doubleAt = async (world: World, changes: Partial<CallRequest> = {}, input = 21) => {
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  return world.until(caller.peer.call(requestOf(double, input, changes)))
}

/** How a call fails, and after how many ms of the world. */
const failureOf = async (world: World, changes: Partial<CallRequest> = {}) => {
  const fromMs = world.clock.monotonic()
  const error = await doubleAt(world, changes).then(
    () => expect.unreachable('the call should have failed'),
    (cause: MeshError) => cause,
  )
  return { code: error.code, message: error.message, fields: error.fields, ms: world.clock.monotonic() - fromMs }
}

describe('a call', () => {
  test.each(levels)('at level %s has the right result, and receipts that verify', async (text, level) => {
    const world = await callerAnd(`right at ${text}`, honest, honest, honest, honest)
    const result = await doubleAt(world, { level })
    expect(returned(result)).toBe(42)
    const executions = { none: 1, audit: 2, self: 2, 'quorum:2': 2, 'quorum:3': 3 }[text]
    expect(result).toMatchObject({ level, local: false, executions, recovered: 0, disputes: [] })
    expect(new Set(result.performed.map(({ executor }) => executor)).size).toBe(executions)
    for (const one of result.performed) {
      const receipt = await world.until(one.receipt())
      expect(receipt.signer).toBe(one.executor)
      await verifyEnvelope(machine.crypto, 'receipt', receipt)
      await verifyEnvelope(machine.crypto, 'invocation', await one.invocation())
      expect(Receipt.decode(receipt.payload).outcome.equals(one.outcomeCid)).toBe(true)
    }
  })

  test.each(levels)('of a function that throws is a result at level %s', async (text, level) => {
    const world = await callerAnd(`throws at ${text}`, honest, honest, honest)
    const [caller] = world.peers as [WorldPeer]
    const bad = await publish(caller, 'export default () => { throw new TypeError("no") }')
    const { outcome } = await world.until(caller.peer.call(requestOf(bad, null, { level })))
    expect(outcome.result).toMatchObject({ ok: false, code: 'E_FUNCTION_THREW', message: 'TypeError: no' })
  })

  test('names an export that is not there', async () => {
    const failure = await failureOf(await callerAnd('export', honest), { export: 'other' })
    expect(failure).toMatchObject({ code: 'E_EXPORT_UNKNOWN', fields: { exports: ['default'] } })
  })

  test('spreads over executors when many are made at once', async () => {
    const world = await callerAnd('many', honest, honest, honest)
    const [caller, ...executors] = world.peers as [WorldPeer, ...WorldPeer[]]
    const double = await publish(caller, DOUBLE)
    const calls = Array.from({ length: 300 }, (_, i) => caller.peer.call(requestOf(double, i)))
    const results = await world.until(Promise.all(calls))
    expect(results.map(returned)).toEqual(results.map((_, i) => 2 * i))
    for (const { peer } of executors) expect(peer.status().today.tasks).toBeGreaterThan(30)
    const done = executors.reduce((sum, { peer }) => sum + peer.status().today.tasks, 0)
    expect(done).toBe(300)
  })
})

describe('a liar', () => {
  test('is believed at level none', async () => {
    const result = await doubleAt(await callerAnd('believed', liar))
    expect(returned(result)).toBe(43)
  })

  const checkDispute = async (world: World, result: Awaited<ReturnType<typeof doubleAt>>, liarId: string) => {
    expect(returned(result)).toBe(42)
    expect(result.disputes).toMatchObject([{ liar: liarId }])
    const [wrong, right] = result.disputes[0]!.receipts
    for (const receipt of [wrong, right]) await verifyEnvelope(machine.crypto, 'receipt', receipt)
    const [lie, truth] = [wrong, right].map(({ payload }) => Receipt.decode(payload)) as [Receipt, Receipt]
    expect(wrong.signer).toBe(liarId)
    expect(lie.executor).toBe(liarId)
    expect(lie.task.equals(truth.task)).toBe(true)
    expect(lie.outcome.equals(truth.outcome)).toBe(false)
    expect(truth.outcome.equals(result.performed[0]!.outcomeCid)).toBe(true)
    const disputed = world.peers[0]!.events.filter(({ name }) => name === 'call.disputed')
    expect(disputed).toMatchObject([{ fields: { peer: liarId } }])
  }

  test('is caught at self, and the home has the right answer', async () => {
    const world = await callerAnd('caught at self', liar)
    const result = await doubleAt(world, { level: { level: 'self' } })
    await checkDispute(world, result, world.peers[1]!.peerId)
    expect(result.executions).toBe(2)
    for (let i = 0; i < 5; i++) expect(returned(await doubleAt(world, { level: { level: 'self' } }))).toBe(42)
    // Caught six times, it is asked for nothing any more.
    await expect(doubleAt(world, { remote: true })).rejects.toMatchObject({ code: 'E_NO_PEER' })
    expect(returned(await doubleAt(world, { remote: false }))).toBe(42)
  })

  test.each([1, 2, 3])('is caught at quorum:2 when it is drawn, as peer %i too', async (place) => {
    const setups = [honest, honest, honest].map((setup, i) => (i + 1 === place ? liar : setup))
    const world = await callerAnd(`caught at quorum ${place}`, ...setups)
    const results = []
    for (let i = 0; i < 20; i++) results.push(await doubleAt(world, { level: { level: 'quorum', n: 2 } }))
    expect(results.map(returned)).toEqual(results.map(() => 42))
    const met = results.filter(({ performed }) =>
      performed.some(({ executor }) => executor === world.peers[place]!.peerId),
    )
    // Caught six times, it is asked for nothing any more.
    expect(met.length).toBeGreaterThan(0)
    expect(met.length).toBeLessThanOrEqual(6)
    for (const result of met) {
      expect(result.executions).toBe(3)
      expect(result.disputes).toMatchObject([{ liar: world.peers[place]!.peerId }])
    }
    expect(results.flatMap(({ disputes }) => disputes)).toHaveLength(met.length)
  })

  test('leaves no verdict where one stands against one', async () => {
    const world = await callerAnd('one to one', liar, honest)
    const failure = await failureOf(world, { level: { level: 'quorum', n: 2 } })
    expect(failure).toMatchObject({ code: 'E_VERIFICATION_FAILED', fields: { found: 2, wanted: 2 } })
  })
})

describe('a quorum', () => {
  test('says how many it found', async () => {
    const world = await callerAnd('insufficient', honest, honest)
    const failure = await failureOf(world, { level: { level: 'quorum', n: 3 } })
    expect(failure).toMatchObject({ code: 'E_QUORUM_INSUFFICIENT', fields: { found: 2, wanted: 3 } })
    expect(failure.message).toContain('only 2 could be found')
    expect(failure.ms).toBeLessThanOrEqual(2000)
  })

  test('of nobody is refused: no peer is in reach', async () => {
    const failure = await failureOf(await callerAnd('nobody'), { level: { level: 'quorum', n: 2 }, remote: false })
    expect(failure).toMatchObject({ code: 'E_NO_PEER' })
  })

  test('waits for peers that are just coming', async () => {
    const world = await callerAnd('coming')
    const [caller] = world.peers as [WorldPeer]
    const late = [await world.add(), await world.add()]
    const silent = await scriptedPeer(world)
    await silent.dial(caller)
    await silent.say(silent.hello())
    await silent.say({ t: 'welcome', chain: [] })
    const call = doubleAt(world, { level: { level: 'quorum', n: 2 } })
    await world.clock.advance(500)
    await Promise.all(late.map(({ peer }) => peer.join(caller.address)))
    expect(returned(await call)).toBe(42)
  })
})

describe('without a peer', () => {
  test('a call runs here, and says so', async () => {
    const world = await callerAnd('alone')
    const fromMs = world.clock.monotonic()
    const result = await doubleAt(world, { remote: false, level: { level: 'self' } })
    expect(returned(result)).toBe(42)
    expect(result).toMatchObject({ local: true, executions: 1 })
    expect(world.clock.monotonic() - fromMs).toBeLessThanOrEqual(2000)
    const receipt = await world.until(result.performed[0]!.receipt())
    expect(receipt.signer).toBe(world.peers[0]!.peerId)
    await verifyEnvelope(machine.crypto, 'receipt', receipt)
  })

  test('a call that must be remote fails', async () => {
    const failure = await failureOf(await callerAnd('remote'))
    expect(failure.code).toBe('E_NO_PEER')
    expect(failure.ms).toBeLessThanOrEqual(2000)
  })

  test('a neighbour that says nothing is waited for, for 2 s', async () => {
    const world = await callerAnd('silence')
    const silent = await scriptedPeer(world)
    await silent.dial(world.peers[0]!)
    await silent.say(silent.hello())
    await silent.say({ t: 'welcome', chain: [] })
    const failure = await failureOf(world)
    expect(failure.code).toBe('E_NO_PEER')
    expect(failure.ms).toBeGreaterThanOrEqual(2000)
    expect(failure.ms).toBeLessThanOrEqual(2200)
  })

  test('a call goes on here when its only executor leaves', async () => {
    const world = await callerAnd('left alone', slow(10_000))
    const call = doubleAt(world, { remote: false })
    await world.clock.advance(1000)
    world.kill(world.peers[1]!)
    const result = await call
    expect(returned(result)).toBe(42)
    expect(result).toMatchObject({ local: true, executions: 2 })
  })
})

describe('a function that is not there', () => {
  const nowhere: CID = rawCid(machine.crypto, Uint8Array.of(1))
  const call = (world: World, timeoutMs: number) =>
    world.until(world.peers[0]!.peer.call({ ...requestOf({ cid: nowhere } as never, 1), timeoutMs }))

  test('is missing', async () => {
    await expect(call(await callerAnd('missing', honest), 5000)).rejects.toMatchObject({ code: 'E_BLOCK_MISSING' })
  })

  test('is not looked for beyond the timeout', async () => {
    const world = await callerAnd('looked for')
    const mute = await scriptedPeer(world)
    mute.ports.network.handle('/wayside/1/blocks', (channel) => channel.receive({ frame() {}, closed() {} }), {
      frameBytesMax: 100_000,
    })
    await mute.join(world.peers[0]!)
    const fromMs = world.clock.monotonic()
    await expect(call(world, 1000)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(world.clock.monotonic() - fromMs).toBeLessThanOrEqual(1100)
  })
})

describe('a timeout', () => {
  test('ends the call in time, and the execution with it', async () => {
    const world = await callerAnd('timeout', slow(60_000))
    const failure = await failureOf(world, { timeoutMs: 1000 })
    expect(failure).toMatchObject({ code: 'E_TIMEOUT', message: 'no answer within 1000 ms; allow more with --timeout' })
    expect(failure.ms).toBeGreaterThanOrEqual(1000)
    expect(failure.ms).toBeLessThanOrEqual(1110)
    await world.clock.advance(0)
    expect(world.peers[1]!.peer.status().running).toEqual([])
  })

  test.each([
    ['self', 2],
    ['quorum:2', 3],
  ])('covers all executions of the call at %s', async (text, peers) => {
    const setups = Array.from({ length: peers }, () => slow(800))
    const world = await worldFor(`all of ${text}`, { peers, setup: (i) => setups[i]! })
    const failure = await failureOf(world, { level: ensureLevel(text), timeoutMs: 1000 })
    expect(failure.code).toBe('E_TIMEOUT')
    expect(failure.ms).toBeLessThanOrEqual(1110)
  })
})

describe('a signal', () => {
  test('that is aborted already ends the call before it begins', async () => {
    const failure = await failureOf(await callerAnd('aborted', honest), { signal: AbortSignal.abort() })
    expect(failure).toMatchObject({ code: 'E_CANCELLED', ms: 0 })
  })

  test.each(['none', 'audit', 'self', 'quorum:2'])('ends a call at %s, and its execution', async (text) => {
    const world = await callerAnd(`abort at ${text}`, slow(60_000), slow(60_000))
    const abort = new AbortController()
    world.clock.after(1000, () => abort.abort())
    const failure = await failureOf(world, { signal: abort.signal, level: ensureLevel(text) })
    expect(failure.code).toBe('E_CANCELLED')
    expect(failure.ms).toBeLessThanOrEqual(1010)
    await world.clock.advance(0)
    for (const { peer } of world.peers) expect(peer.status().running).toEqual([])
  })

  test('ends a call that runs here', async () => {
    const world = await worldFor('abort here', { peers: 1, setup: () => slow(60_000) })
    const abort = new AbortController()
    world.clock.after(1000, () => abort.abort())
    const failure = await failureOf(world, { signal: abort.signal, remote: false })
    expect(failure).toMatchObject({ code: 'E_CANCELLED' })
    expect(failure.ms).toBeLessThanOrEqual(1010)
  })
})

test('whom a call waits for is said once, after 2 s', async () => {
  const world = await callerAnd('waits', slow(5000))
  const said: [string, number][] = []
  await doubleAt(world, { onWait: (reason) => said.push([reason, world.clock.monotonic()]) })
  expect(said).toEqual([['waiting for an answer; 1 peer is in reach', expect.any(Number)]])
})
