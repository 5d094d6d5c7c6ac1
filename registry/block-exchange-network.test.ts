import { describe, expect, test, vi } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { createMemoryNetwork, type MemoryHub } from '../peer/network/memory.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { BLOCKS_PROTOCOL, BlockFrame } from '../protocol/frames.ts'
import { BLOCK_BYTES_MAX, BLOCK_CHUNK_BYTES, MIB } from '../protocol/limits.ts'
import { FakeClock } from '../simulations/clock.ts'
import { SILENT_MS } from './block-asker.ts'
import { createBlockExchange } from './block-exchange.ts'
import { openBlockStore } from './block-store.ts'
import { block, type TestBlock } from './exchange-world.ts'

const LATENCY_MS = 20
const FRAMES = { frameBytesMax: BlockFrame.bytesMax }

const joinHub = async (hub: MemoryHub, clock: FakeClock, name: string) => {
  const log = { event: vi.fn() }
  const storage = createMemoryStorage()
  const store = await openBlockStore({ storage, clock, crypto: createCrypto(), log }, { budgetBytes: 256 * MIB })
  const network = hub.join(name, { log })
  const misbehaved = vi.fn()
  const open = vi.fn((peer: string) => network.open(peer, BLOCKS_PROTOCOL, FRAMES))
  const exchange = createBlockExchange({ clock, log }, { store, open, misbehaved })
  network.handle(BLOCKS_PROTOCOL, (channel) => exchange.accept(channel), FRAMES)
  await network.start()
  return { name, log, store, network, exchange, misbehaved, open }
}

type Peer = Awaited<ReturnType<typeof joinHub>>

const createMesh = () => {
  const clock = new FakeClock()
  const hub = createMemoryNetwork({ clock, latencyMs: () => LATENCY_MS })

  const join = (name: string) => joinHub(hub, clock, name)

  /** Lets time pass until `work` has settled; how long that took, in ms, and what came of it. */
  const settle = async <T>(work: Promise<T>): Promise<{ ms: number; value: T }> => {
    const fromMs = clock.monotonic()
    let pending = true
    const done = () => {
      pending = false
    }
    work.then(done, done)
    while (pending) await clock.advance(LATENCY_MS)
    return { ms: clock.monotonic() - fromMs, value: await work }
  }

  const connect = (one: Peer, other: Peer) => settle(one.network.connect(`/memory/${other.name}`))
  return { clock, hub, join, settle, connect }
}

const hold = async (peer: Peer, blocks: readonly TestBlock[]) => {
  for (const { cid, bytes } of blocks) await peer.store.put(cid, bytes)
}

const fetchAll = (peer: Peer, blocks: readonly TestBlock[], sources: readonly string[]) =>
  Promise.all(blocks.map(({ cid }) => peer.exchange.fetch(cid, sources)))

const areEqual = (fetched: readonly Uint8Array[], blocks: readonly TestBlock[]) =>
  fetched.length === blocks.length && fetched.every((bytes, n) => Buffer.compare(bytes, blocks[n]!.bytes) === 0)

describe('over a network', () => {
  const createPair = async () => {
    const mesh = createMesh()
    const [near, far] = [await mesh.join('near'), await mesh.join('far')]
    await mesh.connect(near, far)
    const quiet = () => {
      for (const { misbehaved, log } of [near, far])
        expect([misbehaved.mock.calls, log.event.mock.calls]).toEqual([[], []])
      expect(mesh.clock.pending).toBe(0)
    }
    return { ...mesh, near, far, quiet }
  }

  test('blocks of every size come, many at once', async () => {
    const { near, far, settle, quiet } = await createPair()
    const blocks = Array.from({ length: 30 }, (_, n) => block(n, 1 + ((n * 37_123) % (4 * BLOCK_CHUNK_BYTES))))
    await hold(far, blocks)
    const { value } = await settle(fetchAll(near, blocks, ['far']))
    expect(areEqual(value, blocks)).toBe(true)
    quiet()
  })

  test('both sides can fill both directions of one channel at once', async () => {
    const { near, far, settle, quiet } = await createPair()
    const [hers, his] = [0, 100].map((from) => [...Array(20).keys()].map((n) => block(from + n, BLOCK_BYTES_MAX))) as [
      TestBlock[],
      TestBlock[],
    ]
    await hold(near, hers)
    await hold(far, his)
    await settle(near.exchange.fetch(his[0]!.cid, ['far']))
    const both = Promise.all([fetchAll(near, his, ['far']), fetchAll(far, hers, ['near'])])
    const { value } = await settle(both)
    expect([areEqual(value[0], his), areEqual(value[1], hers)]).toEqual([true, true])
    expect([near.open.mock.calls.length, far.open.mock.calls.length]).toEqual([1, 0])
    quiet()
  })

  test('what is not there is missing after one round trip on an open channel', async () => {
    const { near, far, settle } = await createPair()
    await hold(far, [block(1)])
    await settle(near.exchange.fetch(block(1).cid, ['far']))
    const asking = near.exchange.fetch(block(2).cid, ['far']).catch((error) => error)
    const { ms, value } = await settle(asking)
    expect([value.code, value.fields.asked]).toEqual(['E_BLOCK_MISSING', ['far']])
    expect(ms).toBeLessThanOrEqual(3 * LATENCY_MS)
  })
})

describe('when a source goes away in the middle of a block', () => {
  const blocks = [0, 1, 2, 3].map((n) => block(n, BLOCK_BYTES_MAX))

  const createThree = async () => {
    const mesh = createMesh()
    const [near, far, other] = [await mesh.join('near'), await mesh.join('far'), await mesh.join('other')]
    await mesh.connect(near, far)
    await mesh.connect(near, other)
    await hold(far, blocks)
    await hold(other, blocks)
    const fetched = fetchAll(near, blocks, ['far', 'other'])
    await mesh.clock.advance(4 * LATENCY_MS)
    return { ...mesh, near, fetched }
  }

  test('killed: the next one is asked at once', async () => {
    const { hub, settle, fetched } = await createThree()
    hub.kill('far')
    const { ms, value } = await settle(fetched)
    expect(areEqual(value, blocks)).toBe(true)
    expect(ms).toBeLessThan(1000)
  })

  test('cut off: the next one is asked when the silence has lasted long enough', async () => {
    const { hub, near, settle, fetched } = await createThree()
    hub.partition('near', 'far')
    const { ms, value } = await settle(fetched)
    expect(areEqual(value, blocks)).toBe(true)
    expect(ms).toBeLessThan(SILENT_MS + 1000)
    expect(near.misbehaved).not.toHaveBeenCalled()
  })
})
