/** The effects `get` and `list`: what a function reads, all at the revision of its step. */

import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { Granted } from '../grants.ts'

export interface StateRange {
  namespace: string
  prefix: string
  /** Exclusive; undefined: from the first. */
  after?: string | undefined
  limit: number
}

/** Where a function reads. Values are encoded. */
export interface StateReads {
  /** Undefined: there is no such entry. */
  get(namespace: string, key: string): Promise<Uint8Array | undefined>
  /** Ascending; `more`: there are others behind them. */
  list(range: StateRange): Promise<{ entries: { key: string; value: Uint8Array }[]; more: boolean }>
  /** Reads as of the same, for one who may not want it: it is noted once `note` is called. */
  beside(): { reads: StateReads; note(): void }
}

/** Values in a page of a list stay below what a home answers at once. */
const ENTRIES_ITEMS_MAX = 524_288

/** The encoded answer. Throws MeshError E_GRANT where the home keeps no state. */
export const answerRead = async (
  reads: StateReads | undefined,
  { args, grant }: Granted<'get' | 'list'>,
): Promise<Uint8Array> => {
  if (!reads) throw new MeshError('E_GRANT', `env.${args.binding}: this home keeps no state`)
  const namespace = grant.state
  if ('key' in args) return (await reads.get(namespace, args.key)) ?? encodeValue(null)
  const { prefix, after, limit } = args
  const { entries, more } = await reads.list({ namespace, prefix, after: after ?? undefined, limit })
  const decoded = entries.map(({ key, value }) => ({ key, value: decodeValue(value, ENTRIES_ITEMS_MAX) }))
  return encodeValue({ entries: decoded, more })
}
