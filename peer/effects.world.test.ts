import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CID } from '../protocol/cid.ts'
import { verifyEnvelope } from '../protocol/envelope.ts'
import { BLOCKS_PROTOCOL, BlockFrame, type FrameOf } from '../protocol/frames.ts'
import { CALL_DEPTH_MAX, MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Channel } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import { outcomeOf, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned, slowVerify, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import { createWorld, type PeerSetup, type World, type WorldOptions, type WorldPeer } from '../simulations/world.ts'
import { type CallResult, type CallWish, ensureLevel } from './calls.ts'

/** A module whose exports are those named; it declares that it calls. */
const calling = (world: World, code: string, exports: string[], changes: { fuel?: number } = {}) =>
  publish(world.peers[0]!, code, { exports, effects: ['call'], ...changes })

const slow = (delayMs: number): PeerSetup => ({ sandboxHost: (host, clock) => slowHost(host, clock, () => delayMs) })

/** Peer 0 calls and lends nothing. */
const setup = (...setups: PeerSetup[]): Pick<WorldOptions, 'peers' | 'setup'> => ({
  peers: 1 + setups.length,
  setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } },
})
const callerAnd = (name: string, ...setups: PeerSetup[]) => worldFor(name, setup(...setups))

/** The nested calls that peer 0 makes from now on, as home. */
const nestedCalls = (world: World): CallWish[] => {
  const made: CallWish[] = []
  const { peer } = world.peers[0]!
  const call = peer.call.bind(peer)
  peer.call = (request) => {
    if (request.depth > 0) made.push(request)
    return call(request)
  }
  return made
}

const SUM = `
  export default async (x, env, ctx) => (await ctx.call('#part', x)) + (await ctx.call('#part', x + 1))
  export const part = (x) => 10 * x
`
/** Makes `count` calls one after another; returns for each what `value` says, or the code of its error. */
const oneByOne = (count: number, value: string) => `
  export default async (x, env, ctx) => {
    const found = []
    for (let i = 0; i < ${count}; i++) {
      try { found.push(${value}) } catch (error) { found.push(error.code) }
    }
    return found
  }
`
const levels = ['none', 'audit', 'self', 'quorum:2']

describe('ctx.call', () => {
  test.each(levels)('of an own export, at level %s', async (text) => {
    const world = await callerAnd(`own ${text}`, {}, {}, {})
    const nested = nestedCalls(world)
    const sum = await calling(world, SUM, ['default', 'part'])
    const result = await world.until(world.peers[0]!.peer.call(requestOf(sum, 3, { level: ensureLevel(text) })))
    expect(returned(result)).toBe(70)
    expect(result).toMatchObject({ executions: text === 'none' ? 1 : 2, recovered: 0, disputes: [] })
    // Verification replays the journal: what was requested is performed once.
    expect(nested).toHaveLength(2)
    for (const one of nested) expect(one).toMatchObject({ depth: 1, export: 'part', level: ensureLevel(text) })
    for (const one of result.performed)
      await verifyEnvelope(machine.crypto, 'receipt', await world.until(one.receipt()))
    expect(world.peers[0]!.events.filter(({ name }) => name === 'peer.misbehaved')).toEqual([])
  })

  test('of another function, by its CID, with and without an export', async () => {
    const world = await callerAnd('other', {}, {})
    const other = await publish(world.peers[0]!, 'export default (x) => -x; export const twice = (x) => 2 * x', {
      exports: ['default', 'twice'],
    })
    const code = `export default async (x, env, ctx) => [await ctx.call(x), await ctx.call(x, 1), await ctx.call(x + '#twice', 2)]`
    const caller = await calling(world, code, ['default'])
    const result = await world.until(world.peers[0]!.peer.call(requestOf(caller, other.cid.toString())))
    expect(returned(result)).toEqual([0, -1, 4])
  })

  test('without peers: one slot is enough, since whoever waits holds none', async () => {
    const world = await callerAnd('alone')
    const sum = await calling(world, SUM, ['default', 'part'])
    const result = await world.until(world.peers[0]!.peer.call(requestOf(sum, 3, { remote: false })))
    expect(returned(result)).toBe(70)
    expect(result.local).toBe(true)
  })

  test('of many at once, by callers that fill the only executor: nobody waits for ever', async () => {
    const world = await callerAnd('full', slow(5))
    const code = `
      export default async (x, env, ctx) => {
        const parts = await Promise.all([1, 2, 3].map((i) => ctx.call('#part', i * x)))
        return parts.reduce((a, b) => a + b)
      }
      export const part = (x) => 10 * x
    `
    const sum = await calling(world, code, ['default', 'part'])
    const calls = Array.from({ length: 30 }, (_, i) => world.peers[0]!.peer.call(requestOf(sum, i)))
    const results = await world.until(Promise.all(calls))
    expect(results.map(returned)).toEqual(results.map((_, i) => 60 * i))
  })

  test('a request that nobody awaits does not hold up the result', async () => {
    const world = await callerAnd('unawaited', {}, {})
    const code = `export default (x, env, ctx) => { ctx.call('#part', 1); return x }\nexport const part = (x) => x`
    const caller = await calling(world, code, ['default', 'part'])
    const result = await world.until(world.peers[0]!.peer.call(requestOf(caller, 5, { level: { level: 'self' } })))
    expect(returned(result)).toBe(5)
    expect(result.performed[0]!.executor).not.toBe(world.peers[0]!.peerId)
  })

  test('is refused to a function that does not declare it', async () => {
    const world = await callerAnd('undeclared', {})
    const sum = await publish(world.peers[0]!, SUM, { exports: ['default', 'part'] })
    const { outcome } = await world.until(world.peers[0]!.peer.call(requestOf(sum, 3)))
    expect(outcome.result).toMatchObject({ ok: false, code: 'E_EFFECT_UNDECLARED' })
  })
})

