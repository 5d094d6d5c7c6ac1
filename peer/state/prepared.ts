/** A transaction as the committer takes it: its keys are storage keys, each of them made once. */
import type { Read, ReadRange, Transaction, Write } from './engine.ts'
import { entryKey } from './storage-keys.ts'

export interface PreparedWrite {
  storageKey: string
  /** Undefined: it is deleted. */
  value: Uint8Array | undefined
}

export interface Prepared {
  id: string
  revision: number
  /** Storage keys. */
  reads: readonly string[]
  ranges: readonly ReadRange[]
  writes: readonly PreparedWrite[]
}

const isOf = (read: Read | undefined, { namespace, key }: Write): boolean =>
  read !== undefined && read.key === key && read.namespace === namespace

export const prepare = ({ id, revision, reads, ranges, writes }: Transaction): Prepared => {
  const readKeys = reads.map(({ namespace, key }) => entryKey(namespace, key))
  const prepared = writes.map((write, index): PreparedWrite => {
    // Who reads and writes one thing mostly names it at the same place; the same text is hashed once.
    const storageKey = isOf(reads[index], write) ? (readKeys[index] as string) : entryKey(write.namespace, write.key)
    return { storageKey, value: 'put' in write ? write.put : undefined }
  })
  return { id, revision, reads: readKeys, ranges, writes: prepared }
}
