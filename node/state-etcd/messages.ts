/** The messages of etcd's JSON gateway that are used here: keys and values in base64, 64-bit numbers as text. */

/** `range_end` exclusive; without one the key alone. */
export interface KeyRange {
  key: string
  range_end?: string
}

export interface KeyValue {
  key: Buffer
  value: Buffer
  modRevision: number
}

export interface RangeReply {
  /** Of the whole store when it was read. */
  revision: number
  kvs: KeyValue[]
  more: boolean
}

export interface TxnReply {
  succeeded: boolean
  /** Of the whole store: the one that the transaction made, if it wrote. */
  revision: number
  /** One for each operation; of those that are no ranges an empty one. */
  ranges: RangeReply[]
}

export interface WatchEvent extends KeyValue {
  isDelete: boolean
}

export type CompareJson = object
export type OpJson = object

export const base64 = (text: string | Uint8Array): string =>
  typeof text === 'string'
    ? Buffer.from(text).toString('base64')
    : Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('base64')

/** The keys that begin with the bytes of `prefix`, behind `after` if that is given. */
export const prefixRange = (prefix: string, after?: string): KeyRange => {
  const end = Buffer.from(prefix)
  // No byte of UTF-8 is 0xff, so that there is always one above the last.
  end[end.length - 1] = (end[end.length - 1] as number) + 1
  const first =
    after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0 ? `${after}\0` : prefix
  return { key: base64(first), range_end: end.toString('base64') }
}

/** Holds if the key was last changed at `modRevision`; 0: it is not there. */
export const unchanged = (key: string, modRevision: number): CompareJson => ({
  key: base64(key),
  target: 'MOD',
  result: 'EQUAL',
  mod_revision: String(modRevision),
})

export const put = (key: string, value: string | Uint8Array, lease?: string): OpJson => ({
  requestPut: { key: base64(key), value: base64(value), ...(lease === undefined ? {} : { lease }) },
})

export const remove = (key: string): OpJson => ({ requestDeleteRange: { key: base64(key) } })

export const removeAll = (range: KeyRange): OpJson => ({ requestDeleteRange: range })

export const get = (range: KeyRange, options: object = {}): OpJson => ({ requestRange: { ...range, ...options } })

export const nested = (operations: readonly OpJson[]): OpJson => ({ requestTxn: { success: operations } })

interface KeyValueJson {
  key: string
  value?: string
  mod_revision: string
}
interface ReplyJson {
  header?: { revision?: string }
}
interface RangeJson extends ReplyJson {
  kvs?: KeyValueJson[]
  more?: boolean
}

const keyValueOf = ({ key, value, mod_revision }: KeyValueJson): KeyValue => ({
  key: Buffer.from(key, 'base64'),
  value: Buffer.from(value ?? '', 'base64'),
  modRevision: Number(mod_revision),
})

export const rangeReplyOf = ({ header, kvs, more }: RangeJson): RangeReply => ({
  revision: Number(header?.revision ?? 0),
  kvs: (kvs ?? []).map(keyValueOf),
  more: more === true,
})

interface TxnJson extends ReplyJson {
  succeeded?: boolean
  responses?: { response_range?: RangeJson }[]
}

export const txnReplyOf = ({ header, succeeded, responses }: TxnJson): TxnReply => ({
  succeeded: succeeded === true,
  revision: Number(header?.revision ?? 0),
  ranges: (responses ?? []).map(({ response_range }) => rangeReplyOf(response_range ?? {})),
})

interface WatchJson {
  events?: { type?: string; kv: KeyValueJson }[]
}

export const eventsOf = ({ events }: WatchJson): WatchEvent[] =>
  (events ?? []).map(({ type, kv }) => ({ ...keyValueOf(kv), isDelete: type === 'DELETE' }))
