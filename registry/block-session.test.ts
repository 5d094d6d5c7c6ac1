import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CID } from '../protocol/cid.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { BlockFrame } from '../protocol/frames.ts'
import { BLOCK_BYTES_MAX, BLOCK_CHUNK_BYTES, MIB } from '../protocol/limits.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { WANTS_MAX } from './block-server.ts'
import { STALLED_MS } from './block-session.ts'
import { block, chunksOf, createExchangeWorld, wantsOn } from './exchange-world.ts'
import { ScriptedChannel } from './scripted-channel.ts'

const one = block(1)
const big = block(7, BLOCK_BYTES_MAX)
const want = (...cids: CID[]): BlockFrame => ({ t: 'want', cids, send: true })

/** A world in which the stranger eve has opened a channel, and blocks one and big are held. */
const serve = async () => {
  const world = await createExchangeWorld()
  await world.store.put(one.cid, one.bytes)
  await world.store.put(big.cid, big.bytes)
  const eve = new ScriptedChannel('eve', { outbound: false })
  world.exchange.accept(eve)
  const tell = async (...frames: (BlockFrame | Uint8Array)[]) => {
    for (const frame of frames) await eve.deliver(frame)
    await world.clock.advance(0)
  }
  return { ...world, eve, tell }
}

describe('a want', () => {
  test('is answered by what is here and what is not, then by the blocks in chunks', async () => {
    const { eve, tell } = await serve()
    await tell(want(one.cid, block(2).cid, big.cid))
    const have = { t: 'have', cids: [one.cid, big.cid], missing: [block(2).cid] }
    expect(eve.sent).toEqual([have, ...chunksOf(one), ...chunksOf(big)])
  })

  test('without send is answered by what is here alone', async () => {
    const { eve, tell } = await serve()
    await tell({ t: 'want', cids: [one.cid, block(2).cid], send: false })
    expect(eve.sent).toEqual([{ t: 'have', cids: [one.cid], missing: [block(2).cid] }])
  })

  test('for a block that turns out to be damaged, or too large to carry, is answered by missing', async () => {
    const { eve, tell, store, storage } = await serve()
    await storage.write([{ key: `block/${one.cid}`, put: big.bytes }])
    await tell(want(one.cid))
    expect(eve.sent.at(-1)).toEqual({ t: 'have', cids: [], missing: [one.cid] })
    const huge = block(9, BLOCK_BYTES_MAX + 1)
    await store.put(huge.cid, huge.bytes)
    await tell(want(huge.cid))
    expect(eve.sent.at(-1)).toEqual({ t: 'have', cids: [], missing: [huge.cid] })
  })
})

