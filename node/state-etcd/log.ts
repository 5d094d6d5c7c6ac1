/**
 * What the last groups have committed, in memory: which revision is where in etcd, what has changed since, and what came of
 * an id. Every home has it, so that any of them can go on as the committer.
 */
import type { ReadRange, Transaction } from '../../peer/state/engine.ts'
import type { Window } from '../../peer/state/history.ts'
import { type LogRecord, stateKey } from './layout.ts'

/** The transactions that one transaction of etcd committed. */
export interface Group extends LogRecord {
  /** The revision of the last of them. */
  readonly to: number
  /** The revision of etcd that they made. */
  readonly etcdRevision: number
  /** A revision of etcd at which nothing has been committed since: the newest that is known, for older ones are compacted. */
  readAt: number
}

/** Where a revision can be read. */
export interface Place {
  /** Of etcd, for all keys but those in `changed`. */
  etcdRevision: number
  /** What transactions of a group up to the revision have changed: read at `changedAt`. */
  changed: ReadonlySet<string>
  changedAt: number
}

/** Of a group, in memory: its ids and keys, and its places in the tables. */
const GROUP_BYTES = 256
const TRANSACTION_BYTES = 512
const NOTHING: ReadonlySet<string> = new Set()

export class Log {
  readonly #window: Window
  readonly #groups: Group[] = []
  readonly #changedAt = new Map<string, number>()
  readonly #revisions = new Map<string, number>()
  readonly #followers = new Set<() => void>()
  #bytes = 0

  constructor(window: Window) {
    this.#window = window
  }

  /** The newest revision that is known of; 0: nothing was committed. */
  get newest(): number {
    return this.#groups.at(-1)?.to ?? 0
  }

  /** The oldest revision that is kept. One within a group that is the oldest is not. */
  get oldest(): number {
    const [first] = this.#groups
    if (first === undefined || first.from === 1) return 0
    return first.to
  }

  get last(): Group | undefined {
    return this.#groups.at(-1)
  }

  /** What is before it, etcd need not keep. */
  get first(): Group | undefined {
    return this.#groups[0]
  }

  /** Once for each group; one that is known already is passed over. */
  append(record: LogRecord, etcdRevision: number): void {
    if (etcdRevision <= (this.last?.etcdRevision ?? 0)) return
    const to = record.from + record.transactions.length - 1
    const { last } = this
    // Until then what stands in etcd is what the one before has left.
    if (last) last.readAt = etcdRevision - 1
    this.#groups.push({ ...record, to, etcdRevision, readAt: etcdRevision })
    for (const [index, [id, ...keys]] of record.transactions.entries()) {
      this.#revisions.set(id, record.from + index)
      for (const key of keys) this.#changedAt.set(key, record.from + index)
    }
    this.#bytes += bytesOf(record)
    this.#trim()
    for (const follow of [...this.#followers]) follow()
  }

  /** What is known is not joined to what comes. */
  reset(): void {
    this.#groups.length = 0
    this.#changedAt.clear()
    this.#revisions.clear()
    this.#bytes = 0
  }

  committedAs(id: string): number | undefined {
    return this.#revisions.get(id)
  }

  /** A key that the transaction has read and that has changed since. */
  changedSince({ revision, reads, ranges }: Transaction): string | undefined {
    for (const { namespace, key } of reads) {
      const read = stateKey(namespace, key)
      if ((this.#changedAt.get(read) ?? 0) > revision) return read
    }
    if (ranges.length === 0) return undefined
    for (const key of this.#keysSince(revision)) if (ranges.some((range) => isIn(range, key))) return key
    return undefined
  }

  /** Undefined: the revision is not kept, or not known of. */
  placeOf(revision: number): Place | undefined {
    if (revision < this.oldest || revision > this.newest) return undefined
    const group = this.#groups[this.#indexOf(revision)]
    if (group === undefined || revision === group.to)
      return { etcdRevision: group?.readAt ?? 0, changed: NOTHING, changedAt: 0 }
    const until = group.transactions.slice(0, Math.max(0, revision - group.from + 1))
    const changed = new Set(until.flatMap(([, ...keys]) => keys))
    return { etcdRevision: group.etcdRevision - 1, changed, changedAt: group.etcdRevision }
  }

  /** The groups with revisions above `revision`, which is kept: `limit` of them at most. */
  since(revision: number, limit: number): Group[] {
    const from = this.#indexOf(revision + 1)
    return this.#groups.slice(from, from + limit)
  }

  /** Calls `follow` when there is a new group. Returns what ends that. */
  follow(follow: () => void): () => void {
    this.#followers.add(follow)
    return () => void this.#followers.delete(follow)
  }

  *#keysSince(revision: number): Iterable<string> {
    for (const group of this.#groups.slice(this.#indexOf(revision + 1)))
      for (const [index, [, ...keys]] of group.transactions.entries()) if (group.from + index > revision) yield* keys
  }

  /** Of the first group that reaches up to `revision`. */
  #indexOf(revision: number): number {
    let [low, high] = [0, this.#groups.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#groups[middle] as Group).to < revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #trim(): void {
    const { revisions, bytes } = this.#window
    let gone = 0
    for (; gone < this.#groups.length - 1; gone++) {
      const group = this.#groups[gone] as Group
      const isWithin = this.newest - group.to <= revisions && this.#bytes <= bytes
      if (isWithin) break
      this.#bytes -= bytesOf(group)
      for (const [index, [id, ...keys]] of group.transactions.entries()) {
        this.#revisions.delete(id)
        for (const key of keys) if (this.#changedAt.get(key) === group.from + index) this.#changedAt.delete(key)
      }
    }
    this.#groups.splice(0, gone)
  }
}

const bytesOf = ({ bytes, transactions }: LogRecord): number =>
  bytes + GROUP_BYTES + TRANSACTION_BYTES * transactions.length

export const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Whether a key, named with its namespace, is in what a list has seen. */
export const isIn = ({ namespace, prefix, after, through }: ReadRange, key: string): boolean => {
  if (!key.startsWith(stateKey(namespace, prefix))) return false
  const isBehind = after === undefined || bytewise(key, stateKey(namespace, after)) > 0
  return isBehind && (through === undefined || bytewise(key, stateKey(namespace, through)) <= 0)
}
