import { describe, expect, test } from 'vitest'
import { rawCid } from '../protocol/cid.ts'
import { MeshError } from '../protocol/errors.ts'
import { KIB, MIB } from '../protocol/limits.ts'
import { Memo, memoBytes } from './memo.ts'
import type { KeptLevel } from './memo-entry.ts'
import {
  createWorld,
  crypto,
  find,
  HOUR_MS,
  keysOf,
  type MemoWorld,
  outcomeOf,
  pure,
  SELF,
  taskOf,
  verified,
} from './memo-fixture.ts'

const failWrites = (world: MemoWorld) => {
  world.beforeWrite = () => {
    throw new MeshError('E_STORAGE', 'disk full')
  }
}

describe('what is kept', () => {
  test('is given back as it was, console and all, at once and after a restart', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    expect(await find(memo, 1)).toEqual(outcomeOf(1))
    await world.clock.advance(1000)
    expect(await find(memo, 1)).toEqual(outcomeOf(1))
    const again = await world.open()
    expect(await find(again, 1)).toEqual(outcomeOf(1))
    expect(await find(again, 2)).toBeUndefined()
    expect(again.usage()).toMatchObject({ entries: 1, hits: 1, misses: 1 })
  })

  test('is not served for a level above its own', async () => {
    const memo = await createWorld().open()
    memo.add(taskOf(1), verified(outcomeOf(1), { level: { level: 'quorum', n: 2 } }))
    expect(await find(memo, 1, { level: 'quorum', n: 3 })).toBeUndefined()
    expect(await find(memo, 1, SELF)).toBeUndefined()
    expect(await find(memo, 1, { level: 'quorum', n: 2 })).toEqual(outcomeOf(1))
    expect(await find(memo, 1, { level: 'none' })).toEqual(outcomeOf(1))
    expect(memo.usage()).toMatchObject({ hits: 2, misses: 2 })
  })

  test('gives way to the same at a higher level, and not to one at a lower', async () => {
    const memo = await createWorld().open()
    const add = (level: KeptLevel, signer: string) =>
      memo.add(taskOf(1), verified(outcomeOf(1), { level, signers: [signer] }))
    add({ level: 'quorum', n: 2 }, 'ann')
    add(SELF, 'bob')
    add({ level: 'quorum', n: 3 }, 'cid')
    expect(memo.usage().entries).toBe(1)
    memo.drop('ann')
    memo.drop('cid')
    expect(await find(memo, 1)).toEqual(outcomeOf(1))
    memo.drop('bob')
    expect(await find(memo, 1)).toBeUndefined()
  })

  test('is nothing that failed, requested something, or could have', async () => {
    const memo = await createWorld().open()
    const result = { ok: false as const, code: 'E_FUEL_LIMIT' as const, message: 'the fuel is used up', stack: '' }
    const requests = [{ kind: 'call' as const, arguments: Uint8Array.of(1) }]
    memo.add(taskOf(1), verified({ ...outcomeOf(1), result }))
    memo.add(taskOf(2), verified({ ...outcomeOf(2), requests }))
    memo.add(taskOf(3), verified(outcomeOf(3), { manifest: { ...pure, effects: ['call'] } }))
    expect(memo.usage()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('a caller that writes over its bytes changes nothing', async () => {
    const memo = await createWorld().open()
    const given = verified(outcomeOf(1))
    memo.add(taskOf(1), given)
    given.outcomeBytes.fill(0)
    expect(await find(memo, 1)).toEqual(outcomeOf(1))
  })
})

describe('what is dropped', () => {
  test('is all that one signer has signed, and stays so after a restart', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1), { signers: ['ann', 'bob'] }))
    memo.add(taskOf(2), verified(outcomeOf(2), { signers: ['cid', 'me'] }))
    memo.add(taskOf(3), verified(outcomeOf(3), { signers: ['bob', 'cid'] }))
    await world.clock.advance(1000)
    memo.drop('bob')
    expect(await Promise.all([1, 2, 3].map((n) => find(memo, n)))).toEqual([undefined, outcomeOf(2), undefined])
    // At once, and so that it lasts: nothing brings back what was signed by a liar.
    await world.clock.advance(0)
    expect(world.writes).toEqual([false, true])
    const again = await world.open()
    expect(await Promise.all([1, 2, 3].map((n) => find(again, n)))).toEqual([undefined, outcomeOf(2), undefined])
    expect(world.events).toMatchObject([['memo.dropped', { peer: 'bob', count: 2 }]])
  })

  test('also while the memo is still being opened', async () => {
    const world = createWorld()
    const before = await world.open()
    before.add(taskOf(1), verified(outcomeOf(1)))
    await before.close()
    const opening = world.open()
    const memo = await opening
    expect(memo.usage().entries).toBe(1)
    const { storage, clock } = world
    const early = new Memo({ storage, clock, crypto, log: { event() {} } }, { budgetBytes: MIB })
    early.drop('ann')
    await early.opened
    await clock.advance(0)
    expect(early.usage().entries).toBe(0)
  })

  test('while it is read, it is not given out', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    await world.clock.advance(1000)
    const found = find(memo, 1)
    memo.drop('ann')
    expect(await found).toBeUndefined()
    expect(memo.usage()).toMatchObject({ hits: 0, misses: 1 })
  })
})

