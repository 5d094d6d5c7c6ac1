import { MeshError } from '../../protocol/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../protocol/fail-points.ts'
import type { Storage, StorageWrite } from '../../protocol/ports.ts'
import { ensureStorageKey } from './key.ts'

/** Storage that lasts as long as the object. Values are copied on the way in and out, as through a disk. */
export const createMemoryStorage = ({ failPoints = NO_FAIL_POINTS }: { failPoints?: FailPoints } = {}): Storage => {
  const entries = new Map<string, Uint8Array>()
  let closed = false

  const ensureOpen = () => {
    if (closed) throw new MeshError('E_STORAGE', 'the storage is closed')
  }

  const apply = (write: StorageWrite) => {
    if ('put' in write) entries.set(write.key, write.put.slice())
    else entries.delete(write.key)
  }

  return {
    async get(key) {
      failPoints.hit('storage.get')
      ensureOpen()
      return entries.get(key)?.slice()
    },
    async getMany(keys) {
      failPoints.hit('storage.get')
      ensureOpen()
      return keys.map((key) => entries.get(key)?.slice())
    },
    async write(writes) {
      failPoints.hit('storage.write')
      ensureOpen()
      for (const { key } of writes) ensureStorageKey(key)
      for (const write of writes) apply(write)
    },
    async *scan(prefix, { after = '', limit } = {}) {
      failPoints.hit('storage.scan')
      ensureOpen()
      const found = [...entries].filter(([key]) => key.startsWith(prefix) && key > after)
      found.sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [key, value] of found.slice(0, limit)) yield { key, value: value.slice() }
    },
    async close() {
      closed = true
    },
  }
}
