import { describe, expect, test } from 'vitest'
import { FUEL_TICK, MIB } from '../protocol/limits.ts'
import type { PublishedFunction } from '../registry/functions.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost, slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { type CallRequest, type CallResult, ensureLevel } from './calls.ts'
import { inputsOf } from './inputs.ts'

const DOUBLE = 'export default (x) => { console.log("doubling", x); return 2 * x }'

/** Peer 0 calls and lends nothing; peer i has setup `setups[i - 1]`. */
const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

const honest: PeerSetup = {}
const liar: PeerSetup = { sandboxHost: lyingHost }

const callerOf = (world: World) => world.peers[0] as WorldPeer
const memoOf = (world: World) => callerOf(world).peer.status().memo

type Ask = (level: string, input?: unknown, changes?: Partial<CallRequest>) => Promise<CallResult>

/** Calls `fn` from peer 0. A call may run there, and may be answered from the memo. */
const askOf = (world: World, fn: PublishedFunction): Ask => {
  const { peer } = callerOf(world)
  return (level, input = 21, changes = {}) =>
    world.until(peer.call(requestOf(fn, input, { remote: false, level: ensureLevel(level), ...changes })))
}

const doublerOf = async (world: World): Promise<Ask> => askOf(world, await publish(callerOf(world), DOUBLE))

/** Tasks done by all that lend. */
const tasksOf = (world: World) => world.peers.reduce((sum, { peer }) => sum + peer.status().today.tasks, 0)

