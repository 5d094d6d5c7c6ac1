import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type CID, rawCid } from '../protocol/cid.ts'
import type { LogEventName, LogFields } from '../protocol/log.ts'
import type { Storage } from '../protocol/ports.ts'
import { checkProperty } from '../scripts/test/seed.ts'
import { FakeClock } from '../simulations/clock.ts'
import { type BlockStore, openBlockStore } from './block-store.ts'

const crypto = createCrypto()
const HOUR_MS = 60 * 60 * 1000

/** Block `n`: `size` bytes that no other `n` has. */
const block = (n: number, size = 10) => {
  const bytes = new Uint8Array(size).fill(n)
  return { bytes, cid: rawCid(crypto, bytes) }
}

interface World {
  storage: Storage
  clock: FakeClock
  events: [LogEventName, LogFields][]
  /** Called before each write; may throw. */
  beforeWrite: () => void | Promise<void>
  open(budgetBytes: number): Promise<BlockStore>
}

const createWorld = (): World => {
  const memory = createMemoryStorage()
  const world: World = {
    clock: new FakeClock(),
    events: [],
    beforeWrite: () => {},
    storage: {
      ...memory,
      write: async (writes, options) => {
        await world.beforeWrite()
        await memory.write(writes, options)
      },
    },
    open: (budgetBytes) =>
      openBlockStore(
        {
          storage: world.storage,
          clock: world.clock,
          crypto,
          log: { event: (name, fields = {}) => world.events.push([name, fields]) },
        },
        { budgetBytes },
      ),
  }
  return world
}

const failWrites = (world: World, cause = new Error('disk on fire')) => {
  world.beforeWrite = () => {
    throw cause
  }
}

const heldOf = async (store: BlockStore, cids: CID[]) => {
  const held = await Promise.all(cids.map((cid) => store.has(cid)))
  return held.flatMap((has, index) => (has ? [index] : []))
}

const putAll = async (store: BlockStore, ...ns: number[]) => {
  for (const n of ns) await store.put(block(n).cid, block(n).bytes)
}

describe('blocks', () => {
  test('are given back as they were put, also by a store opened later', async () => {
    const world = createWorld()
    const store = await world.open(100)
    await putAll(store, 1, 2)
    expect(await store.get(block(1).cid)).toEqual(block(1).bytes)
    expect(await store.get(block(3).cid)).toBeUndefined()
    expect(store.usage()).toEqual({ bytes: 20, blocks: 2, budgetBytes: 100 })
    const again = await world.open(100)
    expect(again.usage()).toEqual({ bytes: 20, blocks: 2, budgetBytes: 100 })
    expect(await again.get(block(2).cid)).toEqual(block(2).bytes)
  })

  test('put twice, also at the same time, count once', async () => {
    const store = await createWorld().open(100)
    await Promise.all([putAll(store, 1), putAll(store, 1), putAll(store, 1)])
    expect(store.usage()).toMatchObject({ bytes: 10, blocks: 1 })
  })

  test('are gone once deleted, pinned or not', async () => {
    const world = createWorld()
    const store = await world.open(100)
    await putAll(store, 1)
    store.pin([block(1).cid])
    await store.delete(block(1).cid)
    await store.delete(block(2).cid)
    expect(await store.get(block(1).cid)).toBeUndefined()
    expect(store.usage()).toMatchObject({ bytes: 0, blocks: 0 })
    expect((await world.open(100)).usage().blocks).toBe(0)
  })

  test('whose bytes are others are refused, and nothing is stored', async () => {
    const store = await createWorld().open(100)
    const wrong = store.put(block(1).cid, block(2).bytes)
    await expect(wrong).rejects.toMatchObject({ code: 'E_BLOCK_MISMATCH', fields: { block: `${block(1).cid}` } })
    expect(store.usage().blocks).toBe(0)
  })

  test.each([
    ['altered', [{ key: `block/${block(1).cid}`, put: block(2).bytes }]],
    ['cut short', [{ key: `block/${block(1).cid}`, put: block(1).bytes.subarray(1) }]],
    ['lost', [{ key: `block/${block(1).cid}`, delete: true as const }]],
  ])('%s in storage count as absent, are removed and reported', async (_, damage) => {
    const world = createWorld()
    const store = await world.open(100)
    await putAll(store, 1, 2)
    await world.storage.write(damage)
    expect(await store.get(block(1).cid)).toBeUndefined()
    expect(await store.has(block(1).cid)).toBe(false)
    expect(store.usage()).toMatchObject({ bytes: 10, blocks: 1 })
    expect(await world.storage.get(`block/${block(1).cid}`)).toBeUndefined()
    expect(world.events).toEqual([
      ['block.refused', expect.objectContaining({ block: `${block(1).cid}`, code: 'E_BLOCK_MISMATCH' })],
    ])
    await putAll(store, 1)
    expect(await store.get(block(1).cid)).toEqual(block(1).bytes)
  })

  test('with an unreadable record are dropped when the store opens, the others stay', async () => {
    const world = createWorld()
    await putAll(await world.open(100), 1, 2)
    await world.storage.write([{ key: `block-use/${block(1).cid}`, put: Uint8Array.of(0xff) }])
    const store = await world.open(100)
    expect(await heldOf(store, [block(1).cid, block(2).cid])).toEqual([1])
    expect(await world.storage.get(`block/${block(1).cid}`)).toBeUndefined()
    expect(world.events.map(([name]) => name)).toEqual(['block.refused'])
  })
})

