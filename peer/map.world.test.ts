import { describe, expect, test } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { lyingHost, slowHost } from '../simulations/adversaries.ts'
import type { PeerSetup, World } from '../simulations/world.ts'
import { type CallRequest, ensureLevel } from './calls.ts'
import { inputsOf } from './inputs.ts'
import type { MapResult } from './map.ts'

const DOUBLE = 'export default (x) => { if (x === 13) throw new Error("unlucky"); return 2 * x }'
const slow = (delayMs: () => number): PeerSetup => ({ sandboxHost: (host, clock) => slowHost(host, clock, delayMs) })

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, ...setups: PeerSetup[]): Promise<World> =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

interface Mapping {
  count: number
  unordered?: boolean
  changes?: Partial<CallRequest>
  /** Called with each result before the next is taken. */
  seen?(result: MapResult): unknown
}

/** Maps 0, 1, 2, …; how many inputs were pulled so far, and whether the inputs were ended. */
const mapping = async (world: World, { count, unordered = false, changes = {}, seen }: Mapping) => {
  const caller = world.peers[0]!
  const double = await publish(caller, DOUBLE)
  const state = { pulled: 0, ended: false }
  async function* inputs() {
    try {
      for (; state.pulled < count; state.pulled++) yield encodeValue(state.pulled)
    } finally {
      state.ended = true
    }
  }
  const { input: _, ...request } = requestOf(double, null, changes)
  const results = caller.peer.map(request, inputsOf(inputs()), unordered)
  const all = async () => {
    const found: MapResult[] = []
    for await (const ready of results) {
      for (const result of ready) {
        found.push(result)
        await seen?.(result)
      }
    }
    return found
  }
  return { state, results, all }
}

const valueOrCode = (one: MapResult) => {
  if ('error' in one) return one.error.code
  const { result } = one.result.outcome
  return result.ok ? returned(one.result) : result.code
}
const expected = (count: number) => Array.from({ length: count }, (_, i) => (i === 13 ? 'E_FUNCTION_THREW' : 2 * i))

describe('a map over peers', () => {
  test.each([false, true])('gives each index once (unordered: %s)', async (unordered) => {
    const world = await callerAnd(
      `all ${unordered}`,
      {},
      slow(() => 20),
      slow(() => 3),
    )
    const { all } = await mapping(world, { count: 500, unordered })
    const results = await world.until(all())
    const indices = results.map(({ index }) => index)
    if (!unordered) expect(indices).toEqual(expected(500).map((_, i) => i))
    else expect(indices).not.toEqual([...indices].sort((a, b) => a - b))
    const byIndex = results.sort((a, b) => a.index - b.index)
    expect(byIndex.map(valueOrCode)).toEqual(expected(500))
  })

  test('10,000 trivial items over 3 peers, one of which is killed in the middle', async () => {
    const world = await callerAnd(
      'killed',
      slow(() => 2),
      slow(() => 2),
      slow(() => 2),
    )
    const seen = ({ index }: MapResult) => {
      if (index === 4000) world.kill(world.peers[2]!)
    }
    const { all } = await mapping(world, { count: 10_000, seen })
    const results = await world.until(all())
    expect(results.map(({ index }) => index)).toEqual(expected(10_000).map((_, i) => i))
    expect(results.map(valueOrCode)).toEqual(expected(10_000))
    const recovered = results.filter((one) => 'result' in one && one.result.recovered > 0)
    expect(recovered.length).toBeGreaterThan(0)
    const workers = new Set(results.map((one) => ('result' in one ? one.result.performed[0]!.executor : '')))
    expect(workers).toEqual(new Set(world.peers.slice(1).map(({ peerId }) => peerId)))
  })

  test.each(['audit', 'self', 'quorum:2'])('with a liar among them is right at %s', async (text) => {
    const world = await callerAnd(`liar at ${text}`, {}, { sandboxHost: lyingHost }, {}, {})
    const { all } = await mapping(world, { count: 200, changes: { level: ensureLevel(text) } })
    const results = await world.until(all())
    expect(results.map(valueOrCode)).toEqual(expected(200))
    const disputes = results.flatMap((one) => ('result' in one ? one.result.disputes : []))
    expect(disputes.length).toBeGreaterThan(0)
    expect(new Set(disputes.map(({ liar }) => liar))).toEqual(new Set([world.peers[2]!.peerId]))
  })

  test('runs here when nobody is in reach, and goes on here when the last one leaves', async () => {
    const world = await callerAnd(
      'leaves',
      slow(() => 2),
    )
    const seen = ({ index }: MapResult) => {
      if (index === 50) world.kill(world.peers[1]!)
    }
    const { all } = await mapping(world, { count: 200, changes: { remote: false }, seen })
    const results = await world.until(all())
    expect(results.map(valueOrCode)).toEqual(expected(200))
    const here = results.filter((one) => 'result' in one && one.result.local)
    expect(here.length).toBeGreaterThan(50)
    expect(here.length).toBeLessThan(200)
  })
})

describe('a map keeps to what there is room for', () => {
  test('inputs are pulled as results are taken', async () => {
    const world = await callerAnd(
      'pulled',
      slow(() => 50),
      slow(() => 50),
    )
    const { state, results } = await mapping(world, { count: 100_000 })
    let consumed = 0
    while (consumed < 100) {
      for (const { index } of (await world.until(results.next())).value) expect(index).toBe(consumed++)
    }
    await world.clock.advance(60_000)
    const { pulled } = state
    expect(pulled).toBeLessThan(500)
    await world.clock.advance(60_000)
    expect(state.pulled).toBe(pulled)
    await world.until(results.return(undefined))
    expect(state.ended).toBe(true)
  })

  test('an abort ends what is under way, there too', async () => {
    const world = await callerAnd(
      'abort',
      slow(() => 1000),
      slow(() => 1000),
    )
    const abort = new AbortController()
    const { all } = await mapping(world, { count: 30, changes: { signal: abort.signal } })
    const run = all()
    await world.clock.advance(1500)
    abort.abort()
    const results = await world.until(run)
    const codes = results.map(valueOrCode)
    expect(codes.filter((code) => code !== 'E_CANCELLED')).toContain(0)
    expect(codes.slice(4)).toContain('E_CANCELLED')
    for (const [i, code] of codes.entries()) expect([2 * i, 'E_CANCELLED']).toContain(code)
    await world.clock.advance(10)
    for (const { peer } of world.peers) expect(peer.status().running).toEqual([])
  })

  test('items that fail do not end it', async () => {
    const world = await callerAnd(
      'fails',
      slow(() => 5000),
    )
    const { all } = await mapping(world, { count: 5, changes: { timeoutMs: 1000 } })
    expect((await world.until(all())).map(valueOrCode)).toEqual(Array(5).fill('E_TIMEOUT'))
  })
})