describe('a verified answer', () => {
  test.each(['audit', 'self', 'quorum:2', 'quorum:3'])('is given again without an execution at %s', async (level) => {
    const world = await callerAnd(`again at ${level}`, honest, honest, honest)
    const ask = await doublerOf(world)
    const first = await ask(level)
    expect(first.memo).toBe(false)
    const tasks = tasksOf(world)
    const second = await ask(level)
    expect(second).toEqual({
      outcome: first.outcome,
      level: ensureLevel(level),
      verification: { by: 'memo', independence: 'none', verifiers: 0 },
      ...{ performed: [], local: false, memo: true, executions: 0, recovered: 0, disputes: [] },
    })
    expect(second.outcome.console).toEqual([{ level: 'log', text: 'doubling 21' }])
    expect(tasksOf(world)).toBe(tasks)
    expect(memoOf(world)).toMatchObject({ entries: 1, hits: 1, misses: 1 })
  })

  test('serves a level that asks for less, and none that asks for more', async () => {
    const world = await callerAnd('levels', honest, honest, honest)
    const ask = await doublerOf(world)
    const memoAt = async (...levels: string[]) => {
      const found: boolean[] = []
      for (const level of levels) found.push((await ask(level)).memo)
      return found
    }
    expect(await memoAt('quorum:2', 'quorum:2', 'none')).toEqual([false, true, true])
    expect(await memoAt('quorum:3', 'quorum:3', 'quorum:2')).toEqual([false, true, true])
    expect(await memoAt('self', 'self', 'quorum:3', 'quorum:16', 'none')).toEqual([false, true, true, true, true])
  })

  test('of one input, export or function is not that of another', async () => {
    const world = await callerAnd('another', honest)
    const { peer } = callerOf(world)
    const code = 'export default (x) => 2 * x; export const treble = (x) => 3 * x'
    const both = askOf(world, await publish({ peer } as WorldPeer, code, { exports: ['default', 'treble'] }))
    const other = await doublerOf(world)
    const answers = [await both('self'), await both('self', 22), await both('self', 21, { export: 'treble' })]
    answers.push(await other('self'))
    expect(answers.map(returned)).toEqual([42, 44, 63, 42])
    expect(answers.map(({ memo }) => memo)).toEqual([false, false, false, false])
  })

  test('is not given to who insists on an executor, or on a receipt', async () => {
    const world = await callerAnd('insists', honest)
    const ask = await doublerOf(world)
    await ask('self')
    expect(await ask('self', 21, { remote: true })).toMatchObject({ memo: false, executions: 2 })
    const fresh = await ask('self', 21, { fresh: true })
    expect(fresh).toMatchObject({ memo: false, executions: 2 })
    expect((await world.until(fresh.performed[0]!.receipt())).signer).toBe(world.peers[1]!.peerId)
    expect(memoOf(world)).toMatchObject({ hits: 0, misses: 1 })
  })

  test('is not given to who has cancelled', async () => {
    const world = await callerAnd('cancelled', honest)
    const ask = await doublerOf(world)
    await ask('self')
    await expect(ask('self', 21, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' })
  })

  test('is one of a map as well', async () => {
    const world = await callerAnd('map', honest, honest)
    const { peer } = callerOf(world)
    const double = await publish(callerOf(world), DOUBLE)
    const ask = askOf(world, double)
    for (const input of [0, 2, 4]) await ask('self', input)
    const inputs = inputsOf([0, 1, 2, 3, 4].map((input) => requestOf(double, input).input))
    const { input: _, ...request } = requestOf(double, 0, { remote: false, level: { level: 'self' } })
    const all = async () => {
      const found = []
      for await (const some of peer.map(request, inputs, false)) found.push(...some)
      return found.map((one) => ('result' in one ? [returned(one.result), one.result.memo] : one.error))
    }
    expect(await world.until(all())).toEqual([
      [0, true],
      [2, false],
      [4, true],
      [6, false],
      [8, true],
    ])
  })
})

describe('the memo cannot be poisoned', () => {
  test('by what was not verified', async () => {
    const world = await callerAnd('unverified', liar)
    const ask = await doublerOf(world)
    expect(returned(await ask('none'))).toBe(43)
    expect(memoOf(world).entries).toBe(0)
    expect(returned(await ask('none', 21, { remote: true }))).toBe(43)
    expect(memoOf(world).entries).toBe(0)
  })

  test('by receipts that were not drawn for an audit', async () => {
    const world = await callerAnd('not drawn', honest, honest)
    const ask = await doublerOf(world)
    let unaudited = 0
    for (let input = 0; input < 150; input++) {
      const { entries } = memoOf(world)
      const { executions } = await ask('audit', input)
      expect(memoOf(world).entries - entries).toBe(executions - 1)
      if (executions > 1) continue
      unaudited++
      expect((await ask('none', input)).memo).toBe(false)
    }
    expect(unaudited).toBeGreaterThan(20)
  })

  test('by a local run that nobody asked to verify', async () => {
    const world = await callerAnd('local')
    const ask = await doublerOf(world)
    expect(await ask('none')).toMatchObject({ local: true, memo: false })
    expect(memoOf(world).entries).toBe(0)
    expect(await ask('self')).toMatchObject({ local: true, memo: false })
    expect(await ask('self')).toMatchObject({ local: false, memo: true })
  })

  test('by a liar: the right answer is kept, and it is not the signer', async () => {
    const world = await callerAnd('lies', liar)
    const ask = await doublerOf(world)
    const caught = await ask('self')
    expect(caught.disputes).toMatchObject([{ liar: world.peers[1]!.peerId }])
    const answers = [caught, await ask('self'), await ask('none')]
    expect(answers.map(returned)).toEqual([42, 42, 42])
    expect(answers.map(({ memo }) => memo)).toEqual([false, true, true])
  })

  test('by liars who are no quorum', async () => {
    const world = await callerAnd('no quorum', liar, honest)
    const ask = await doublerOf(world)
    await expect(ask('quorum:2')).rejects.toMatchObject({ code: 'E_VERIFICATION_FAILED' })
    expect(memoOf(world).entries).toBe(0)
  })

  test('by limits so tight that the function failed', async () => {
    const world = await callerAnd('tight', honest)
    const [caller] = world.peers as [WorldPeer]
    const sum = 'export default (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum }'
    const ask = askOf(world, await publish(caller, sum))
    const wide = { fuel: 100 * FUEL_TICK, memory_bytes: 64 * MIB, output_bytes: MIB }
    const tight = { ...wide, fuel: FUEL_TICK }
    const under = (limits: typeof wide) => ask('self', 100_000, { limits })
    const failed = { memo: false, outcome: { result: { ok: false, code: 'E_FUEL_LIMIT' } } }
    expect(await under(tight)).toMatchObject(failed)
    expect(memoOf(world).entries).toBe(0)
    expect(await under(tight)).toMatchObject(failed)
    expect(await under(wide)).toMatchObject({ memo: false, outcome: { result: { ok: true } } })
    // Nor does what came of wide limits answer a call that asks for tight ones.
    expect(await under(tight)).toMatchObject(failed)
    expect(await under({ ...wide, output_bytes: 1 })).toMatchObject({ memo: false })
    expect(await under(wide)).toMatchObject({ memo: true, outcome: { result: { ok: true } } })
    expect(memoOf(world).entries).toBe(1)
  })

  let lies = false
  /** From when `lies` is set its next sandbox lies, which begins when the one before has been idle for 30 s. */
  const turncoat: PeerSetup = {
    sandboxHost: (host) => ({ spawn: () => (lies ? lyingHost(host) : host).spawn() }),
  }

  test('by one who was honest for a while: with its suspension goes what it had signed', async () => {
    lies = false
    const world = await callerAnd('turncoat', turncoat)
    const [, suspect] = world.peers as [WorldPeer, WorldPeer]
    const ask = await doublerOf(world)
    const first = await ask('self')
    expect(first.performed[0]!.executor).toBe(suspect.peerId)
    expect(await ask('self')).toMatchObject({ memo: true })
    lies = true
    await world.clock.advance(31_000)
    const caught = await ask('self', 22)
    expect(caught.disputes).toMatchObject([{ liar: suspect.peerId }])
    const dropped = callerOf(world).events.filter(({ name }) => name === 'memo.dropped')
    expect(dropped).toMatchObject([{ fields: { peer: suspect.peerId, count: 1 } }])
    const again = await ask('self')
    expect([returned(again), again.memo]).toEqual([42, false])
    expect(await ask('self')).toMatchObject({ memo: true })
  })

  test('by one that is caught while what it signed is still being verified', async () => {
    lies = false
    let delayMs = 40_000
    const world = await worldFor('meanwhile', {
      peers: 2,
      setup: (i) => (i === 0 ? { sandboxHost: (host, clock) => slowHost(host, clock, () => delayMs) } : turncoat),
    })
    const double = await publish(callerOf(world), DOUBLE)
    const ask = askOf(world, double)
    const first = callerOf(world).peer.call(requestOf(double, 21, { remote: false, level: { level: 'self' } }))
    await world.clock.advance(5000)
    lies = true
    delayMs = 0
    await world.clock.advance(31_000)
    expect((await ask('self', 22)).disputes).toMatchObject([{ liar: world.peers[1]!.peerId }])
    expect(memoOf(world).entries).toBe(1)
    expect(await world.until(first)).toMatchObject({ memo: false, disputes: [] })
    expect(await ask('self')).toMatchObject({ memo: false })
    expect(await ask('self', 22)).toMatchObject({ memo: true })
  })

  test('by bytes that were changed in storage, or put there', async () => {
    const world = await callerAnd('forged', honest)
    const { storage } = callerOf(world).ports
    const ask = await doublerOf(world)
    await ask('self')
    await world.clock.advance(1000)
    const entries: { key: string; value: Uint8Array }[] = []
    for await (const entry of storage.scan('memo')) entries.push(entry)
    expect(entries.map(({ key }) => key.replace(/\/.*/, ''))).toEqual(['memo-entry', 'memo'])
    const [, { key, value }] = entries as [(typeof entries)[0], (typeof entries)[0]]
    const forged = value.slice()
    // 2 * 21 becomes 2 * 22: the outcome is whole, and wrong.
    const at = forged.findIndex((byte, i) => byte === 42 && forged[i - 1] === 0x18)
    forged[at] = 44
    await storage.write([{ key, put: forged }])
    expect(await ask('self')).toMatchObject({ memo: false, executions: 2 })
    expect(returned(await ask('self'))).toBe(42)
    await storage.write([{ key: 'memo/nothing-that-was-verified', put: value }])
    expect(memoOf(world)).toMatchObject({ entries: 1, hits: 1, misses: 2 })
  })

  test("by another's: who executes for others does not answer them from its own", async () => {
    const world = await callerAnd('own', honest, honest)
    const [caller, executor] = world.peers as [WorldPeer, WorldPeer]
    const double = await publish(caller, DOUBLE)
    const request = requestOf(double, 21, { remote: false, level: { level: 'self' } })
    await world.until(executor.peer.call(request))
    expect(executor.peer.status().memo.entries).toBe(1)
    const tasks = tasksOf(world)
    const answer = await world.until(caller.peer.call({ ...request, level: { level: 'quorum', n: 2 } }))
    expect(answer).toMatchObject({ memo: false, executions: 2 })
    expect(tasksOf(world)).toBe(tasks + 2)
  })

  test('by a function that may request something, whatever it did request', async () => {
    const world = await callerAnd('effects', honest)
    const fn = await publish(callerOf(world), DOUBLE, { effects: ['call'] })
    const ask = askOf(world, fn)
    expect([(await ask('self')).memo, (await ask('self')).memo]).toEqual([false, false])
    expect(memoOf(world)).toMatchObject({ entries: 0, hits: 0, misses: 0 })
  })
})

test('who looks in vain hashes no more than who finds the memo empty', async () => {
  const hashed: number[] = []
  const world = await worldFor('hashes', {
    peers: 1,
    crypto: (honest) => ({
      ...honest,
      hash: (bytes) => {
        hashed.push(bytes.length)
        return honest.hash(bytes)
      },
    }),
  })
  const ask = await doublerOf(world)
  const input = (n: number) => n * 10 ** 9
  const hashesOf = async (level: string, n: number) => {
    hashed.length = 0
    expect(returned(await ask(level, input(n)))).toBe(2 * input(n))
    return hashed.length
  }
  // The first call has the function to load.
  await ask('none', input(0))
  const empty = await hashesOf('none', 1)
  await ask('self', input(2))
  expect(memoOf(world).entries).toBe(1)
  expect(await hashesOf('none', 3)).toBe(empty)
})

test('what a function calls comes from the memo too, but never below the level of its caller', async () => {
  const world = await callerAnd('nested', honest, honest)
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, DOUBLE)
  const code = 'export default async ({ double, plus }, env, ctx) => plus + (await ctx.call(double, 21))'
  const ask = askOf(world, await publish(caller, code, { effects: ['call'] }))
  const plus = async (level: string, n: number, changes: Partial<CallRequest> = {}) => {
    const [before, { hits }] = [tasksOf(world), memoOf(world)]
    const result = await ask(level, { double: double.cid.toString(), plus: n }, changes)
    expect(returned(result)).toBe(42 + n)
    expect(result.memo).toBe(false)
    return { tasks: tasksOf(world) - before, hits: memoOf(world).hits - hits }
  }
  expect(await plus('quorum:2', 1)).toEqual({ tasks: 4, hits: 0 })
  expect(await plus('quorum:2', 2)).toEqual({ tasks: 2, hits: 1 })
  // Verified by two executors, which is not by ourselves.
  expect(await plus('self', 3)).toEqual({ tasks: 2, hits: 0 })
  expect(await plus('self', 4)).toEqual({ tasks: 1, hits: 1 })
  expect(await plus('quorum:2', 5)).toEqual({ tasks: 2, hits: 1 })
  // The receipts are those of the outermost call.
  expect(await plus('quorum:2', 6, { fresh: true })).toEqual({ tasks: 2, hits: 1 })
})
