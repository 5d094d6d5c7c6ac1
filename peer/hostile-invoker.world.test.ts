import { describe, expect, test } from 'vitest'
import { rawCid, recordCid } from '../protocol/cid.ts'
import { BLOCKS_PROTOCOL, BlockFrame, type FrameOf } from '../protocol/frames.ts'
import { MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import { Invocation, taskIdOf } from '../protocol/records.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { machine, publish, requestOf, returned } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { QUEUE_ITEMS_MAX } from './admission.ts'
import { codesOf, hostAnd, join, running } from './attacked-host.ts'

describe('an invoke that is not as it should be', () => {
  type Change = (peer: ScriptedPeer, frame: FrameOf<'invoke'>) => Promise<FrameOf<'invoke'>> | FrameOf<'invoke'>
  const otherCid = recordCid(machine.crypto, Uint8Array.of(7))
  const resigned = async (peer: ScriptedPeer, frame: FrameOf<'invoke'>, changes: Partial<Invocation>) => {
    const payloads = frame.signed.payloads.map((bytes) =>
      Invocation.encode({ ...Invocation.decode(bytes), ...changes }),
    )
    return { ...frame, signed: await peer.signBatch('invocation', payloads) }
  }

  test.each<[string, string, Change]>([
    [
      'has one id twice',
      'E_MESSAGE',
      (_, frame) => ({ ...frame, items: frame.items.map((item) => ({ ...item, id: 7 })) }),
    ],
    [
      'has fewer invocations than items',
      'E_MESSAGE',
      async (peer, frame) => {
        const signed = await peer.signBatch('invocation', frame.signed.payloads.slice(1))
        return { ...frame, signed }
      },
    ],
    [
      'has another input than was signed',
      'E_MESSAGE',
      (_, frame) => ({
        ...frame,
        items: frame.items.map((item) => ({ ...item, input: encodeValue(99) })),
      }),
    ],
    [
      'has other limits than were signed',
      'E_MESSAGE',
      (_, { task, ...rest }) => {
        const { environment } = task
        const limits = { ...environment.limits, fuel: 1 }
        return { ...rest, task: { ...task, environment: { ...environment, limits } } }
      },
    ],
    [
      'has a broken signature',
      'E_SIGNATURE',
      (_, frame) => ({
        ...frame,
        signed: { ...frame.signed, signature: frame.signed.signature.map((byte) => byte ^ 1) },
      }),
    ],
    [
      'is signed as a receipt',
      'E_SIGNATURE',
      async (peer, frame) => ({
        ...frame,
        signed: await peer.signBatch('receipt', frame.signed.payloads),
      }),
    ],
    ['is of another mesh', 'E_MESH_MISMATCH', (peer, frame) => resigned(peer, frame, { mesh: otherCid })],
    ['is of another task', 'E_MESSAGE', (peer, frame) => resigned(peer, frame, { task: otherCid })],
    [
      'is of another invoker',
      'E_MESSAGE',
      (peer, frame) => resigned(peer, frame, { invoker: peer.world.peers[1]!.peerId }),
    ],
    ['has another home', 'E_MESSAGE', (peer, frame) => resigned(peer, frame, { home: peer.world.peers[1]!.peerId })],
    [
      'has invocations that are none',
      'E_MESSAGE',
      async (peer, frame) => ({
        ...frame,
        signed: await peer.signBatch(
          'invocation',
          frame.items.map(() => Uint8Array.of(0xa0)),
        ),
      }),
    ],
  ])('%s: the link is closed with %s, nothing is answered, and nothing goes on running', async (name, code, change) => {
    const { world, host, double, stillServes } = await hostAnd(name)
    const peer = await join(world, host)
    await peer.say(await change(peer, await peer.invoke(double, [1, 2])))
    expect(codesOf(peer)).toEqual([code])
    expect(peer.closed).toBeDefined()
    expect(running(host)).toBe(0)
    expect(peer.all('answers')).toEqual([])
    await stillServes()
  })

  test('an answer to what is deferred, which awaits none: the link is closed with E_MESSAGE', async () => {
    const { world, host } = await hostAnd('deferred')
    const peer = await join(world, host)
    const code = `export default async (x, { DB }, ctx) => { DB.put('a', 1); return ctx.now() }`
    const env = [{ name: 'DB', kind: 'state' as const }]
    const writes = await publish(host, code, { effects: ['now', 'put'], env })
    await peer.say(await peer.invoke(writes, [1]))
    const requests = [await peer.next('request'), await peer.next('request')]
    expect(requests.map(({ n, after, kind }) => [n, after, kind])).toEqual([
      [0, 0, 'put'],
      [1, 0, 'now'],
    ])
    await peer.say({ t: 'answer', id: 1, n: 0, answer: { ok: true, value: encodeValue(null) } })
    expect(codesOf(peer)).toEqual(['E_MESSAGE'])
    expect(running(host)).toBe(0)
  })

  test.each([
    ['the same request twice', 0],
    ['a request that was never made', 7],
  ])('an answer to %s: the link is closed with E_MESSAGE, and nothing goes on running', async (what, n) => {
    const { world, host, stillServes } = await hostAnd(what)
    const peer = await join(world, host)
    const code = 'export default async (x, env, ctx) => (await ctx.now()) + (await ctx.now())'
    await peer.say(await peer.invoke(await publish(host, code, { effects: ['now'] }), [1]))
    await peer.next('request')
    const answer = { ok: true as const, value: encodeValue(1) }
    await peer.say({ t: 'answer', id: 1, n: 0, answer })
    // It was the right one: the function goes on.
    expect(await peer.next('request')).toMatchObject({ n: 1, after: 1 })
    expect(running(host)).toBe(1)
    await peer.say({ t: 'answer', id: 1, n, answer })
    expect(codesOf(peer)).toEqual(['E_MESSAGE'])
    expect(peer.closed).toBeDefined()
    expect(running(host)).toBe(0)
    expect(peer.all('answers')).toEqual([])
    await stillServes()
  })

  test('is tied, with fewer holds than items', async () => {
    const { world, host, double, stillServes } = await hostAnd('holds')
    const peer = await join(world, host)
    await peer.say({ ...(await peer.invoke(double, [1, 2])), t: 'tied', holds: [0] })
    expect(codesOf(peer)).toEqual(['E_MESSAGE'])
    expect(running(host)).toBe(0)
    await stillServes()
  })

  test('reuses an id that is under way', async () => {
    const { world, host, double } = await hostAnd('reused', { delayMs: 1000 })
    const peer = await join(world, host)
    const invoke = await peer.invoke(double, [1, 2])
    await peer.say(invoke)
    expect(running(host)).toBe(2)
    await peer.say(invoke)
    expect(codesOf(peer)).toEqual(['E_MESSAGE'])
    expect(running(host)).toBe(0)
  })

  test('is one that would do: it runs, and is signed for', async () => {
    const { world, host, double } = await hostAnd('right')
    const peer = await join(world, host)
    await peer.say(await peer.invoke(double, [1, 2]))
    expect((await peer.next('answers')).items).toHaveLength(2)
    expect((await peer.next('receipts')).ids).toEqual([1, 2])
  })

  test('names an export that is not there: its outcome says so', async () => {
    const { world, host, double } = await hostAnd('export')
    const peer = await join(world, host)
    const { crypto } = peer.ports
    const invoke = await peer.invoke(double, [1])
    const task = { ...invoke.task, export: 'constructor' }
    const [item] = invoke.items
    const named = taskIdOf(crypto, { v: 1, ...task, input: rawCid(crypto, item!.input) })
    await peer.say({ ...(await resigned(peer, invoke, { task: named })), task })
    const [answer] = (await peer.next('answers')).items
    expect(Outcome.decode(answer!.outcome).result).toMatchObject({ ok: false, code: 'E_EXPORT_UNKNOWN' })
  })
})

describe('code that is not there', () => {
  /** A peer that serves blocks as the test says. */
  const serving = async (world: World, host: WorldPeer, act: (want: { cids: readonly unknown[] }) => unknown) => {
    const peer = await scriptedPeer(world)
    peer.ports.network.handle(
      BLOCKS_PROTOCOL,
      (channel) =>
        channel.receive({
          frame: (bytes) => {
            const frame = BlockFrame.decode(bytes)
            if (frame.t !== 'want') return
            for (const answer of act(frame) as (typeof frame | Parameters<typeof BlockFrame.encode>[0])[])
              channel.send(BlockFrame.encode(answer))
          },
          closed: () => {},
        }),
      { frameBytesMax: MIB },
    )
    return peer.join(host)
  }
  const nowhere = {
    cid: recordCid(machine.crypto, Uint8Array.of(9)),
    manifest: { limits: { fuel: 1e6, memory_bytes: 0, output_bytes: 9 } },
  }

  test('fails: E_BLOCK_MISSING', async () => {
    const { world, host, stillServes } = await hostAnd('missing')
    const peer = await serving(world, host, ({ cids }) => [{ t: 'have', cids: [], missing: cids }])
    await peer.say(await peer.invoke(nowhere as never, [1]))
    expect(await peer.next('failed')).toMatchObject({ ids: [1], code: 'E_BLOCK_MISSING' })
    await stillServes()
  })

  test('is sent wrong: E_BLOCK_MISSING for the item, and the sender is known for it', async () => {
    const { world, host, stillServes } = await hostAnd('wrong')
    const bytes = new Uint8Array(100)
    const peer = await serving(world, host, ({ cids }) =>
      cids.flatMap((cid) => [
        { t: 'have', cids: [cid], missing: [] },
        { t: 'block', cid, size: 100, offset: 0, bytes },
      ]),
    )
    await peer.say(await peer.invoke(nowhere as never, [1]))
    expect(await peer.next('failed')).toMatchObject({ ids: [1], code: 'E_BLOCK_MISSING' })
    expect(host.events).toContainEqual({
      name: 'peer.misbehaved',
      fields: expect.objectContaining({ peer: peer.peerId, code: 'E_BLOCK_MISMATCH' }),
    })
    await stillServes()
  })

  test('is a block, but no function: E_MESSAGE', async () => {
    const { world, host, stillServes } = await hostAnd('no function')
    const bytes = Uint8Array.of(0x82, 1, 2)
    const peer = await serving(world, host, ({ cids }) =>
      cids.flatMap((cid) => [
        { t: 'have', cids: [cid], missing: [] },
        { t: 'block', cid, size: bytes.length, offset: 0, bytes },
      ]),
    )
    await peer.say(await peer.invoke({ ...nowhere, cid: recordCid(machine.crypto, bytes) } as never, [1]))
    expect(await peer.next('failed')).toMatchObject({ ids: [1], code: 'E_MESSAGE' })
    await stillServes()
  })

  test('that one peer never sends does not hold up another who has it', async () => {
    const { world, host, caller } = await hostAnd('shared')
    const triple = await publish(caller, 'export default (x) => 3 * x')
    const mute = await serving(world, host, () => [])
    await mute.say(await mute.invoke(triple, [1]))
    await world.clock.advance(100)
    const fromMs = world.clock.monotonic()
    expect(returned(await world.until(caller.peer.call(requestOf(triple, 4))))).toBe(12)
    // Two blocks, each after 3 s of silence.
    expect(world.clock.monotonic() - fromMs).toBeLessThan(6500)
  })
})

describe('more than there is room for', () => {
  const invokes = async (peer: ScriptedPeer, double: Parameters<ScriptedPeer['invoke']>[0], count: number) => {
    const frames: FrameOf<'invoke'>[] = []
    for (let from = 0; from < count; from += 1000) {
      const inputs: Value[] = Array.from({ length: 1000 }, (_, i) => from + i)
      const frame = await peer.invoke(double, inputs)
      frames.push({ ...frame, items: frame.items.map((item) => ({ ...item, id: item.id + from })) })
    }
    return frames
  }

  test('10,000 items: what passes the queue is refused at once, the rest is done', async () => {
    const { world, host, double, stillServes } = await hostAnd('items', { delayMs: 5 })
    const peer = await join(world, host)
    for (const frame of await invokes(peer, double, 10_000)) peer.send(frame)
    await world.clock.advance(20)
    expect(running(host)).toBeLessThanOrEqual(1000)
    const refused = peer.all('refused').flatMap(({ ids }) => ids)
    const ended = peer.all('answers').flatMap(({ items }) => items.map(({ id }) => id))
    const taken = new Set([...ended, ...peer.all('accepted').flatMap(({ ids }) => ids)])
    const accepted = [...taken].sort((a, b) => a - b)
    expect(accepted.length).toBeLessThanOrEqual(QUEUE_ITEMS_MAX)
    expect(accepted.length + refused.length).toBe(10_000)
    expect(new Set(peer.all('refused').map(({ code }) => code))).toEqual(new Set(['E_BUSY']))
    for (let i = 0; i < 600 && peer.all('answers').flatMap(({ items }) => items).length < accepted.length; i++)
      await world.clock.advance(50)
    const answered = peer.all('answers').flatMap(({ items }) => items.map(({ id }) => id))
    expect(answered.sort((a, b) => a - b)).toEqual(accepted)
    await stillServes()
  })

  test('journals count like inputs', async () => {
    const { world, host, double } = await hostAnd('journals', { delayMs: 60_000 })
    const peer = await join(world, host)
    const value = new Uint8Array(4 * MIB)
    const journal = [{ entry: 'answer' as const, n: 0, answer: { ok: true as const, value } }]
    for (let id = 1; id <= 30; id++) {
      const frame = await peer.invoke(double, [id])
      await peer.say({ ...frame, items: frame.items.map((item) => ({ ...item, id, journal })) })
    }
    expect(peer.all('accepted').length).toBeLessThanOrEqual(16)
    expect(new Set(peer.all('refused').map(({ code }) => code))).toEqual(new Set(['E_BUSY']))
  })

  test('work that is given back while more than a frame of ids is under way', async () => {
    const { world, host, double } = await hostAnd('given back', { delayMs: 60_000 })
    const peer = await join(world, host)
    for (const frame of await invokes(peer, double, 3000)) await peer.say(frame)
    const stopping = host.peer.stop()
    await world.clock.advance(10)
    const back = peer.all('failed')
    expect(new Set(back.map(({ code }) => code))).toEqual(new Set(['E_STOPPING']))
    expect(back.flatMap(({ ids }) => ids).sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1))
    await world.until(stopping)
  })
})
