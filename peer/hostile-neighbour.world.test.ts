import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PeerFrame } from '../protocol/frames.ts'
import { encodeValue } from '../protocol/values.ts'
import { arbitraryOf, schemaOf } from '../scripts/protocol/arbitraries.ts'
import { outcomeOf, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { checkProperty, randomFor } from '../scripts/test/seed.ts'
import { publish, requestOf, returned, slowVerify, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { codesOf, DOUBLE, hostAnd, join, running } from './attacked-host.ts'

describe('what concerns the items of others', () => {
  test('is ignored: cancel, answer, and all that an executor says', async () => {
    const { world, host, caller, double } = await hostAnd('others', { delayMs: 1000 })
    const call = caller.peer.call(requestOf(double, 21))
    await world.clock.advance(100)
    expect(running(host)).toBe(1)
    const [toHost, toCaller] = [await join(world, host), await join(world, caller)]
    const ids = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    await toHost.say({ t: 'cancel', ids })
    await toHost.say({ t: 'answer', id: 1, n: 0, answer: { ok: true, value: encodeValue(1) } })
    const items = ids.map((id) => ({ id, outcome: Uint8Array.of(1) }))
    const lie = PeerFrame.encode({ t: 'answers', items })
    await toCaller.say(lie)
    await toCaller.say({ t: 'failed', ids, code: 'E_INTERNAL', message: 'mine' })
    await toCaller.say({ t: 'refused', ids, code: 'E_BUSY', message: 'mine', better: [] })
    await toCaller.say({ t: 'accepted', ids })
    await toCaller.say({ t: 'progress', items: ids.map((id) => ({ id, state: 'running', fuel: 1, alive: false })) })
    await toCaller.say({ t: 'request', id: 1, n: 0, after: 0, kind: 'call', arguments: encodeValue(null) })
    await toCaller.say({ t: 'receipts', ids: [1], signed: await toCaller.signBatch('receipt', [Uint8Array.of(1)]) })
    const verdict = { t: 'verdict', invocation: double.cid, secret: new Uint8Array(32), verdict: 'agreed' } as const
    await toCaller.say(verdict)
    expect([toHost.closed, toCaller.closed]).toEqual([undefined, undefined])
    const result = await world.until(call)
    expect(returned(result)).toBe(42)
    expect(result).toMatchObject({ executions: 1, performed: [{ executor: host.peerId }] })
  })

  test('an answer to a request that was not made ends the link', async () => {
    const { world, host, double } = await hostAnd('unasked', { delayMs: 1000 })
    const peer = await join(world, host)
    await peer.say(await peer.invoke(double, [1]))
    await peer.say({ t: 'answer', id: 1, n: 0, answer: { ok: true, value: encodeValue(1) } })
    expect(codesOf(peer)).toEqual(['E_MESSAGE'])
    expect(running(host)).toBe(0)
  })

  test('an answer in any order is taken, one to a request that was answered ends the link', async () => {
    const { world, host, caller } = await hostAnd('twice')
    const code = 'export default (_, env, ctx) => Promise.all([ctx.now(), ctx.now(), ctx.now()])'
    const thrice = await publish(host, code, { effects: ['now'] })
    await publish(caller, code, { effects: ['now'] })
    const peer = await join(world, host)
    await peer.say(await peer.invoke(thrice, [null]))
    while (peer.all('request').length < 3) await world.clock.advance(1)
    for (const n of [2, 0]) await peer.say({ t: 'answer', id: 1, n, answer: { ok: true, value: encodeValue(n) } })
    expect([codesOf(peer), running(host)]).toEqual([[], 1])
    await peer.say({ t: 'answer', id: 1, n: 2, answer: { ok: true, value: encodeValue(3) } })
    expect([codesOf(peer), running(host)]).toEqual([['E_MESSAGE'], 0])
  })

  test.each<[string, (id: number) => PeerFrame]>([
    [
      'a request of a function that declares none',
      (id) => ({ t: 'request', id, n: 0, after: 0, kind: 'call', arguments: encodeValue(null) }),
    ],
    ['an outcome that is none', (id) => ({ t: 'answers', items: [{ id, outcome: Uint8Array.of(0xf6) }] })],
  ])('%s ends the link, and another executor does it', async (name, lie) => {
    const { world, caller, double } = await hostAnd(name)
    const liar = await scriptedPeer(world)
    liar.react = (frame) => frame.t === 'invoke' && liar.send(lie(frame.items[0]!.id))
    await liar.join(caller, 64)
    for (let i = 0; i < 20 && liar.closed === undefined; i++)
      expect(returned(await world.until(caller.peer.call(requestOf(double, 4))))).toBe(8)
    expect(codesOf(liar)).toEqual(['E_MESSAGE'])
  })

  test('an answer that comes twice counts once', async () => {
    const { world, caller, double } = await hostAnd('twice')
    const eager = await scriptedPeer(world)
    eager.react = (frame) => {
      if (frame.t !== 'invoke') return
      for (const value of [1, 2]) void eager.perform(frame, outcomeOf(value))
    }
    await eager.join(caller, 64)
    let met = 0
    for (let i = 0; i < 30; i++) {
      const result = await world.until(caller.peer.call(requestOf(double, 4)))
      if (result.performed[0]!.executor !== eager.peerId) continue
      met++
      expect(returned(result)).toBe(1)
      await world.until(result.performed[0]!.receipt())
    }
    expect(met).toBeGreaterThan(0)
    expect(eager.closed).toBeUndefined()
  })
})

describe('whatever a neighbour says', () => {
  const frames = arbitraryOf(schemaOf(PeerFrame.schema)) as fc.Arbitrary<PeerFrame>
  /** Ids that exist come up often. */
  const nearby = frames.chain((frame) =>
    fc.nat(4).map((id) => {
      const some = frame as { ids?: number[]; id?: number; items?: { id?: number }[] }
      if (some.ids) return { ...frame, ids: [id] } as PeerFrame
      if (some.id !== undefined) return { ...frame, id } as PeerFrame
      if (some.items && frame.t !== 'invoke')
        return { ...frame, items: some.items.map((one) => ({ ...one, id })) } as PeerFrame
      return frame
    }),
  )

  test('valid frames in any order: nothing is thrown, nothing is left, and others are served', async () => {
    const { world, host, caller, double, stillServes } = await hostAnd('any', { delayMs: 5 })
    const property = fc.asyncProperty(fc.array(fc.oneof(frames, nearby), { maxLength: 15 }), async (says) => {
      const peers = [await join(world, host, 2), await join(world, caller, 2)]
      await peers[0]!.say(await peers[0]!.invoke(double, [1, 2, 3]))
      const call = caller.peer.call(requestOf(double, 21, { level: { level: 'self' } }))
      await world.clock.advance(1)
      for (const frame of says) for (const peer of peers) await peer.say(frame)
      for (const peer of peers) peer.hangUp()
      expect(returned(await world.until(call))).toBe(42)
      await world.clock.advance(20)
      expect([running(host), host.peer.status().neighbours.length, caller.peer.status().neighbours.length]).toEqual([
        0, 1, 1,
      ])
      await stillServes()
    })
    await checkProperty('any frames', property, { runs: 60 })
    const timers = world.clock.pending
    await world.clock.advance(120_000)
    expect(world.clock.pending).toBeLessThan(timers + 20)
  })

  test('garbage on the channel for blocks ends that channel alone', async () => {
    const { world, host, stillServes } = await hostAnd('blocks')
    const peer = await join(world, host)
    const random = randomFor('block bytes')
    for (let i = 0; i < 20; i++) {
      const channel = await peer.openBlocks(host)
      let closed = false
      channel.receive({
        frame: () => {},
        closed: () => {
          closed = true
        },
      })
      channel.send(random.bytes(1 + random.below(100)))
      await world.clock.advance(0)
      expect(closed).toBe(true)
    }
    expect(peer.closed).toBeUndefined()
    expect(host.peer.status().neighbours).toHaveLength(2)
    await stillServes()
  })

  test('blocks are for neighbours only', async () => {
    const { world, host } = await hostAnd('no neighbour')
    const stranger = await scriptedPeer(world, { stranger: true })
    await stranger.dial(host)
    const channel = await stranger.openBlocks(host)
    const ended = new Promise<string>((resolve) => channel.receive({ frame: () => {}, closed: resolve }))
    expect(await world.until(ended)).toContain('reset')
  })
})

describe('while a signature is checked or made', () => {
  /** A world where each check takes 50 ms, and each run `runMs`. */
  const slowly = async (name: string, peers: number, runMs = 60_000) => {
    const world: World = await worldFor(name, {
      peers,
      setup: () => ({ sandboxHost: (host, clock) => slowHost(host, clock, () => runMs) }),
      crypto: slowVerify(50),
    })
    await world.clock.advance(5000)
    return world
  }

  test('the invoker leaves: nothing runs for it', async () => {
    const world = await slowly('leaves', 1)
    const [host] = world.peers as [WorldPeer]
    const double = await publish(host, DOUBLE)
    const peer = await scriptedPeer(world)
    await peer.join(host)
    await world.clock.advance(1000)
    await peer.say(await peer.invoke(double, [1]))
    await world.clock.advance(10)
    peer.hangUp({ atOnce: true })
    await world.clock.advance(45)
    expect(running(host)).toBe(0)
    expect(host.events.filter(({ name }) => name === 'internal.error')).toEqual([])
  })

  test.each([
    ['is right: the answers of runs that ended meanwhile follow', 0, [1, 2], undefined],
    ['is wrong: none is ever given', 1, [], 'E_SIGNATURE'],
  ])('no answer leaves; it %s', async (name, flip, answered, code) => {
    const world = await slowly(name, 1, 5)
    const [host] = world.peers as [WorldPeer]
    const double = await publish(host, DOUBLE)
    const peer = await scriptedPeer(world)
    await peer.join(host)
    await world.clock.advance(1000)
    const { signed, ...invoke } = await peer.invoke(double, [1, 2])
    await peer.say({ ...invoke, signed: { ...signed, signature: signed.signature.map((byte) => byte ^ flip) } })
    await world.clock.advance(45)
    expect(running(host)).toBe(2)
    expect([peer.all('answers'), peer.all('receipts')]).toEqual([[], []])
    await world.clock.advance(200)
    expect(running(host)).toBe(0)
    expect(peer.all('answers').flatMap(({ items }) => items.map(({ id }) => id))).toEqual(answered)
    expect(peer.all('receipts').flatMap(({ ids }) => ids)).toEqual(answered)
    expect(codesOf(peer)).toEqual(code ? [code] : [])
  })

  test('the owner stops: the item is given back, not forgotten', async () => {
    const world = await slowly('stops', 1)
    const [host] = world.peers as [WorldPeer]
    const double = await publish(host, DOUBLE)
    const peer = await scriptedPeer(world)
    await peer.join(host)
    await world.clock.advance(1000)
    await peer.say(await peer.invoke(double, [1]))
    await world.clock.advance(10)
    const stopping = host.peer.stop()
    await world.clock.advance(60)
    expect(peer.all('failed')).toMatchObject([{ ids: [1], code: 'E_STOPPING' }])
    await world.until(stopping)
  })

  test('the key may fail: nothing is thrown, and who waits for the receipt is told', async () => {
    const { world, host, caller, double } = await hostAnd('key')
    const guest = await scriptedPeer(world)
    host.ports.signer.sign = () => Promise.reject(new Error('the key is gone'))
    const result = await world.until(caller.peer.call(requestOf(double, 4)))
    expect(returned(result)).toBe(8)
    await expect(world.until(result.performed[0]!.receipt())).rejects.toMatchObject({ code: 'E_RECEIPT' })
    await guest.join(host)
    // The advertisement is signed anew once a minute.
    await world.clock.advance(61_000)
    const defects = host.events.filter(({ name }) => name === 'internal.error')
    expect(defects.length).toBeGreaterThanOrEqual(3)
    for (const { fields } of defects) expect(fields.reason).toContain('the key is gone')
  })

  test('a handshake ends after the table has filled, or the peer has gone', async () => {
    const world = await slowly('gone', 1)
    const [host] = world.peers as [WorldPeer]
    const peer = await scriptedPeer(world)
    await peer.dial(host)
    await peer.say(peer.hello())
    peer.hangUp()
    await world.clock.advance(10_000)
    expect(host.peer.status().neighbours).toEqual([])
    expect(host.events.filter(({ name }) => name === 'internal.error' || name === 'peer.joined')).toEqual([])
  })
})