describe('a call that fails', () => {
  const caught = async (name: string, call: string, rest = '', changes: { fuel?: number } = {}) => {
    const world = await callerAnd(name, {}, {})
    const code = `
      export default async (x, env, ctx) => {
        try { return await ctx.call(${call}) } catch (error) { return [error.code, error.message] }
      }
      ${rest}`
    const exports = [
      'default',
      ...[...rest.matchAll(/export (?:const|async function|function) (\w+)/g)].map(([, one]) => one!),
    ]
    const caller = await calling(world, code, exports, changes)
    const result = await world.until(world.peers[0]!.peer.call(requestOf(caller, null)))
    expect(world.peers[0]!.peer.status().neighbours).toHaveLength(2)
    return returned(result)
  }

  test.each([
    ['throws', `'#bad'`, `export const bad = () => { throw new Error('oh') }`, ['E_FUNCTION_THREW', 'Error: oh']],
    ['has no such export', `'#none'`, '', ['E_EXPORT_UNKNOWN', expect.stringContaining('no export none')]],
    ['has a name that is none', `'none'`, '', ['E_USAGE', expect.stringContaining('neither')]],
    [
      'has options out of bounds',
      `'#part', 1, { fuel: 1.5 }`,
      'export const part = (x) => x',
      ['E_USAGE', expect.any(String)],
    ],
    [
      'has a timeout out of bounds',
      `'#part', 1, { timeoutMs: 0.5 }`,
      'export const part = (x) => x',
      ['E_USAGE', expect.any(String)],
    ],
    [
      'uses up its fuel',
      `'#loop', 1, { fuel: 100000 }`,
      'export const loop = () => { for (;;); }',
      ['E_FUEL_LIMIT', expect.any(String)],
    ],
  ])('because it %s: the caller can catch it', async (name, call, rest, expected) => {
    expect(await caught(name, call, rest)).toEqual(expected)
  })

  test(`${CALL_DEPTH_MAX} deep is the end`, async () => {
    const world = await callerAnd('deep', {}, {})
    const code = `export default async (x, env, ctx) => {
      try { return 1 + await ctx.call('#default', x) } catch (error) { return error.code === 'E_CALL_DEPTH' ? 0 : error.code }
    }`
    const deep = await calling(world, code, ['default'])
    expect(returned(await world.until(world.peers[0]!.peer.call(requestOf(deep, 1))))).toBe(CALL_DEPTH_MAX)
  })

  test('fuel is of one budget: what one call used, the next has no more', async () => {
    const world = await callerAnd('fuel', {}, {})
    const work = 'export const work = () => { let n = 0; for (let i = 0; i < 300000; i++) n += i; return n }'
    const one = await calling(world, oneByOne(5, `(await ctx.call('#work'), 'ok')`) + work, ['default', 'work'])
    const request = requestOf(one, null, { export: 'work' })
    const { outcome } = await world.until(world.peers[0]!.peer.call(request))
    const budget = Math.round(2.5 * outcome.fuel)
    const limited = { ...one.manifest.limits, fuel: budget }
    const result = await world.until(world.peers[0]!.peer.call(requestOf(one, null, { limits: limited })))
    expect(returned(result)).toEqual(['ok', 'ok', 'E_FUEL_LIMIT', 'E_FUEL_LIMIT', 'E_FUEL_LIMIT'])
  })

  test('results of all calls must fit a journal', async () => {
    const world = await callerAnd('large', {}, {})
    const big = 'export const big = () => new Uint8Array(1000000)'
    const large = await calling(world, oneByOne(6, `(await ctx.call('#big')).length`) + big, ['default', 'big'])
    const result = await world.until(
      world.peers[0]!.peer.call(requestOf(large, null, { level: { level: 'quorum', n: 2 } })),
    )
    expect(returned(result)).toEqual([1e6, 1e6, 1e6, 1e6, 'E_OUTPUT_LIMIT', 'E_OUTPUT_LIMIT'])
  })
})

