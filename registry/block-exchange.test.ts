import { describe, expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import { BLOCK_BYTES_MAX, BLOCK_CHUNK_BYTES } from '../protocol/limits.ts'
import { BLOCK_MS_MAX, SILENT_MS } from './block-asker.ts'
import { block, chunksOf, createExchangeWorld, type TestBlock, wantsOn } from './exchange-world.ts'
import { ScriptedChannel } from './scripted-channel.ts'
import { OPEN_MS_MAX } from './session-table.ts'
import { ASK_LAST_MS, DISTRUST_MS } from './source-memory.ts'

const one = block(1)
const two = block(2)

const missing = (...asked: string[]) => ({ code: 'E_BLOCK_MISSING', fields: { block: `${one.cid}`, asked } })

describe('a block', () => {
  test('that is held is not asked for', async () => {
    const world = await createExchangeWorld()
    await world.store.put(one.cid, one.bytes)
    expect(await world.exchange.fetch(one.cid, ['ada'])).toEqual(one.bytes)
    expect(world.open).not.toHaveBeenCalled()
  })

  test.each([1, BLOCK_CHUNK_BYTES, BLOCK_CHUNK_BYTES + 1, BLOCK_BYTES_MAX])(
    'of %i bytes comes from its source in chunks and is stored',
    async (size) => {
      const world = await createExchangeWorld()
      const wanted = block(3, size)
      const { result } = await world.start(wanted.cid, ['ada'])
      expect(wantsOn(world.channel('ada'))).toEqual([`${wanted.cid}`])
      await world.answer('ada', wanted)
      expect(Buffer.compare(await result, wanted.bytes)).toBe(0)
      expect(await world.store.has(wanted.cid)).toBe(true)
      expect(world.clock.pending).toBe(0)
    },
  )

  test('is asked of one source after another', async () => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, ['ada', 'bob', 'eve'])
    expect(world.open.mock.calls).toEqual([['ada']])
    await world.lack('ada', one.cid)
    expect(world.open.mock.calls).toEqual([['ada'], ['bob']])
    await world.answer('bob', one)
    expect(await result).toEqual(one.bytes)
    expect(world.open).toHaveBeenCalledTimes(2)
  })

  test('that no source has is missing, and the error says who was asked and how it ended', async () => {
    const world = await createExchangeWorld()
    world.open.mockRejectedValueOnce(new MeshError('E_UNREACHABLE', 'no route'))
    const { result } = await world.start(one.cid, ['ada', 'bob'])
    await world.lack('bob', one.cid)
    await expect(result).rejects.toMatchObject(missing('ada', 'bob'))
    await expect(result).rejects.toThrow('ada could not be reached; bob has not got it')
    await expect(world.exchange.fetch(one.cid, [])).rejects.toThrow('there was no peer to ask')
  })

  test('wanted by several at once is transferred once, from the sources of all', async () => {
    const world = await createExchangeWorld()
    const { result: first } = await world.start(one.cid, ['ada'])
    const { result: second } = await world.start(one.cid, ['ada', 'bob'])
    expect(wantsOn(world.channel('ada'))).toHaveLength(1)
    await world.lack('ada', one.cid)
    await world.answer('bob', one)
    expect(await Promise.all([first, second])).toEqual([one.bytes, one.bytes])
  })

  test('that does not fit into the store says so; its source is not to blame', async () => {
    const world = await createExchangeWorld({ budgetBytes: 10 })
    const { result } = await world.start(one.cid, ['ada', 'bob'])
    await world.answer('ada', one)
    await expect(result).rejects.toMatchObject({ code: 'E_STORAGE_FULL' })
    expect(world.misbehaved).not.toHaveBeenCalled()
  })
})