describe('the budget', () => {
  const cids = [0, 1, 2, 3, 4].map((n) => block(n).cid)

  test('is kept by evicting what was used longest ago', async () => {
    const world = createWorld()
    const store = await world.open(30)
    await putAll(store, 0, 1, 2)
    await store.get(cids[0]!)
    await putAll(store, 3)
    expect(await heldOf(store, cids)).toEqual([0, 2, 3])
    expect(world.events).toEqual([['block.evicted', { block: `${cids[1]}` }]])
    expect(await world.storage.get(`block/${cids[1]}`)).toBeUndefined()
  })

  test('spares pinned blocks until the last of nested pins ends, and each pin ends once', async () => {
    const store = await createWorld().open(20)
    const endFirst = store.pin([cids[0]!])
    const endSecond = store.pin([cids[0]!, cids[1]!])
    await putAll(store, 0, 2, 3)
    expect(await heldOf(store, cids)).toEqual([0, 3])
    endFirst()
    endFirst()
    await putAll(store, 4)
    expect(await heldOf(store, cids)).toEqual([0, 4])
    endSecond()
    await putAll(store, 1)
    expect(await heldOf(store, cids)).toEqual([1, 4])
  })

  test('refuses what does not fit, naming what can be freed, and evicts nothing for it', async () => {
    const store = await createWorld().open(30)
    await putAll(store, 0, 1, 2)
    store.pin([cids[0]!])
    const big = block(9, 25)
    await expect(store.put(big.cid, big.bytes)).rejects.toMatchObject({
      code: 'E_STORAGE_FULL',
      fields: { limit_bytes: 30, free_bytes: 20 },
    })
    expect(await heldOf(store, cids)).toEqual([0, 1, 2])
  })

  test('lowered between two runs is met when the store opens', async () => {
    const world = createWorld()
    await putAll(await world.open(30), 0, 1, 2)
    expect((await world.open(15)).usage()).toEqual({ bytes: 10, blocks: 1, budgetBytes: 15 })
  })

  test('a restart remembers which blocks were used within the hour', async () => {
    const world = createWorld()
    const store = await world.open(30)
    await putAll(store, 0, 1, 2)
    await world.clock.advance(HOUR_MS)
    await store.get(cids[0]!)
    await store.get(cids[2]!)
    await world.clock.advance(0)
    const again = await world.open(30)
    await putAll(again, 3)
    expect(await heldOf(again, cids)).toEqual([0, 2, 3])
  })
})

describe('when storage fails', () => {
  const cids = [0, 1, 2].map((n) => block(n).cid)

  test('a put says so, evicts nothing and loses nothing', async () => {
    const world = createWorld()
    const store = await world.open(20)
    await putAll(store, 0, 1)
    failWrites(world)
    await expect(putAll(store, 2)).rejects.toMatchObject({ code: 'E_STORAGE' })
    expect(await heldOf(store, cids)).toEqual([0, 1])
    expect(world.events).toEqual([['storage.failed', expect.objectContaining({ code: 'E_STORAGE' })]])
    world.beforeWrite = () => {}
    await putAll(store, 2)
    expect(await heldOf(store, cids)).toEqual([1, 2])
  })

  test('a read, a delete and an opening say so', async () => {
    const world = createWorld()
    const store = await world.open(20)
    await putAll(store, 0)
    failWrites(world)
    await expect(store.delete(cids[0]!)).rejects.toMatchObject({ code: 'E_STORAGE' })
    expect(await store.get(cids[0]!)).toEqual(block(0).bytes)
    await world.storage.close()
    await expect(store.get(cids[0]!)).rejects.toMatchObject({ code: 'E_STORAGE' })
    await expect(world.open(20)).rejects.toMatchObject({ code: 'E_STORAGE' })
  })

  test('a use that cannot be saved does not spoil the read', async () => {
    const world = createWorld()
    const store = await world.open(20)
    await putAll(store, 0)
    await world.clock.advance(HOUR_MS)
    failWrites(world)
    expect(await store.get(cids[0]!)).toEqual(block(0).bytes)
    await world.clock.advance(0)
    expect(world.events.map(([name]) => name)).toEqual(['storage.failed'])
  })
})

test('a block on its way out is absent already, so that a pin never comes too late', async () => {
  const world = createWorld()
  const store = await world.open(10)
  await putAll(store, 0)
  const gate = Promise.withResolvers<void>()
  world.beforeWrite = () => gate.promise
  const evicting = putAll(store, 1)
  await world.clock.advance(0)
  store.pin([block(0).cid])
  expect(await store.has(block(0).cid)).toBe(false)
  expect(await store.get(block(0).cid)).toBeUndefined()
  gate.resolve()
  await evicting
  expect(await heldOf(store, [block(0).cid, block(1).cid])).toEqual([1])
  expect(world.events.map(([name]) => name)).toEqual(['block.evicted'])
})