describe('when its executor is lost', () => {
  /** The executor of the outermost call is killed after `ms`. */
  const killedAfter = async (seed: number, ms: number, verifyMs: number) => {
    const world = await createWorld({
      ...{ machine, seed },
      ...setup(slow(300), slow(300), slow(300), slow(300)),
      ...(verifyMs > 0 && { crypto: slowVerify(verifyMs) }),
    })
    await world.clock.advance(5000)
    const nested = nestedCalls(world)
    const sum = await calling(world, SUM, ['default', 'part'])
    const call = world.peers[0]!.peer.call(requestOf(sum, 3))
    await world.clock.advance(ms)
    const root = world.peers.find(({ peer }) => peer.status().running.some((task) => task.export === 'default'))
    if (root) world.kill(root)
    const result = await world.until(call)
    await world.stop()
    return { killed: root !== undefined, result, nested: nested.length }
  }

  test('the next goes on with the journal: whatever the moment, each request is performed once', async () => {
    let killed = 0
    const moments = fc.tuple(fc.nat(1e6), fc.integer({ min: 0, max: 1600 }), fc.constantFrom(0, 0, 30))
    const property = fc.asyncProperty(moments, async ([seed, ms, verifyMs]) => {
      const stands = await killedAfter(seed, ms, verifyMs)
      expect(returned(stands.result)).toBe(70)
      expect(stands.nested).toBe(2)
      if (stands.killed) {
        killed++
        expect(stands.result.recovered).toBe(1)
      }
    })
    await checkProperty('killed', property, { runs: 15 })
    expect(killed).toBeGreaterThan(0)
  })

  test('an answer that comes while the code is still on its way is not lost', async () => {
    const world = await callerAnd('loading', {}, {})
    const [caller, host] = world.peers as [WorldPeer, WorldPeer]
    const code = `export default async (x, env, ctx) => 1 + await ctx.call('#part', x)\nexport const part = (x) => x`
    const f = await calling(world, code, ['default', 'part'])
    const first = await world.until(caller.peer.call(requestOf(f, 3)))
    const [request] = first.performed[0]!.item.journal
    const idle = first.performed[0]!.executor === host.peerId ? world.peers[2]! : host
    // Only the one that asks has the code, and takes its time.
    const peer = await scriptedPeer(world)
    const serve = async (channel: Channel, cid: CID) => {
      await new Promise<void>((resolve) => world.clock.after(200, resolve))
      const bytes = (await caller.peer.block(cid))!
      channel.send(BlockFrame.encode({ t: 'have', cids: [cid], missing: [] }))
      channel.send(BlockFrame.encode({ t: 'block', cid, size: bytes.length, offset: 0, bytes }))
    }
    const accept = (channel: Channel) =>
      channel.receive({
        frame: (bytes) => {
          const frame = BlockFrame.decode(bytes)
          if (frame.t === 'want') for (const cid of frame.cids) void serve(channel, cid)
        },
        closed: () => {},
      })
    peer.ports.network.handle(BLOCKS_PROTOCOL, accept, { frameBytesMax: MIB })
    await peer.join(idle)
    const invoke = await peer.invoke(f, [3])
    await peer.say({
      ...invoke,
      items: invoke.items.map((item) => ({ ...item, attempt: 2, epoch: 1, journal: [request!] })),
    })
    await peer.say({ t: 'answer', id: 1, n: 0, answer: { ok: true, value: encodeValue(9) } })
    const [answer] = (await peer.next('answers')).items
    expect(Outcome.decode(answer!.outcome).result).toEqual({ ok: true, value: encodeValue(10) })
    expect(peer.all('request')).toEqual([])
  })

  test('an answer that crosses the outcome on its way does not spoil the receipt', async () => {
    const code = `
      export default (x, env, ctx) => Promise.race([ctx.call('#part', 1), ctx.call('#part', 2), ctx.call('#part', 3)])
      export const part = (x) => x
    `
    let crossed = 0
    for (let n = 0; crossed < 3; n++) {
      const options = { ...setup({}, slow(15 * (n % 5)), {}), latencyMs: () => 20 }
      const world = await worldFor(`race ${n}`, options)
      const race = await calling(world, code, ['default', 'part'])
      const result = await world.until(world.peers[0]!.peer.call(requestOf(race, null)))
      const receipt = await world.until(result.performed[0]!.receipt())
      await verifyEnvelope(machine.crypto, 'receipt', receipt)
      if (result.performed[0]!.item.journal.filter(({ entry }) => entry === 'answer').length > 1) crossed++
    }
  })
})