describe('what is damaged in storage', () => {
  const damaged = async (damage: (world: MemoWorld, key: string) => Promise<void>) => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    memo.add(taskOf(2), verified(outcomeOf(2)))
    await memo.close()
    await damage(world, taskOf(1).toString())
    const again = await world.open()
    expect(await find(again, 1)).toBeUndefined()
    expect(await find(again, 2)).toEqual(outcomeOf(2))
    expect(world.events).toMatchObject([['memo.dropped', { task: taskOf(1).toString(), count: 1 }]])
    await again.close()
    expect(await keysOf(world)).toEqual([`memo-entry/${taskOf(2)}`, `memo/${taskOf(2)}`])
  }

  test('is a miss and is removed: its outcome is missing', () =>
    damaged(async ({ storage }, key) => storage.write([{ key: `memo/${key}`, delete: true }])))

  test.each([0, 40, -1])('is a miss and is removed: byte %i of its outcome changed', (at) =>
    damaged(async ({ storage }, key) => {
      const put = (await storage.get(`memo/${key}`)) as Uint8Array
      put[at < 0 ? put.length + at : at]! ^= 1
      await storage.write([{ key: `memo/${key}`, put }])
    }),
  )

  test('is a miss and is removed: half of it is there', () =>
    damaged(async ({ storage }, key) => {
      const whole = (await storage.get(`memo/${key}`)) as Uint8Array
      await storage.write([{ key: `memo/${key}`, put: whole.subarray(0, whole.length / 2) }])
    }))

  test('is a miss and is removed: the outcome of another task, whole as it is', () =>
    damaged(async ({ storage }, key) => {
      const put = (await storage.get(`memo/${taskOf(2)}`)) as Uint8Array
      await storage.write([{ key: `memo/${key}`, put }])
    }))

  test('is a miss and is removed: its record says that others signed', () =>
    damaged(async ({ storage }, key) => {
      const put = Buffer.from((await storage.get(`memo-entry/${key}`)) as Uint8Array)
      put.write('bob', put.indexOf('ann'))
      await storage.write([{ key: `memo-entry/${key}`, put: new Uint8Array(put) }])
    }))

  test('is a miss and is removed: its record is nonsense', () =>
    damaged(async ({ storage }, key) => storage.write([{ key: `memo-entry/${key}`, put: Uint8Array.of(255) }])))
})

describe('a storage that fails', () => {
  test('to write costs what was to be written, and is tried again after a minute', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    await world.clock.advance(1000)
    failWrites(world)
    memo.add(taskOf(2), verified(outcomeOf(2)))
    await world.clock.advance(1000)
    expect(world.events).toMatchObject([['storage.failed', { code: 'E_STORAGE' }]])
    expect(await find(memo, 1)).toEqual(outcomeOf(1))
    expect(await find(memo, 2)).toBeUndefined()
    memo.add(taskOf(3), verified(outcomeOf(3)))
    expect(await find(memo, 3)).toBeUndefined()
    const tried = world.writes.length
    await world.clock.advance(59_000)
    expect(world.writes).toHaveLength(tried)
    world.beforeWrite = () => {}
    await world.clock.advance(1000)
    memo.add(taskOf(3), verified(outcomeOf(3)))
    expect(await find(memo, 3)).toEqual(outcomeOf(3))
    await memo.close()
    expect((await world.open()).usage().entries).toBe(2)
  })

  test('while something is dropped does not keep it', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    await world.clock.advance(1000)
    failWrites(world)
    memo.drop('ann')
    await world.clock.advance(0)
    expect(await find(memo, 1)).toBeUndefined()
    world.beforeWrite = () => {}
    await world.clock.advance(60_000)
    expect(world.writes).toEqual([false, true, true])
    expect(await keysOf(world)).toEqual([])
  })

  test('to read makes a miss, to scan an empty memo, and neither a call that fails', async () => {
    const world = createWorld()
    const memo = await world.open()
    memo.add(taskOf(1), verified(outcomeOf(1)))
    await memo.close()
    const { storage } = world
    const again = await world.open()
    world.storage.get = async () => {
      throw new MeshError('E_STORAGE', 'unreadable')
    }
    expect(await find(again, 1)).toBeUndefined()
    world.storage = {
      ...storage,
      // biome-ignore lint/correctness/useYield: it fails before.
      async *scan() {
        throw new MeshError('E_STORAGE', 'unreadable')
      },
    }
    const blind = await world.open()
    expect(await find(blind, 1)).toBeUndefined()
    expect(world.events.map(([name]) => name)).toEqual(['storage.failed', 'storage.failed'])
    blind.drop('ann')
    await blind.close()
  })

  test('that is slow does not make more wait than its limit', async () => {
    const world = createWorld()
    const memo = await world.open(1024 * MIB)
    world.beforeWrite = () => new Promise((resolve) => world.clock.after(HOUR_MS, resolve))
    for (let n = 0; n < 60; n++) memo.add(taskOf(n), verified(outcomeOf(n, MIB)))
    expect(memo.usage().entries).toBeGreaterThan(15)
    expect(memo.usage().entries).toBeLessThan(20)
    expect(world.writes).toHaveLength(0)
    await world.clock.advance(0)
    expect(world.writes).toHaveLength(1)
  })
})

