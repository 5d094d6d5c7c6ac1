/** Namespaces that move between two engines: marks, and writers that go on the whole time. */
import { describe, expect, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import type { MoveMark } from '../../protocol/moves.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { seededRandom } from '../../simulations/random.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { StateEngine, Transaction } from './engine.ts'
import { type MoveStep, markAfter, refusalOf } from './move-rules.ts'
import { OwnerAccess } from './owner-access.ts'
import { openStorageEngine } from './storage-engine.ts'

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms: number, ring: () => void) => {
    const timer = setTimeout(ring, ms)
    return () => clearTimeout(timer)
  },
}
const HOME = 'attic'
const bytes = (text: string) => new TextEncoder().encode(text)
const open = async (name: string) => {
  const quotaOf = () => ({ keys: 10_000, bytes: 2 ** 30 })
  const engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  return {
    engine,
    owner: new OwnerAccess({ clock, random: seededRandom(seedFor(name)), network: { peerId: HOME } }, engine),
  }
}
const mark = (state: MoveMark['state'], move = 'm', where?: string): MoveMark => ({
  v: 1,
  state,
  move,
  ...(where && { where }),
})
const leave = (where: string): MoveStep => ({ step: 'leave', move: 'm', where })

describe('what becomes of a mark', () => {
  test.each<[MoveMark | undefined, MoveStep, boolean, object | undefined]>([
    [undefined, leave('attic'), false, mark('leaving', 'm', 'attic')],
    [mark('here', 'other'), leave('attic'), false, mark('leaving', 'm', 'attic')],
    [mark('leaving', 'first', 'attic'), leave('attic'), false, mark('leaving', 'first', 'attic')],
    [mark('leaving', 'first', 'attic'), leave('cellar'), false, { code: 'E_STATE_MOVING' }],
    [mark('arriving'), leave('attic'), false, { code: 'E_STATE_MOVING' }],
    [mark('gone', 'm', 'attic'), leave('attic'), true, { code: 'E_NAMESPACE_TAKEN' }],
    [undefined, { step: 'arrive', move: 'm' }, true, mark('arriving')],
    [undefined, { step: 'arrive', move: 'm' }, false, { code: 'E_NAMESPACE_TAKEN' }],
    [undefined, { step: 'arrive', move: 'm', to: HOME }, true, mark('arriving')],
    [undefined, { step: 'arrive', move: 'm', to: 'cellar' }, true, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('arriving'), { step: 'arrive', move: 'm', to: 'cellar' }, true, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('arriving'), { step: 'arrive', move: 'm' }, false, mark('arriving')],
    [mark('arriving'), { step: 'arrive', move: 'n' }, true, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('here'), { step: 'arrive', move: 'm' }, false, mark('here')],
    [mark('here'), { step: 'arrive', move: 'n' }, false, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('leaving', 'm', 'attic'), { step: 'arrive', move: 'm' }, true, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('gone', 'm', 'attic'), { step: 'arrive', move: 'n' }, true, mark('arriving', 'n')],
    [mark('arriving'), { step: 'settle', move: 'm' }, false, mark('here')],
    [mark('here'), { step: 'settle', move: 'm' }, false, mark('here')],
    [mark('arriving'), { step: 'settle', move: 'n' }, false, { code: 'E_USAGE' }],
    [mark('leaving', 'm', 'attic'), { step: 'left' }, false, mark('gone', 'm', 'attic')],
    [mark('gone', 'm', 'attic'), { step: 'left' }, false, mark('gone', 'm', 'attic')],
    [undefined, { step: 'left' }, false, { code: 'E_USAGE' }],
    [mark('leaving', 'm', 'attic'), { step: 'stay' }, false, undefined],
    [mark('arriving'), { step: 'stay' }, true, undefined],
    [mark('here'), { step: 'stay' }, false, { code: 'E_USAGE' }],
    [mark('gone', 'm', 'attic'), { step: 'stay' }, true, { code: 'E_USAGE' }],
    [undefined, { step: 'delete', move: 'm' }, false, mark('deleting')],
    [mark('here', 'n'), { step: 'delete', move: 'm' }, false, mark('deleting')],
    [mark('deleting', 'n'), { step: 'delete', move: 'm' }, false, mark('deleting', 'n')],
    [mark('leaving', 'n', 'attic'), { step: 'delete', move: 'm' }, false, { code: 'E_STATE_MOVING' }],
    [mark('arriving', 'n'), { step: 'delete', move: 'm' }, false, { code: 'E_STATE_MOVING' }],
    [mark('gone', 'n', 'attic'), { step: 'delete', move: 'm' }, true, { code: 'E_NAMESPACE_TAKEN' }],
    [mark('deleting'), { step: 'deleted', move: 'm' }, true, undefined],
    [mark('deleting', 'n'), { step: 'deleted', move: 'm' }, true, { code: 'E_USAGE' }],
    [mark('deleting'), leave('attic'), false, { code: 'E_STATE_MOVING' }],
    [mark('deleting'), { step: 'arrive', move: 'n' }, true, { code: 'E_STATE_MOVING' }],
    [mark('deleting'), { step: 'stay' }, true, { code: 'E_USAGE' }],
  ])('%j, %j, empty: %s', (before, step, isEmpty, after) => {
    const found = markAfter('shop', before, step, { isEmpty, home: HOME })
    if (after === undefined) expect(found).toBeUndefined()
    else expect(found).toMatchObject(after)
  })

  test.each([
    [undefined, [undefined, undefined]],
    [mark('here'), [undefined, undefined]],
    [mark('leaving', 'm', 'attic'), [undefined, 'E_STATE_MOVING']],
    [mark('arriving'), ['E_STATE_MOVING', 'E_STATE_MOVING']],
    [mark('gone', 'm', 'attic'), ['E_NAMESPACE_TAKEN', 'E_NAMESPACE_TAKEN']],
    [mark('deleting'), ['E_STATE_MOVING', 'E_STATE_MOVING']],
  ])('who may use it: %j', (now, codes) => {
    const uses = ['read', 'write'] as const
    expect(uses.map((use) => refusalOf('shop', now, use)?.code)).toEqual(codes)
  })
})