/** What the store must do, in plain arrays. The first entry was used longest ago. */
class Model {
  readonly budgetBytes: number
  entries: { n: number; bytes: number; savedMs: number }[] = []
  readonly pins: number[][] = []

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  get bytes() {
    return this.entries.reduce((sum, entry) => sum + entry.bytes, 0)
  }

  use(n: number, nowMs: number) {
    const entry = this.entries.find((one) => one.n === n)
    if (!entry) return false
    if (nowMs - entry.savedMs >= HOUR_MS) entry.savedMs = nowMs
    this.entries = [...this.entries.filter((one) => one !== entry), entry]
    return true
  }

  put(n: number, bytes: number, nowMs: number): boolean {
    if (this.use(n, nowMs)) return true
    const pinned = new Set(this.pins.flat())
    let left = this.entries
    while (left.reduce((sum, entry) => sum + entry.bytes, 0) + bytes > this.budgetBytes) {
      const oldest = left.find((entry) => !pinned.has(entry.n))
      if (!oldest) return false
      left = left.filter((entry) => entry !== oldest)
    }
    this.entries = [...left, { n, bytes, savedMs: nowMs }]
    return true
  }

  reopen() {
    const key = (n: number) => block(n, sizeOf(n)).cid.toString()
    this.entries.sort((a, b) => a.savedMs - b.savedMs || (key(a.n) < key(b.n) ? -1 : 1))
    this.pins.length = 0
  }
}

const BLOCKS = 12
const sizeOf = (n: number) => 1 + ((n * 7) % 13)
const anyBlock = fc.nat(BLOCKS - 1)

const anyStep = fc.oneof(
  fc.record({ do: fc.constant('put' as const), n: anyBlock }),
  fc.record({ do: fc.constant('get' as const), n: anyBlock }),
  fc.record({ do: fc.constant('delete' as const), n: anyBlock }),
  fc.record({ do: fc.constant('failing put' as const), n: anyBlock }),
  fc.record({ do: fc.constant('pin' as const), n: anyBlock }),
  fc.record({ do: fc.constant('unpin' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('wait' as const), n: fc.nat(90) }),
  fc.record({ do: fc.constant('reopen' as const), n: fc.constant(0) }),
)

class Pair {
  readonly world = createWorld()
  readonly model = new Model(40)
  store!: BlockStore
  ends: (() => void)[] = []

  async step(step: { do: string; n: number }) {
    const { n } = step
    const { cid, bytes } = block(n, sizeOf(n))
    const nowMs = this.world.clock.now()
    const put = () => this.store.put(cid, bytes).then(() => true)
    if (step.do === 'put') expect(await put().catch(() => false)).toBe(this.model.put(n, sizeOf(n), nowMs))
    if (step.do === 'get') expect(await this.store.get(cid)).toEqual(this.model.use(n, nowMs) ? bytes : undefined)
    if (step.do === 'delete') {
      await this.store.delete(cid)
      this.model.entries = this.model.entries.filter((entry) => entry.n !== n)
    }
    if (step.do === 'failing put' && !this.model.entries.some((entry) => entry.n === n)) {
      failWrites(this.world)
      await expect(put()).rejects.toThrow()
      this.world.beforeWrite = () => {}
    }
    if (step.do === 'pin') {
      this.ends.push(this.store.pin([cid, block((n + 1) % BLOCKS, sizeOf((n + 1) % BLOCKS)).cid]))
      this.model.pins.push([n, (n + 1) % BLOCKS])
    }
    if (step.do === 'unpin' && n < this.ends.length) {
      this.ends.splice(n, 1)[0]?.()
      this.model.pins.splice(n, 1)
    }
    if (step.do === 'wait') await this.world.clock.advance(n * 60_000)
    if (step.do === 'reopen') await this.reopen()
  }

  async reopen() {
    await this.world.clock.advance(0)
    this.store = await this.world.open(this.model.budgetBytes)
    this.model.reopen()
    this.ends = []
  }
}

test('does what a plain model does, under any sequence of steps', async () => {
  const cids = Array.from({ length: BLOCKS }, (_, n) => block(n, sizeOf(n)).cid)
  const property = fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
    const pair = new Pair()
    await pair.reopen()
    for (const step of steps) {
      await pair.step(step)
      expect(await heldOf(pair.store, cids)).toEqual(pair.model.entries.map(({ n }) => n).sort((a, b) => a - b))
      expect(pair.store.usage()).toMatchObject({ bytes: pair.model.bytes, blocks: pair.model.entries.length })
      expect(pair.store.usage().bytes).toBeLessThanOrEqual(pair.model.budgetBytes)
    }
  })
  await checkProperty('block store against a model', property, { runs: 300 })
})