test('blocks interleave on one channel, a few at a time', async () => {
  const world = await createExchangeWorld()
  const blocks = Array.from({ length: 20 }, (_, n) => block(n, 2 * BLOCK_CHUNK_BYTES))
  const results = await Promise.all(blocks.map(({ cid }) => world.start(cid, ['ada'])))
  expect(world.open).toHaveBeenCalledTimes(1)
  expect(wantsOn(world.channel('ada'))).toEqual(blocks.slice(0, 8).map(({ cid }) => `${cid}`))
  for (const half of [0, 1])
    for (const each of blocks.slice(0, 8)) await world.channel('ada').deliver(chunksOf(each)[half]!)
  for (const each of blocks.slice(8)) await world.answer('ada', each)
  const fetched = await Promise.all(results.map(({ result }) => result))
  expect(fetched.every((bytes, n) => Buffer.compare(bytes, blocks[n]!.bytes) === 0)).toBe(true)
})

describe('a wrong block', () => {
  const wrongFrom = async (peer: string, ...others: string[]) => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, [peer, ...others])
    await world.answer(peer, { cid: one.cid, bytes: two.bytes })
    return { ...world, result }
  }

  test('is refused and reported, and the next source is asked', async () => {
    const { log, misbehaved, channel, answer, result, store } = await wrongFrom('eve', 'ada')
    expect(misbehaved.mock.calls).toEqual([['eve', 'E_BLOCK_MISMATCH', expect.stringContaining(`${one.cid}`)]])
    expect(channel('eve').aborted).toContain('are not the block')
    const fields = { peer: 'eve', block: `${one.cid}`, code: 'E_BLOCK_MISMATCH', reason: expect.any(String) }
    expect(log.event.mock.calls).toEqual([['block.refused', fields]])
    await answer('ada', one)
    expect(await result).toEqual(one.bytes)
    expect(store.usage().blocks).toBe(1)
  })

  test('is not stored, and its sender is not asked again for a while', async () => {
    const { open, start, answer, clock, result, store } = await wrongFrom('eve')
    await expect(result).rejects.toMatchObject(missing('eve'))
    await expect(result).rejects.toThrow('eve sent other bytes')
    expect(store.usage().blocks).toBe(0)
    const again = await start(one.cid, ['eve'])
    await expect(again.result).rejects.toMatchObject(missing())
    await expect(again.result).rejects.toThrow('eve was not asked, because it misbehaved before')
    expect(open).toHaveBeenCalledTimes(1)
    await clock.advance(DISTRUST_MS)
    const later = await start(one.cid, ['eve'])
    await answer('eve', one)
    expect(await later.result).toEqual(one.bytes)
  })
})