describe('a reader that is slow', () => {
  test('gets as much as it has room for, and the rest when it reads on', async () => {
    const { eve, tell, clock } = await serve()
    eve.room = 3
    await tell(want(big.cid))
    expect(eve.sent).toHaveLength(3)
    for (let sent = 4; sent <= 17; sent++) {
      eve.drain(1)
      await clock.advance(STALLED_MS - 1)
      expect(eve.sent).toHaveLength(sent)
    }
    expect(eve.sent.slice(1)).toEqual(chunksOf(big))
    eve.drain(1)
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  test('that takes nothing more is cut off, without being accused', async () => {
    const { eve, tell, clock, misbehaved } = await serve()
    eve.room = 3
    await tell(want(big.cid))
    await clock.advance(STALLED_MS)
    expect(eve.aborted).toContain('took no block')
    expect([misbehaved.mock.calls, clock.pending]).toEqual([[], 0])
  })
})

describe('a stranger', () => {
  const accused = (code: ErrorCode) => [['eve', code, expect.any(String)]]

  test('that wants the same megabyte 10,000 times is cut off before it costs more than one', async () => {
    const { eve, store, misbehaved, clock } = await serve()
    let reads = 0
    const get = store.get.bind(store)
    store.get = (cid) => {
      reads++
      return get(cid)
    }
    eve.room = 1
    for (let n = 0; n < 10_000; n++) await eve.deliver(want(big.cid))
    await clock.advance(0)
    expect(misbehaved.mock.calls).toEqual(accused('E_MESSAGE_LIMIT'))
    expect(eve.aborted).toContain(`more than ${WANTS_MAX} blocks`)
    expect(reads).toBeLessThanOrEqual(1)
    expect(eve.sent.length).toBeLessThanOrEqual(2)
  })

  test('that wants a hundred times what is served at once gets it no faster than 12 MiB a second', async () => {
    const { eve, tell, clock, exchange } = await serve()
    const served = () => eve.sent.filter((frame) => frame.t === 'block').length * BLOCK_CHUNK_BYTES
    const ask = async () => {
      for (let i = 0; i < WANTS_MAX; i++) await tell(want(big.cid))
    }
    await ask()
    expect(served()).toBe(64 * MIB)
    await ask()
    expect(served()).toBe(64 * MIB)
    await clock.advance(5000)
    expect(served() / MIB).toBe(64 + 5 * 12)
    // Another is served meanwhile.
    const bob = new ScriptedChannel('bob', { outbound: false })
    exchange.accept(bob)
    await bob.deliver(want(big.cid))
    await clock.advance(0)
    expect(bob.sent).toHaveLength(1 + BLOCK_BYTES_MAX / BLOCK_CHUNK_BYTES)
    // A new channel does not begin anew.
    const again = new ScriptedChannel('eve', { outbound: false })
    exchange.accept(again)
    await again.deliver(want(big.cid))
    await clock.advance(0)
    expect(again.sent).toHaveLength(1)
  })

  test('may want as much as the limit, over and over', async () => {
    const { eve, tell, misbehaved } = await serve()
    const many = (cid: CID) => Array.from({ length: WANTS_MAX }, () => cid)
    for (let n = 0; n < 3; n++) {
      await tell(want(...many(one.cid)))
      await tell(want(...many(block(2).cid)))
      await tell({ t: 'want', cids: many(one.cid), send: false })
    }
    expect(eve.sent).toHaveLength(3 * (1 + WANTS_MAX + 1 + 1))
    expect(misbehaved).not.toHaveBeenCalled()
  })

  test('that only asks who has what is held to the same limit', async () => {
    const { eve, tell, misbehaved } = await serve()
    eve.room = 1
    const ask: BlockFrame = { t: 'want', cids: [one.cid], send: false }
    await tell(...Array.from({ length: WANTS_MAX + 2 }, () => ask))
    expect(misbehaved.mock.calls).toEqual(accused('E_MESSAGE_LIMIT'))
  })

  const [first, second] = chunksOf(big) as [BlockFrame & { t: 'block' }, BlockFrame & { t: 'block' }]
  const wanted = block(3, 2 * BLOCK_CHUNK_BYTES + 5)
  const [a, b, c] = chunksOf(wanted) as (BlockFrame & { t: 'block' })[]
  test.each<[string, ErrorCode, (BlockFrame | Uint8Array)[]]>([
    ['bytes that are no frame', 'E_MESSAGE', [Uint8Array.of(1, 2, 3)]],
    ['no bytes', 'E_MESSAGE', [new Uint8Array()]],
    ['a frame that is too long', 'E_MESSAGE_LIMIT', [new Uint8Array(BlockFrame.bytesMax + 1)]],
    ['a block nobody wanted', 'E_MESSAGE', [first]],
    ['an answer nobody waits for', 'E_MESSAGE', [{ t: 'have', cids: [], missing: [one.cid] }]],
    ['a chunk from the middle', 'E_MESSAGE', [b!]],
    ['a chunk twice', 'E_MESSAGE', [a!, a!]],
    ['a chunk left out', 'E_MESSAGE', [a!, c!]],
    ['another size half-way', 'E_MESSAGE', [a!, { ...b!, size: b!.size + 1 }]],
    ['a short chunk', 'E_MESSAGE', [{ ...a!, bytes: a!.bytes.subarray(1) }]],
    ['a chunk past the end', 'E_MESSAGE', [a!, b!, { ...c!, bytes: new Uint8Array(6) }]],
    ['a chunk of another block', 'E_MESSAGE', [a!, second]],
    ['the block again, when it is complete', 'E_MESSAGE', [a!, b!, c!, a!]],
  ])('that sends %s is reported and cut off, and nothing it sends counts', async (_, code, frames) => {
    const { eve, tell, misbehaved, start, store } = await serve()
    const { result } = await start(wanted.cid, ['eve'])
    expect(wantsOn(eve)).toEqual([`${wanted.cid}`])
    await tell(...frames)
    expect(misbehaved.mock.calls).toEqual(accused(code))
    expect(eve.aborted).toBe(misbehaved.mock.calls[0]?.[2])
    await tell(a!, b!, c!)
    const isComplete = frames.length > 3
    expect(await store.has(wanted.cid)).toBe(isComplete)
    if (isComplete) expect(await result).toEqual(wanted.bytes)
    else await expect(result).rejects.toMatchObject({ code: 'E_BLOCK_MISSING', fields: { asked: ['eve'] } })
  })

  test('that opens channel after channel keeps the latest', async () => {
    const { eve, exchange, clock } = await serve()
    const newer = new ScriptedChannel('eve', { outbound: false })
    exchange.accept(newer)
    expect([eve.aborted, newer.aborted]).toEqual(['replaced by a newer channel', undefined])
    await newer.deliver(want(block(2).cid))
    await clock.advance(0)
    expect(newer.sent).toEqual([{ t: 'have', cids: [], missing: [block(2).cid] }])
  })
})

/** Frames about few CIDs, so that they often fit what was asked, and any bytes. */
const anyFrame = (() => {
  const cids = [one, big, block(3, 2 * BLOCK_CHUNK_BYTES), block(4)]
  const cid = fc.constantFrom(...cids.map((each) => each.cid))
  const few = fc.array(cid, { maxLength: 5 })
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.record({ t: fc.constant('want' as const), cids: few, send: fc.boolean() }),
    fc.record({ t: fc.constant('have' as const), cids: few, missing: few }),
    fc.constantFrom(...cids.flatMap(chunksOf)),
    fc.record({
      t: fc.constant('block' as const),
      cid,
      size: fc.constantFrom(0, 1, 100, 2 * BLOCK_CHUNK_BYTES, BLOCK_BYTES_MAX),
      offset: fc.constantFrom(0, 1, BLOCK_CHUNK_BYTES),
      bytes: fc.constantFrom(0, 1, 100, BLOCK_CHUNK_BYTES).map((length) => new Uint8Array(length)),
    }),
  )
})()

test('no sequence of frames throws, stores what was not asked for, or goes on after an offence', async () => {
  const asked = [block(3, 2 * BLOCK_CHUNK_BYTES), block(4)]
  const property = fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), async (frames) => {
    const { eve, tell, misbehaved, start, store, exchange, clock } = await serve()
    const fetches = await Promise.all(asked.map(({ cid }) => start(cid, ['eve'])))
    for (const frame of frames) await tell(frame)
    expect(misbehaved.mock.calls.length).toBeLessThanOrEqual(1)
    expect(eve.aborted !== undefined).toBe(misbehaved.mock.calls.length === 1)
    for (const { cid, bytes } of asked) expect([undefined, bytes]).toContainEqual(await store.get(cid))
    expect(store.usage().blocks).toBeLessThanOrEqual(4)
    exchange.stop()
    const ends = await Promise.allSettled(fetches.map(({ result }) => result))
    for (const [n, end] of ends.entries()) {
      if (end.status === 'fulfilled') expect(Buffer.compare(end.value, asked[n]!.bytes)).toBe(0)
      else expect(['E_BLOCK_MISSING', 'E_STOPPING']).toContain(end.reason.code)
    }
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })
  await checkProperty('frames from a stranger', property, { runs: 300 })
})