describe('an executor that requests what the function does not', () => {
  const invented = { kind: 'call' as const, arguments: encodeValue({ ref: '#part', input: 999 }) }

  /** Asks for what nobody asked for, and then answers, or says nothing more. */
  const liar = async (world: World, answers: boolean) => {
    const peer = await scriptedPeer(world)
    const invokes = new Map<number, FrameOf<'invoke'>>()
    peer.react = (frame) => {
      if (frame.t === 'invoke' && frame.task.export === 'part') {
        const ids = frame.items.map(({ id }) => id)
        peer.send({ t: 'refused', ids, code: 'E_NOT_ACCEPTED', message: 'not this one', better: [] })
      } else if (frame.t === 'invoke') {
        const [{ id }] = frame.items as [(typeof frame.items)[0]]
        invokes.set(id, frame)
        peer.send({ t: 'request', id, n: 0, after: 0, ...invented })
      }
      const invoke = frame.t === 'answer' && answers ? invokes.get(frame.id) : undefined
      if (!invoke || frame.t !== 'answer') return
      const journal = [
        { entry: 'request' as const, n: 0, after: 0, ...invented },
        { entry: 'answer' as const, n: 0, answer: frame.answer },
      ]
      const items = invoke.items.map((item) => ({ ...item, journal }))
      void peer.perform({ ...invoke, items }, { ...outcomeOf(7), requests: [invented] })
    }
    return peer.join(world.peers[0]!, 1)
  }

  /** Calls, each with the right result, until one has met the liar. */
  const untilMet = async (world: World, text: string, isMet: (result: CallResult) => boolean): Promise<CallResult> => {
    const sum = await calling(world, SUM, ['default', 'part'])
    for (let i = 0; i < 40; i++) {
      const level = { level: ensureLevel(text), timeoutMs: 20_000 }
      const result = await world.until(world.peers[0]!.peer.call(requestOf(sum, 3, level)))
      expect(returned(result)).toBe(70)
      if (isMet(result)) return result
      await world.clock.advance(1100)
    }
    throw new Error('no call met the liar')
  }
  const isDisputed = ({ disputes }: CallResult) => disputes.length > 0

  test('and answers is caught at self, and the home has the right answer', async () => {
    const world = await callerAnd('invented at self', {})
    const peer = await liar(world, true)
    const result = await untilMet(world, 'self', isDisputed)
    expect(result.disputes).toMatchObject([{ liar: peer.peerId }])
    expect(result.executions).toBe(3)
  })

  test('and answers is outvoted at quorum:2', async () => {
    const world = await callerAnd('invented at quorum', {}, {})
    const peer = await liar(world, true)
    const result = await untilMet(world, 'quorum:2', isDisputed)
    expect(result.disputes).toMatchObject([{ liar: peer.peerId }])
  })

  test.each(levels)('and falls silent does not spoil the call at %s', async (text) => {
    const world = await callerAnd(`silent at ${text}`, {}, {})
    await liar(world, false)
    const result = await untilMet(world, text, ({ recovered }) => recovered > 0)
    expect(result.disputes).toEqual([])
  })
})