describe('the budget', () => {
  test('is a sixteenth of the disk, and 64 MiB at most', () => {
    expect([16 * MIB, 1024 * MIB, 1024 * 1024 * MIB].map(memoBytes)).toEqual([MIB, 64 * MIB, 64 * MIB])
  })

  test('holds what was used last', async () => {
    const world = createWorld()
    const memo = await world.open(4 * 11 * KIB)
    for (let n = 0; n < 4; n++) memo.add(taskOf(n), verified(outcomeOf(n, 9.5 * KIB)))
    await find(memo, 0)
    memo.add(taskOf(4), verified(outcomeOf(4, 9.5 * KIB)))
    const kept = await Promise.all([0, 1, 2, 3, 4].map(async (n) => (await find(memo, n)) !== undefined))
    expect(kept).toEqual([true, false, true, true, true])
  })

  test('holds nothing larger than itself, and nothing goes for it', async () => {
    const memo = await createWorld().open(11 * KIB)
    memo.add(taskOf(1), verified(outcomeOf(1, 9 * KIB)))
    memo.add(taskOf(2), verified(outcomeOf(2, 11 * KIB)))
    expect(await find(memo, 1)).toBeDefined()
    expect(await find(memo, 2)).toBeUndefined()
  })

  test('that shrinks is kept from the next start on', async () => {
    const world = createWorld()
    const memo = await world.open()
    for (let n = 0; n < 8; n++) {
      await world.clock.advance(1000)
      memo.add(taskOf(n), verified(outcomeOf(n, 9 * KIB)))
    }
    await memo.close()
    const smaller = await world.open(21 * KIB)
    expect(await find(smaller, 7)).toBeDefined()
    expect(smaller.usage().entries).toBe(2)
    expect(smaller.usage().bytes).toBeLessThanOrEqual(21 * KIB)
    await smaller.close()
    expect(await keysOf(world)).toHaveLength(4)
  })

  test('bounds how many entries there are, however small', async () => {
    const memo = await createWorld().open(MIB)
    for (let n = 0; n < 2000; n++) {
      memo.add(rawCid(crypto, Uint8Array.of(n % 256, n >> 8)), verified(outcomeOf(n)))
    }
    expect(memo.usage().entries).toBeGreaterThan(500)
    expect(memo.usage().entries).toBeLessThan(1024)
    expect(memo.usage().bytes).toBeLessThanOrEqual(MIB)
  })
})

test('many changes are one write, a second later', async () => {
  const world = createWorld()
  const memo = await world.open()
  for (let n = 0; n < 100; n++) memo.add(taskOf(n), verified(outcomeOf(n)))
  await world.clock.advance(999)
  expect(world.writes).toEqual([])
  await world.clock.advance(1)
  expect(world.writes).toEqual([false])
  for (let n = 0; n < 100; n++) await find(memo, n)
  await world.clock.advance(HOUR_MS)
  expect(world.writes).toHaveLength(1)
})

test('a memo that is closed keeps nothing more, and leaves no timer', async () => {
  const world = createWorld()
  const memo = await world.open()
  memo.add(taskOf(1), verified(outcomeOf(1)))
  await memo.close()
  memo.add(taskOf(2), verified(outcomeOf(2)))
  expect(world.clock.pending).toBe(0)
  expect((await world.open()).usage().entries).toBe(1)
})
