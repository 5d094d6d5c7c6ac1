/** Judges transactions one after another, for one transaction of etcd that commits them together. Pure. */
import type { Holdings, ReadRange, Transaction } from '../../peer/state/engine.ts'
import { heldBytes } from '../../peer/state/large-reference.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type Answer, BYTES_MAX, type Item, WRITES_MAX } from './item.ts'
import { keyOf, type LogRecord, namespaceOf, stateKey } from './layout.ts'
import { isIn, type Log } from './log.ts'

export interface Books {
  log: Log
  holdingsOf(namespace: string): Holdings
  quotaOf(namespace: string): Holdings
  /** Of a key and what stands under it, together; 0: nothing does. */
  bytesOf(stateKey: string): number
}

/** Of a key and its value, as quotas count them. */
export const bytesUnder = (key: string, value: Uint8Array | undefined): number =>
  value === undefined ? 0 : Buffer.byteLength(keyOf(key)) + heldBytes(value)

export class Round {
  readonly #books: Books
  /** What each came to, if this round is written. */
  readonly answers: [Item, Answer][] = []
  readonly record: LogRecord
  /** What stands under each key afterwards, and the revision that wrote it. */
  readonly written = new Map<string, { version: number; value: Uint8Array | undefined }>()
  readonly holdings = new Map<string, Holdings>()
  readonly #revisions = new Map<string, number>()
  #bytes = 0

  constructor(books: Books) {
    this.#books = books
    this.record = { from: books.log.newest + 1, bytes: 0, transactions: [] }
  }

  /** False: there is no room for it in this round, and it stays as it is. */
  add(item: Item): boolean {
    const { log } = this.#books
    const { id, revision } = item.transaction
    const known = log.committedAs(id) ?? this.#revisions.get(id)
    if (known !== undefined) return this.#answer(item, { kind: 'committed', revision: known })
    const changed = revision < log.oldest ? firstKey(item) : this.#changedSince(item.transaction)
    if (changed !== undefined)
      return this.#answer(item, { kind: 'conflict', namespace: namespaceOf(changed), key: keyOf(changed) })
    if (!this.#hasRoomFor(item)) return false
    const holdings = this.#holdingsAfter(item)
    if (holdings instanceof MeshError) return this.#answer(item, holdings)
    return this.#answer(item, { kind: 'committed', revision: this.#accept(item, holdings) })
  }

  #answer(item: Item, answer: Answer): true {
    this.answers.push([item, answer])
    return true
  }

  #changedSince(transaction: Transaction): string | undefined {
    const { reads, ranges } = transaction
    const read = reads.map(({ namespace, key }) => stateKey(namespace, key)).find((key) => this.written.has(key))
    return read ?? this.#writtenIn(ranges) ?? this.#books.log.changedSince(transaction)
  }

  #writtenIn(ranges: readonly ReadRange[]): string | undefined {
    if (ranges.length === 0) return undefined
    return [...this.written.keys()].find((key) => ranges.some((range) => isIn(range, key)))
  }

  /** Each key is written once in a round: so what stands at each revision within it can be told from the log. */
  #hasRoomFor({ writes, bytes }: Item): boolean {
    if (this.#bytes + bytes > BYTES_MAX || this.written.size + writes.size > WRITES_MAX) return false
    for (const key of writes.keys()) if (this.written.has(key)) return false
    return true
  }

  #accept({ transaction: { id }, writes, bytes }: Item, holdings: ReadonlyMap<string, Holdings>): number {
    const version = this.record.from + this.record.transactions.length
    for (const [key, value] of writes) {
      this.written.set(key, { version, value })
      this.record.bytes += value?.length ?? 0
    }
    for (const [namespace, held] of holdings) this.holdings.set(namespace, held)
    this.record.transactions.push([id, ...writes.keys()])
    this.#revisions.set(id, version)
    this.#bytes += bytes
    return version
  }

  /** What the namespaces that it writes to hold afterwards, or which of them would hold too much. */
  #holdingsAfter({ writes }: Item): Map<string, Holdings> | MeshError {
    const after = new Map<string, Holdings>()
    for (const [key, value] of writes) {
      const namespace = namespaceOf(key)
      const held = after.get(namespace) ?? this.holdings.get(namespace) ?? this.#books.holdingsOf(namespace)
      const [before, now] = [this.#books.bytesOf(key), bytesUnder(key, value)]
      const keys = held.keys + Number(value !== undefined) - Number(before > 0)
      after.set(namespace, { keys, bytes: held.bytes + now - before })
    }
    for (const [namespace, held] of after) {
      const quota = this.#books.quotaOf(namespace)
      const before = this.holdings.get(namespace) ?? this.#books.holdingsOf(namespace)
      // What makes it smaller is always welcome.
      if (held.keys > quota.keys && held.keys > before.keys) return overQuota(namespace, 'keys', held.keys, quota.keys)
      if (held.bytes > quota.bytes && held.bytes > before.bytes)
        return overQuota(namespace, 'bytes', held.bytes, quota.bytes)
    }
    return after
  }
}

const firstKey = ({ writes, transaction: { reads, ranges } }: Item): string => {
  const [read] = reads
  if (read) return stateKey(read.namespace, read.key)
  const [range] = ranges
  return range ? stateKey(range.namespace, range.prefix) : ([...writes.keys()][0] as string)
}

const overQuota = (namespace: string, what: 'keys' | 'bytes', held: number, quota: number): MeshError => {
  const message = `namespace ${namespace} would hold ${held} ${what}, its owner allows ${quota}: delete some, or have the quota raised`
  return new MeshError('E_STATE_QUOTA', { message, namespace, [what]: held, quota })
}
