import { describe, expect, test } from 'vitest'
import type { EffectKind } from '../protocol/effects.ts'
import { CANCELLED_FUEL_MAX } from '../protocol/limits.ts'
import type { Clock } from '../protocol/ports.ts'
import { Advertisement } from '../protocol/records.ts'
import { outcomeOf, type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { machine, publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { createCostModelHost, MODEL_FUNCTION } from '../simulations/cost-model.ts'
import { withKeyedHashes } from '../simulations/keyed-hash.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { hostAnd, join, running } from './attacked-host.ts'
import { type CallRequest, ensureLevel } from './calls.ts'
import { unknownCoordinate } from './coordinates.ts'

const ONE_WAY_MS = 20
const CODE = new TextDecoder().decode(MODEL_FUNCTION.code)

/** A caller, another, and executors with one slot each, all 40 ms from each other there and back. */
const apart = async (
  name: string,
  executors: number,
  effects: EffectKind[] = [],
  clockOf: (clock: Clock) => Pick<Clock, 'monotonic' | 'after'> = (clock) => clock,
) => {
  const world = await worldFor(name, {
    machine: withKeyedHashes(machine),
    peers: 2 + executors,
    setup: (i) => ({
      policy: { slots: i < 2 ? 0 : 1 },
      sandboxHost: (_, clock) => createCostModelHost(clockOf(clock)),
    }),
    latencyMs: () => ONE_WAY_MS,
  })
  const [caller, other, ...lenders] = world.peers as [WorldPeer, WorldPeer, ...WorldPeer[]]
  const model = await publish(caller, CODE, { effects })
  await publish(other, CODE, { effects })
  let id = 0
  const begin = (ms: number, changes: Partial<CallRequest> = {}, from = caller) =>
    from.peer.call(requestOf(model, { id: id++, ms }, changes))
  const call = (...args: Parameters<typeof begin>) => world.until(begin(...args))
  /** Everybody has the code then, and the caller knows what it takes. */
  const warm = async (ms: number, from = caller) => {
    for (let i = 0; i < 15; i++) await call(ms, {}, from)
  }
  // A round trip is known once it was measured.
  await world.clock.advance(20_000)
  return { world, caller, other, lenders, begin, call, warm, model }
}

const holding = (lenders: readonly WorldPeer[]) => lenders.filter((one) => running(one) > 0).length
const computing = (lenders: readonly WorldPeer[]) =>
  lenders.filter(({ peer }) => peer.status().running.some(({ state }) => state === 'running')).length
const cancelledAt = (lenders: readonly WorldPeer[]) =>
  lenders.reduce((sum, { peer }) => sum + peer.status().today.cancelled, 0)

/** How many hold a copy, and how many compute, from when it is sent until it runs; then how many still hold one. */
const observe = async ({ world, lenders }: { world: World; lenders: WorldPeer[] }) => {
  let [held, computed] = [0, 0]
  for (let ms = 0; ms < 180; ms += 5) {
    await world.clock.advance(5)
    held = Math.max(held, holding(lenders))
    computed = Math.max(computed, computing(lenders))
  }
  return { held, computed, left: holding(lenders) }
}

describe('a call without effects', () => {
  test.each([
    ['never seen', 0, 1],
    ['of 20 ms', 20, 1],
    ['of 200 ms', 200, 2],
    ['of 1 s', 1000, 3],
  ])('%s goes to so many executors, and is computed by one', async (name, ms, copies) => {
    const one = await apart(`copies ${name}`, 5)
    if (ms > 0) await one.warm(ms)
    const before = cancelledAt(one.lenders)
    const result = one.begin(ms || 300)
    expect(await observe(one)).toEqual({ held: copies, computed: 1, left: ms === 20 ? 0 : 1 })
    expect(await one.world.until(result)).toMatchObject({ executions: 1, recovered: 0 })
    expect(cancelledAt(one.lenders) - before).toBe(0)
  })

  test('of an executor that turns out to be busy is computed by the next, without a word from the first', async () => {
    const { world, warm, begin, other, lenders } = await apart('busy', 3)
    await warm(1000)
    await warm(1000, other)
    // At the same moment: neither knows of the other.
    const both = [begin(1000), begin(1000, {}, other)]
    const fromMs = world.clock.monotonic()
    const results = await world.until(Promise.all(both))
    expect(results.map(({ executions }) => executions)).toEqual([1, 1])
    expect(new Set(results.map(({ performed }) => performed[0]!.executor)).size).toBe(2)
    expect(world.clock.monotonic() - fromMs).toBeLessThan(1300)
    expect(holding(lenders)).toBe(0)
  })

  test('goes to one where others wait: copies would take their places', async () => {
    const { world, warm, begin, lenders, caller } = await apart('many', 3)
    await warm(1000)
    const takenBack = () =>
      lenders.flatMap(({ events }) => events).filter(({ name }) => name === 'task.cancelled').length
    const before = takenBack()
    const results = Array.from({ length: 30 }, () => begin(1000))
    const fromMs = world.clock.monotonic()
    const all = await world.until(Promise.all(results))
    expect(all.every(({ executions }) => executions === 1)).toBe(true)
    // Ten each, one after another, and what the ends cost.
    expect(world.clock.monotonic() - fromMs).toBeLessThan(11_500)
    // Of 60 that there might be: of the first and the last there are copies.
    expect(takenBack() - before).toBeLessThanOrEqual(12)
    expect(caller.peer.status().today.asked.tasks).toBe(45)
  })

  test('whose executor dies while it runs is begun again, by one to whom a copy had been sent', async () => {
    const { world, warm, begin, lenders } = await apart('dies', 2)
    await warm(1000)
    const result = begin(1000)
    await world.clock.advance(200)
    world.kill(lenders.find((one) => running(one) > 0)!)
    expect(await world.until(result)).toMatchObject({ executions: 2, recovered: 1 })
  })
})

const STALL_MS = 200

/** The same clock, by which a sandbox that is stalled begins nothing until that is over. */
const stallable = () => {
  let untilMs = 0
  return {
    of: ({ monotonic, after }: Clock): Pick<Clock, 'monotonic' | 'after'> => ({
      monotonic,
      after: (ms, run) => after(ms + Math.max(0, untilMs - monotonic()), run),
    }),
    until: (ms: number) => {
      untilMs = ms
    },
  }
}

test('a trivial call behind the many of another, at executors that stall, is neither tied nor costs a sandbox', async () => {
  const stall = stallable()
  const { world, begin, call, other, lenders } = await apart('trivial', 3, [], (clock) => stall.of(clock))
  const isOver = world.clock.monotonic() + 3000
  const crowd = Array.from({ length: 128 }, async () => {
    while (world.clock.monotonic() < isOver) await begin(1, {}, other)
  })
  const took: number[] = []
  while (world.clock.monotonic() < isOver) {
    const fromMs = world.clock.monotonic()
    if (took.length % 8 > 4) stall.until(fromMs + STALL_MS)
    expect(await call(1)).toMatchObject({ executions: 1, recovered: 0 })
    took.push(world.clock.monotonic() - fromMs)
  }
  await world.until(Promise.all(crowd))
  // Such are three in eight: taken for run time, they make a mean of more than 50 ms.
  expect(took.filter((ms) => ms > STALL_MS).length).toBeGreaterThan(4)
  const seen = lenders.flatMap(({ events }) => events.map(({ name }) => name))
  expect(seen.filter((name) => name === 'task.cancelled' || name === 'sandbox.killed')).toEqual([])
})

test('a call with effects goes to one at a time, however long it runs', async () => {
  const one = await apart('effects', 4, ['call'])
  for (let i = 0; i < 3; i++) await one.call(1000)
  const result = one.begin(1000)
  expect(await observe(one)).toEqual({ held: 1, computed: 1, left: 1 })
  await one.world.until(result)
})

/** Executors 40 ms away that say at once that they run what they may, and answer after a second. */
const eager = async (name: string, count: number) => {
  const { world, caller, model } = await apart(name, 0)
  const executors: ScriptedPeer[] = []
  for (let i = 0; i < count; i++) {
    const peer = await (await scriptedPeer(world)).join(world.peers[0]!, 1)
    peer.react = (frame) => {
      if (frame.t === 'ping') peer.send({ t: 'pong', id: frame.id, coordinate: unknownCoordinate() })
      if (frame.t !== 'invoke' && frame.t !== 'tied') return
      if (frame.t === 'tied') peer.send({ t: 'started', ids: frame.items.map(({ id }) => id) })
      world.clock.after(1000, () => void peer.perform(frame, outcomeOf(1, 20_000_000)))
    }
    executors.push(peer)
  }
  await world.clock.advance(20_000)
  const ask = (level = 'none') => world.until(caller.peer.call(requestOf(model, 1, { level: ensureLevel(level) })))
  for (let i = 0; i < 3; i++) await ask()
  for (const { heard } of executors) heard.length = 0
  return { world, executors, ask }
}

test('a drawn verifier is asked alone, in the same words as one with copies', async () => {
  const { executors, ask } = await eager('verifier', 4)
  const { performed } = await ask('quorum:2')
  const tied = executors.flatMap((peer) => peer.all('tied').map(({ holds }) => ({ holds, peer: peer.peerId })))
  expect(executors.flatMap((peer) => peer.all('invoke'))).toEqual([])
  // Three copies of the first execution, and the verification.
  expect(tied).toHaveLength(4)
  const verifier = performed[1]!.executor
  expect(tied.filter(({ peer }) => peer === verifier).at(-1)!.holds).toEqual([0])
})

test('of two that say that they run one is given up', async () => {
  const { executors, ask } = await eager('twice', 2)
  expect(await ask()).toMatchObject({ executions: 1, recovered: 0 })
  expect(executors.map((peer) => peer.all('tied').length)).toEqual([1, 1])
  expect(executors.map((peer) => peer.all('cancel').length).sort()).toEqual([0, 1])
})

describe('an executor that gets a tied item', () => {
  const tied = async (name: string, holdMs: number) => {
    const made = await hostAnd(name, { delayMs: 1000 })
    const peer = await join(made.world, made.host)
    await peer.say({ ...(await peer.invoke(made.double, [1])), t: 'tied', holds: [holdMs] })
    return { ...made, peer }
  }

  test('starts it when the hold is over, and says so', async () => {
    const { world, peer } = await tied('held', 3000)
    await world.clock.advance(2990)
    expect([peer.all('started'), peer.all('accepted').length]).toEqual([[], 1])
    await world.clock.advance(20)
    expect(peer.all('started')).toEqual([{ t: 'started', ids: [1] }])
    expect((await peer.next('answers')).items).toHaveLength(1)
  })

  test('books nothing for what is cancelled before', async () => {
    const { world, peer, host, stillServes } = await tied('before', 3000)
    await world.clock.advance(1000)
    await peer.say({ t: 'cancel', ids: [1] })
    await world.clock.advance(5000)
    expect([peer.all('started'), running(host)]).toEqual([[], 0])
    expect(host.peer.status().today).toMatchObject({ tasks: 0, cancelled: 0, fuel: 0 })
    await stillServes()
  })

  test('does not offer less for what it holds back', async () => {
    const { world, peer } = await tied('offers', 10_000)
    await world.clock.advance(2000)
    const offers = peer.all('advertise').map(({ signed }) => Advertisement.decode(signed.payload))
    expect(offers.at(-1)).toMatchObject({ slots: 2, free: 2, queued: 0 })
    // Not for a moment either.
    expect(peer.all('load').filter(({ free }) => free < 2)).toEqual([])
  })

  test('has room as soon as its invoker leaves', async () => {
    const { world, peer, host } = await tied('leaves', 10_000)
    peer.hangUp()
    await world.clock.advance(100)
    expect(running(host)).toBe(0)
    expect(host.peer.status().today.cancelled).toBe(0)
  })
})

test('an attempt that is given up is booked up to the cap, what was accepted in full', async () => {
  const { world, caller, begin, call, lenders } = await apart('booked', 1)
  const stop = new AbortController()
  await call(1000)
  const result = begin(30_000, { signal: stop.signal })
  result.catch(() => {})
  await world.clock.advance(20_000)
  stop.abort()
  await expect(world.until(result)).rejects.toMatchObject({ code: 'E_CANCELLED' })
  await world.clock.advance(100)
  const fuel = 1000 * 20_000 + CANCELLED_FUEL_MAX
  expect(lenders[0]!.peer.status().today).toMatchObject({ tasks: 1, cancelled: 1, fuel })
  expect(caller.peer.status().today.asked).toEqual({ tasks: 1, cancelled: 1, fuel })
})
