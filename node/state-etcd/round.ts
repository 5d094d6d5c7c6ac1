/** Judges transactions one after another, for one transaction of etcd that commits them together. Pure. */
import type { Holdings, ReadRange, Transaction } from '../../peer/state/engine.ts'
import { heldBytes } from '../../peer/state/large-reference.ts'
import { Totals } from '../../peer/state/totals.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type Answer, BYTES_MAX, type Item, WRITES_MAX } from './item.ts'
import { keyOf, type LogRecord, namespaceOf, stateKey } from './layout.ts'
import { isIn, type Log } from './log.ts'

export interface Books {
  log: Log
  totals: Totals
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
  /** On those of the books. */
  readonly totals: Totals
  readonly #revisions = new Map<string, number>()
  #bytes = 0

  constructor(books: Books) {
    this.#books = books
    this.totals = new Totals(books.totals)
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
    const totals = this.#totalsAfter(item)
    if (totals instanceof MeshError) return this.#answer(item, totals)
    return this.#answer(item, { kind: 'committed', revision: this.#accept(item, totals) })
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

  #accept({ transaction: { id }, writes, bytes }: Item, totals: Totals): number {
    const version = this.record.from + this.record.transactions.length
    for (const [key, value] of writes) {
      this.written.set(key, { version, value })
      this.record.bytes += value?.length ?? 0
    }
    this.totals.take(totals)
    this.record.transactions.push([id, ...writes.keys()])
    this.#revisions.set(id, version)
    this.#bytes += bytes
    return version
  }

  /** What is held afterwards, or that it would be too much. */
  #totalsAfter({ writes }: Item): Totals | MeshError {
    const after = new Totals(this.totals)
    for (const [key, value] of writes) {
      const [before, now] = [this.#books.bytesOf(key), bytesUnder(key, value)]
      after.add(namespaceOf(key), Number(value !== undefined) - Number(before > 0), now - before)
    }
    return after.over(this.#books.quotaOf) ?? after
  }
}

const firstKey = ({ writes, transaction: { reads, ranges } }: Item): string => {
  const [read] = reads
  if (read) return stateKey(read.namespace, read.key)
  const [range] = ranges
  return range ? stateKey(range.namespace, range.prefix) : ([...writes.keys()][0] as string)
}
