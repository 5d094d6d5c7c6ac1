/** What stands where in etcd, all of it under one prefix. */
import type { Holdings } from '../../peer/state/engine.ts'
import { base64, type KeyRange, prefixRange } from './messages.ts'

/** A key of a namespace in one text: no namespace has a slash. */
export const stateKey = (namespace: string, key: string): string => `${namespace}/${key}`
export const namespaceOf = (stateKey: string): string => stateKey.slice(0, stateKey.indexOf('/'))
export const keyOf = (stateKey: string): string => stateKey.slice(stateKey.indexOf('/') + 1)

/** Of the largest that a number counts. */
const REVISION_CHARS = 16

export class Layout {
  /** Everything but the values. */
  readonly control: string
  /** The mesh whose homes keep their state here. */
  readonly mesh: string
  /** Which home commits: its name, under its lease. When it was put fences each of its transactions. */
  readonly committer: string
  /** What the last group has committed: whoever watches it is told of each. */
  readonly log: string
  /** What a namespace holds: `…NAMESPACE`. */
  readonly holdings: string
  /** Homes that live, each under its lease: `…HOME`. */
  readonly homes: string
  /** What homes ask the committer to commit, under their leases: `…HOME/N`. */
  readonly requests: string
  /** What it answered: `…HOME/N`. */
  readonly answers: string
  readonly #groups: string
  readonly #entries: string

  constructor(prefix: string) {
    this.control = `${prefix}control/`
    this.mesh = `${this.control}mesh`
    this.committer = `${this.control}committer`
    this.log = `${this.control}log`
    this.holdings = `${this.control}holdings/`
    this.homes = `${this.control}homes/`
    this.requests = `${this.control}requests/`
    this.answers = `${this.control}answers/`
    this.#groups = `${prefix}groups/`
    this.#entries = `${prefix}entries/`
  }

  /** What the group whose first revision is `from` has committed, for those who begin later. */
  group(from: number): string {
    return this.#groups + String(from).padStart(REVISION_CHARS, '0')
  }

  /** The groups behind that of `after`, or before that of `before`. */
  groupsRange({ after, before }: { after?: string | undefined; before?: number | undefined }): KeyRange {
    const range = prefixRange(this.#groups, after)
    return before === undefined ? range : { ...range, range_end: base64(this.group(before)) }
  }

  entry(stateKey: string): string {
    return this.#entries + stateKey
  }

  entryRange(stateKey: string): KeyRange {
    return { key: base64(this.entry(stateKey)) }
  }

  entriesRange(prefix: string, after: string | undefined): KeyRange {
    return prefixRange(this.entry(prefix), after === undefined ? undefined : this.entry(after))
  }

  stateKeyOf(key: Buffer): string {
    return key.toString('utf8', this.#entries.length)
  }
}

/** Before each value: the revision of the commit that wrote it, big-endian. */
const VERSION_BYTES = 6

export const encodeEntry = (version: number, value: Uint8Array): Buffer => {
  const bytes = Buffer.allocUnsafe(VERSION_BYTES + value.length)
  bytes.writeUIntBE(version, 0, VERSION_BYTES)
  bytes.set(value, VERSION_BYTES)
  return bytes
}

export const decodeEntry = (bytes: Buffer): { version: number; value: Uint8Array } => ({
  version: bytes.readUIntBE(0, VERSION_BYTES),
  value: new Uint8Array(bytes.subarray(VERSION_BYTES)),
})

/** What one transaction of etcd has committed: the transactions of revisions `from`, `from` + 1, … */
export interface LogRecord {
  from: number
  /** Of the values. */
  bytes: number
  /** Of each its id, and the keys that it wrote, in their order. */
  transactions: [id: string, ...stateKeys: string[]][]
}

export const encodeLogRecord = (record: LogRecord): string => JSON.stringify(record)
export const decodeLogRecord = (value: Buffer): LogRecord => JSON.parse(value.toString()) as LogRecord

export const encodeHoldings = (holdings: Holdings): string => JSON.stringify(holdings)
export const decodeHoldings = (value: Buffer): Holdings => JSON.parse(value.toString()) as Holdings