describe('a source that', () => {
  test('falls silent is given up, and asked last for a while', async () => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, ['ada', 'bob'])
    await world.clock.advance(SILENT_MS)
    expect(world.channel('ada').aborted).toBe('too silent a source of blocks')
    await world.answer('bob', one)
    expect(await result).toEqual(one.bytes)
    await world.start(two.cid, ['ada', 'bob'])
    expect(wantsOn(world.channel('bob'))).toEqual([one.cid, two.cid].map(String))
    await world.clock.advance(ASK_LAST_MS)
    await world.start(block(3).cid, ['ada', 'bob'])
    expect(wantsOn(world.channel('ada'))).toEqual([`${block(3).cid}`])
    expect(world.misbehaved).not.toHaveBeenCalled()
  })

  test('says have and then nothing is silent all the same', async () => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, ['ada'])
    for (let waited = 0; waited < SILENT_MS; waited += 500) {
      await world.channel('ada').deliver({ t: 'have', cids: [one.cid], missing: [] })
      await world.clock.advance(500)
    }
    await expect(result).rejects.toThrow(`ada was silent for ${SILENT_MS} ms`)
  })

  const trickle = async (
    world: Awaited<ReturnType<typeof createExchangeWorld>>,
    wanted: TestBlock,
    everyMs: number,
  ) => {
    for (const chunk of chunksOf(wanted)) {
      await world.clock.advance(everyMs)
      await world.channel('ada').deliver(chunk)
    }
  }

  test('is slow but steady is waited for', async () => {
    const world = await createExchangeWorld()
    const wanted = block(3, BLOCK_BYTES_MAX)
    const { result } = await world.start(wanted.cid, ['ada'])
    await trickle(world, wanted, SILENT_MS - 1)
    expect(await result).toHaveLength(BLOCK_BYTES_MAX)
  })

  test('trickles on purpose is given up in the end', async () => {
    const world = await createExchangeWorld()
    const blocks = [0, 1, 2, 3].map((n) => block(n, BLOCK_BYTES_MAX))
    const results = await Promise.all(blocks.map(({ cid }) => world.start(cid, ['ada'])))
    for (const each of blocks) await trickle(world, each, SILENT_MS - 1)
    expect(world.clock.monotonic()).toBeGreaterThan(BLOCK_MS_MAX)
    await expect(results[3]?.result).rejects.toThrow(`ada had not sent it whole after ${BLOCK_MS_MAX} ms`)
  })

  test('does not let itself be opened is given up; a channel that opens late serves the next', async () => {
    const world = await createExchangeWorld()
    const gate = Promise.withResolvers<ScriptedChannel>()
    world.open.mockReturnValueOnce(gate.promise)
    const { result } = await world.start(one.cid, ['ada'])
    await world.clock.advance(OPEN_MS_MAX)
    await expect(result).rejects.toThrow('ada could not be reached')
    const late = new ScriptedChannel('ada')
    gate.resolve(late)
    await world.start(two.cid, ['ada'])
    expect(wantsOn(late)).toEqual([`${two.cid}`])
  })

  test('ended the channel meanwhile is asked on a fresh one, once', async () => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, ['ada'])
    world.channel('ada').hangUp()
    await world.clock.advance(0)
    expect(world.open).toHaveBeenCalledTimes(2)
    world.channel('ada').hangUp()
    await expect(result).rejects.toThrow('ada closed the channel')
    expect(world.open).toHaveBeenCalledTimes(2)
  })
})

describe('a fetch', () => {
  test('that is cancelled ends at once, and no further source is asked', async () => {
    const world = await createExchangeWorld()
    const control = new AbortController()
    const { result } = await world.start(one.cid, ['ada', 'bob'], control.signal)
    control.abort()
    await expect(result).rejects.toMatchObject({ code: 'E_CANCELLED' })
    await world.lack('ada', one.cid)
    expect(world.open).toHaveBeenCalledTimes(1)
    await expect(world.exchange.fetch(one.cid, ['ada'], control.signal)).rejects.toMatchObject({ code: 'E_CANCELLED' })
  })

  test('that is cancelled leaves the transfer to others who wait', async () => {
    const world = await createExchangeWorld()
    const control = new AbortController()
    const { result: first } = await world.start(one.cid, ['ada', 'bob'], control.signal)
    const { result: second } = await world.start(one.cid, [])
    control.abort()
    await expect(first).rejects.toMatchObject({ code: 'E_CANCELLED' })
    await world.lack('ada', one.cid)
    await world.answer('bob', one)
    expect(await second).toEqual(one.bytes)
  })

  test('ends when the exchange stops, and leaves no timer and no channel', async () => {
    const world = await createExchangeWorld()
    const { result } = await world.start(one.cid, ['ada', 'bob'])
    world.exchange.stop()
    await expect(result).rejects.toMatchObject({ code: 'E_STOPPING' })
    await expect(world.exchange.fetch(one.cid, ['ada'])).rejects.toMatchObject({ code: 'E_STOPPING' })
    await world.clock.advance(0)
    expect(world.open).toHaveBeenCalledTimes(1)
    expect([world.channel('ada').aborted, world.clock.pending]).toEqual(['stopping', 0])
    const inbound = new ScriptedChannel('eve', { outbound: false })
    world.exchange.accept(inbound)
    expect(inbound.aborted).toBe('stopping')
  })
})