test('writers go on while it moves there and back: each write that was acknowledged is there once, at one home', async () => {
  const ends = [await open('here'), await open('there')]
  const acknowledged = new Map<string, string>()
  let [isEnding, refused] = [false, 0]
  const writer = async (name: number) => {
    for (let n = 0; !isEnding; n++) {
      // What is kept in memory answers at once: others have their turn, too.
      await new Promise(setImmediate)
      const key = `${name}/${n % 50}`
      const value = `${n}`
      for (let end = 0; !isEnding; end = 1 - end) {
        const done = await (ends[end] as (typeof ends)[0]).owner.put('shop', key, bytes(value)).catch((cause) => {
          expect(['E_STATE_MOVING', 'E_NAMESPACE_TAKEN']).toContain(cause.code)
          refused += 1
        })
        if (done !== undefined) {
          acknowledged.set(key, value)
          break
        }
        await new Promise(setImmediate)
      }
    }
  }
  // The other end has nothing yet: it takes writes only once the namespace has come to it.
  const move = async (from: (typeof ends)[0], to: (typeof ends)[0]) => {
    const marked = await from.owner.move('shop', { step: 'leave', where: 'the other' })
    const { move } = marked as MoveMark
    await to.owner.move('shop', { step: 'arrive', move })
    for (let after: string | undefined, more = true; more; ) {
      const page = await from.owner.list({ namespace: 'shop', prefix: '', after, limit: 7 })
      await to.owner.load(
        'shop',
        move,
        page.entries.map(({ key, value }) => ({ key, value: value as Uint8Array })),
      )
      after = page.entries.at(-1)?.key
      more = page.more
    }
    await to.owner.move('shop', { step: 'settle', move })
    await from.owner.move('shop', { step: 'left' })
  }
  const [here, there] = ends as [(typeof ends)[0], (typeof ends)[0]]
  // An end that it never was at is closed to writers, as one that it has left.
  await there.owner.put('shop', 'x', bytes('x'))
  await there.owner.move('shop', { step: 'leave', where: 'here' })
  await there.owner.move('shop', { step: 'left' })
  const writers = Array.from({ length: 8 }, (_, name) => writer(name))
  for (let round = 0; round < 5; round++) {
    await expect.poll(() => acknowledged.size).toBeGreaterThan(100)
    await move(here, there)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await move(there, here)
  }
  isEnding = true
  await Promise.all(writers)
  const { entries } = await here.owner.list({ namespace: 'shop', prefix: '', limit: 1000 })
  const found = new Map(entries.map(({ key, value }) => [key, new TextDecoder().decode(value)]))
  expect(found).toEqual(acknowledged)
  expect(refused).toBeGreaterThan(0)
  const left = await there.engine.list({ namespace: 'shop', prefix: '', limit: 10 }, await there.engine.revision())
  expect(left.entries).toEqual([])
})

