/** What every state engine refuses: names, sizes and limits that are none. Each check throws MeshError E_USAGE. */
import { MeshError } from '../../protocol/errors.ts'
import { LIST_ENTRIES_MAX, MIB, STATE_ID_CHARS_MAX } from '../../protocol/limits.ts'
import { ensureStateKey, ensureStateNamespace, ensureStatePrefix } from '../../protocol/state-names.ts'
import type { Range, Transaction } from './engine.ts'

const ID = /^[!-~]+$/
/** What an engine takes under one key: larger values are kept as blocks (large-values.ts). */
export const ENTRY_BYTES_MAX = MIB

export const ensureTransaction = ({ id, reads, ranges, writes }: Transaction): void => {
  if (id.length > STATE_ID_CHARS_MAX || !ID.test(id)) {
    const message = `transaction id ${JSON.stringify(id.slice(0, 80))}: ids are 1 to ${STATE_ID_CHARS_MAX} printable ASCII characters`
    throw new MeshError('E_USAGE', message)
  }
  for (const { namespace, key } of reads) ensureNames(namespace, key)
  for (const { namespace, prefix, after, through } of ranges) {
    ensureStateNamespace(namespace)
    ensureStatePrefix(prefix)
    if (after !== undefined) ensureStateKey(after)
    if (through !== undefined) ensureStateKey(through)
  }
  for (const write of writes) {
    ensureNames(write.namespace, write.key)
    if ('put' in write && write.put.length > ENTRY_BYTES_MAX) throw tooLong(write.key, write.put.length)
  }
}

const ensureNames = (namespace: string, key: string): void => {
  ensureStateNamespace(namespace)
  ensureStateKey(key)
}

const tooLong = (key: string, bytes: number): MeshError => {
  const message = `the value of ${JSON.stringify(key)} has ${bytes} bytes, values have up to ${ENTRY_BYTES_MAX}: keep parts of it under several keys`
  return new MeshError('E_USAGE', { message, key, bytes })
}

export const ensureKeys = (namespace: string, keys: readonly string[]): void => {
  ensureStateNamespace(namespace)
  for (const key of keys) ensureStateKey(key)
}

export const ensureRange = ({ namespace, prefix, after, limit }: Range): void => {
  ensureStateNamespace(namespace)
  ensureStatePrefix(prefix)
  if (after !== undefined) ensureStateKey(after)
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_ENTRIES_MAX)
    throw new MeshError('E_USAGE', { message: `a list gives 1 to ${LIST_ENTRIES_MAX} entries, not ${limit}`, limit })
}

export const ensurePrefix = (namespace: string, prefix: string): void => {
  ensureStateNamespace(namespace)
  ensureStatePrefix(prefix)
}
