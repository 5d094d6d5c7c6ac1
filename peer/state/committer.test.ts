import { expect, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import type { Storage } from '../../protocol/ports.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { Transaction } from './engine.ts'
import { openStorageEngine } from './storage-engine.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const damaged = (what: string) => {
  throw new Error(`damaged: ${what}`)
}
const open = (storage: Storage) =>
  openStorageEngine({ storage, damaged, quotaOf: () => ({ keys: 100, bytes: 2 ** 20 }) })

const NAMED = { namespace: 'shop', key: 'a' }
const writing = (id: string, revision: number, value = Uint8Array.of(1)): Transaction => ({
  ...{ id, revision, reads: [NAMED], ranges: [], writes: [{ ...NAMED, put: value }] },
})

/** Writes that wait until they are let go, or fail. */
const heldStorage = (storage: Storage) => {
  const waiting: PromiseWithResolvers<void>[] = []
  const write: Storage['write'] = async (writes, options) => {
    const gate = Promise.withResolvers<void>()
    waiting.push(gate)
    await gate.promise
    await storage.write(writes, options)
  }
  return { storage: { ...storage, write }, waiting }
}

test('whoever was judged on top of a write that failed is judged again, as if it had just come', async () => {
  const { storage, waiting } = heldStorage(createMemoryStorage())
  const engine = await open(storage)
  const first = engine.commit(writing('first', 0))
  await turn()
  const failing = engine.commit(writing('failing', 1)).catch((error) => error)
  waiting.shift()?.resolve()
  await first
  // Now, while that is on its way, as who has been told comes again at once.
  const next = engine.commit(writing('next', 1))
  const again = engine.commit(writing('failing', 1))
  await turn()
  waiting.shift()?.reject(new MeshError('E_STORAGE', { message: 'no room', written: false }))
  expect(await failing).toMatchObject({ code: 'E_STORAGE' })
  await turn()
  waiting.shift()?.resolve()
  expect(await next).toEqual({ kind: 'committed', revision: 2 })
  expect(await again).toEqual({ kind: 'conflict', ...NAMED })
  expect(await engine.revision()).toBe(2)
  await engine.close()
})

test('what is thrown for one transaction is its answer, and others are committed', async () => {
  const engine = await open(createMemoryStorage())
  const first = engine.commit(writing('first', 0))
  // These wait for it, and so for each other: the one begins as the name of a large value does, and is none.
  const unreadable = engine.commit(writing('unreadable', 1, Uint8Array.of(0xff))).catch((error) => error)
  const readable = engine.commit({ ...writing('readable', 1), reads: [] })
  expect(await first).toMatchObject({ revision: 1 })
  expect(await unreadable).toMatchObject({ code: 'E_MESSAGE' })
  expect(await readable).toEqual({ kind: 'committed', revision: 2 })
  await engine.close()
})