test('a move that was interrupted goes on, or is undone, at either end', async () => {
  const [here, there] = [await open('from'), await open('to')]
  await here.owner.put('shop', 'a', bytes('1'))
  const first = await here.owner.move('shop', { step: 'leave', where: 'attic' })
  expect(await here.owner.move('shop', { step: 'leave', where: 'attic' })).toEqual(first)
  await expect(here.owner.put('shop', 'a', bytes('2'))).rejects.toMatchObject({
    code: 'E_STATE_MOVING',
    message: expect.stringContaining('attic'),
  })
  const { move } = first as MoveMark
  await there.owner.move('shop', { step: 'arrive', move })
  await there.owner.load('shop', move, [{ key: 'a', value: bytes('1') }])
  await expect(there.owner.put('shop', 'b', bytes('2'))).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  await expect(there.owner.load('shop', 'other', [])).rejects.toMatchObject({ code: 'E_USAGE' })
  const all = { namespace: 'shop', prefix: '', limit: 10 }
  await expect(there.owner.list(all)).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  await expect(there.owner.list(all, undefined, 'other')).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  expect((await there.owner.list(all, undefined, move)).entries).toMatchObject([{ key: 'a' }])
  await there.owner.move('shop', { step: 'stay' })
  expect((await there.owner.list({ namespace: 'shop', prefix: '', limit: 10 })).entries).toEqual([])
  await here.owner.move('shop', { step: 'stay' })
  await here.owner.put('shop', 'a', bytes('2'))
  await there.owner.put('shop', 'b', bytes('2'))
  await expect(there.owner.move('shop', { step: 'arrive', move })).rejects.toMatchObject({ code: 'E_NAMESPACE_TAKEN' })
})

test('a write that began before the mark conflicts with it, and is refused', async () => {
  const { engine, owner } = await open('between')
  let between = async () => {
    between = async () => {}
    await owner.move('shop', { step: 'leave', where: 'attic' })
  }
  const slow = {
    revision: () => engine.revision(),
    read: engine.read.bind(engine),
    list: engine.list.bind(engine),
    commit: async (transaction: Transaction) => {
      await between()
      return engine.commit(transaction)
    },
    watch: engine.watch.bind(engine),
    ensureRoom: engine.ensureRoom.bind(engine),
    close: () => engine.close(),
  }
  const late = new OwnerAccess({ clock, random: seededRandom(seedFor('late')), network: { peerId: HOME } }, slow)
  await expect(late.put('shop', 'a', bytes('1'))).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  expect((await owner.list({ namespace: 'shop', prefix: '', limit: 1 })).entries).toEqual([])
})

test('what is deleted is gone whole, also where that was interrupted, and the namespace is free again', async () => {
  const { engine, owner } = await open('deleted')
  for (let i = 0; i < 2500; i++) await owner.put('shop', `key/${i}`, bytes('1'))
  await owner.put('other', 'key', bytes('1'))
  let pages = 0
  const list: StateEngine['list'] = async (range, revision) => {
    if (range.limit > 1) pages += 1
    if (pages > 1) throw new MeshError('E_STORAGE', 'cut off')
    return engine.list(range, revision)
  }
  const cut = new OwnerAccess(
    { clock, random: seededRandom(seedFor('cut')), network: { peerId: HOME } },
    {
      ...{
        revision: () => engine.revision(),
        read: engine.read.bind(engine),
        commit: engine.commit.bind(engine),
        list,
        ensureRoom: engine.ensureRoom.bind(engine),
      },
      ...{ watch: engine.watch.bind(engine), close: () => engine.close() },
    },
  )
  await expect(cut.move('shop', { step: 'delete' })).rejects.toMatchObject({ code: 'E_STORAGE' })
  const deleting = { code: 'E_STATE_MOVING', message: expect.stringContaining('wayside state delete shop --yes') }
  await expect(owner.get('shop', 'key/2499')).rejects.toMatchObject(deleting)
  await expect(owner.put('shop', 'new', bytes('1'))).rejects.toMatchObject(deleting)
  expect(await owner.move('shop', { step: 'delete' })).toBeUndefined()
  expect((await owner.list({ namespace: 'shop', prefix: '', limit: 1 })).entries).toEqual([])
  await owner.put('shop', 'new', bytes('1'))
  expect((await owner.list({ namespace: 'other', prefix: '', limit: 10 })).entries).toHaveLength(1)
})
