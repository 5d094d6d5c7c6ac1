import { ensureStorageKey } from '../peer/storage/key.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import type { Storage } from '../protocol/ports.ts'
import { ENTRIES, type PageDatabase } from './database.ts'

/** Above every key, all of which are ASCII. */
const ABOVE_KEYS = '\u{7f}'

/**
 * Storage in IndexedDB. A scan reads all that it gives at its beginning: a transaction does not outlive a wait for
 * anything else.
 */
export const createPageStorage = (database: PageDatabase, failPoints: FailPoints = NO_FAIL_POINTS): Storage => ({
  async get(key) {
    failPoints.hit('storage.get')
    const [value] = await database.read<[Uint8Array | undefined]>(ENTRIES, (store) => [store.get(key)])
    return value
  },
  async getMany(keys) {
    failPoints.hit('storage.get')
    return database.read<(Uint8Array | undefined)[]>(ENTRIES, (store) => keys.map((key) => store.get(key)))
  },
  async write(writes, { durable = false } = {}) {
    failPoints.hit('storage.write')
    for (const { key } of writes) ensureStorageKey(key)
    const apply = (store: IDBObjectStore) => {
      for (const write of writes) {
        // A view would be kept with all of its buffer.
        if ('put' in write) store.put(write.put.slice(), write.key)
        else store.delete(write.key)
      }
    }
    await database.write(ENTRIES, apply, durable)
  },
  async *scan(prefix, { after = '', limit } = {}) {
    failPoints.hit('storage.scan')
    if (after >= prefix + ABOVE_KEYS) return
    const range = IDBKeyRange.bound(after < prefix ? prefix : after, prefix + ABOVE_KEYS, after >= prefix, true)
    const [keys, values] = await database.read<[IDBValidKey[], Uint8Array[]]>(ENTRIES, (store) => [
      store.getAllKeys(range, limit),
      store.getAll(range, limit),
    ])
    for (const [i, key] of keys.entries()) yield { key: key as string, value: values[i] as Uint8Array }
  },
  close: () => database.close(),
})
