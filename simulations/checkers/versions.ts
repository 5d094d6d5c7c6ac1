/** Who wrote what was read, and the versions of each key in order: what the graph of a history is made of. */
import type { History, Recorded, Seen } from './history.ts'

export type Anomaly =
  | 'unwritten value'
  | 'G1a aborted read'
  | 'G1b intermediate read'
  | 'duplicate version'
  | 'committed twice'
  | 'G1c circular information flow'
  | 'lost update'
  | 'read skew'
  | 'write skew'
  | 'long fork'
  | 'phantom'
  | 'stale read'
  | 'real-time reversal'

export interface Violation {
  anomaly: Anomaly
  /** Of the cycle in its order, or those concerned. */
  transactions: readonly string[]
  /** One sentence a line. */
  words: string
}

interface Write {
  transaction: number
  key: number
  isLast: boolean
}

const versionWords = ({ version, value }: Pick<Seen, 'version' | 'value'>): string =>
  value === 0 ? 'nothing' : `write ${value} (version ${version})`

/** The versions of all keys, key by key, those of each by revision. */
export class Versions {
  readonly history: History
  /** Transactions that are known to have been committed. */
  readonly counted: Uint8Array
  readonly violations: Violation[] = []
  /** In the order of their bytes. */
  readonly keys: readonly string[]
  /** Of the versions of key k: from `starts[k]` up to, not including, `starts[k + 1]`. */
  readonly starts: Int32Array
  /** By version: who wrote it, and whether it is a deletion. */
  readonly writers: Int32Array
  readonly isGone: Uint8Array
  readonly revisions: Float64Array
  readonly #keyNumbers: ReadonlyMap<string, number>
  readonly #writes = new Map<number, Write>()
  readonly #versionOfValue = new Map<number, number>()
  /** Keys that somebody may have deleted, and nobody will ever know. */
  readonly #isDoubtful: Uint8Array

  constructor(history: History) {
    this.history = history
    this.counted = new Uint8Array(history.length)
    this.keys = keysOf(history)
    this.#keyNumbers = new Map(this.keys.map((key, number) => [key, number]))
    this.#isDoubtful = new Uint8Array(this.keys.length)
    for (const [number, transaction] of history.entries()) this.#noteWrites(transaction, number)
    this.#revisions = Float64Array.from(history, ({ revision }) => revision ?? 0)
    this.#countCommitted()
    this.#findDuplicates()
    for (const [number, { outcome, writes }] of history.entries()) {
      if (outcome !== 'unknown' || this.counted[number] === 1) continue
      for (const { key, value } of writes) if (value === 0) this.#isDoubtful[this.keyNumber(key)] = 1
    }
    const { starts, order } = this.#ordered()
    this.starts = starts
    this.writers = Int32Array.from(order, ({ transaction }) => transaction)
    this.isGone = Uint8Array.from(order, ({ value }) => Number(value === 0))
    this.revisions = Float64Array.from(order, ({ transaction }) => this.revisionOf(transaction))
    for (const [version, { value }] of order.entries()) if (value !== 0) this.#versionOfValue.set(value, version)
  }

  readonly #revisions: Float64Array

  keyNumber(key: string): number {
    return this.#keyNumbers.get(key) as number
  }

  /** Of its commit, also where only its readers know; 0: it wrote nothing that counts. */
  revisionOf(transaction: number): number {
    return this.#revisions[transaction] as number
  }

  nameOf(transaction: number): string {
    return (this.history[transaction] as Recorded).id
  }

  /** The version that was read; undefined: none of this history. */
  read(value: number): number | undefined {
    return this.#versionOfValue.get(value)
  }

  /**
   * For a key that was not there at `snapshot`: the version behind which it was so; one below the key's first: before all.
   * It is the newest deletion up to then, or, if somebody may have deleted it, what that may have deleted.
   */
  absent(key: number, snapshot: number): number {
    const first = this.starts[key] as number
    let version = this.#lastUpTo(key, snapshot)
    while (version >= first && this.isGone[version] === 0 && this.#isDoubtful[key] === 0) version -= 1
    return version
  }

  /** The version of the same key that replaced it; undefined: none. */
  next(key: number, version: number): number | undefined {
    return version + 1 < (this.starts[key + 1] as number) ? version + 1 : undefined
  }

  #lastUpTo(key: number, snapshot: number): number {
    let [low, high] = [this.starts[key] as number, this.starts[key + 1] as number]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.revisions[middle] as number) <= snapshot) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #noteWrites({ id, writes }: Recorded, transaction: number): void {
    for (const [index, { key, value }] of writes.entries()) {
      if (value === 0) continue
      if (this.#writes.has(value)) throw new Error(`history: write ${value} of ${id} is there twice`)
      const isLast = !writes.some((later, at) => at > index && later.key === key)
      this.#writes.set(value, { transaction, key: this.keyNumber(key), isLast })
    }
  }

  /** Those that were answered so, and of those without an answer the ones that somebody committed has read from. */
  #countCommitted(): void {
    const open: number[] = []
    for (const [number, { id, outcome, writes, revision }] of this.history.entries()) {
      if (outcome !== 'committed') continue
      if (writes.length > 0 && revision === undefined) throw new Error(`history: ${id} has no revision`)
      this.counted[number] = 1
      open.push(number)
    }
    for (let reader = open.pop(); reader !== undefined; reader = open.pop()) {
      const { reads, lists } = this.history[reader] as Recorded
      for (const seen of reads) this.#judge(reader, seen, open)
      for (const list of lists) for (const seen of list.seen) this.#judge(reader, seen, open)
    }
  }

  #judge(reader: number, seen: Seen, open: number[]): void {
    if (seen.value === 0) return
    const { key, version, value } = seen
    const write = this.#writes.get(value)
    const readWords = `${this.nameOf(reader)} read ${versionWords(seen)} under ${key}`
    if (write === undefined || this.keys[write.key] !== key) {
      this.#found('unwritten value', [reader], `${readWords}, which nobody wrote there`)
      return
    }
    const writer = write.transaction
    const name = this.nameOf(writer)
    const { outcome } = this.history[writer] as Recorded
    if (outcome === 'aborted')
      this.#found('G1a aborted read', [writer, reader], `${readWords}, which ${name} wrote, and ${name} was aborted`)
    else if (!write.isLast) {
      const words = `${readWords}, which ${name} replaced itself before it committed`
      this.#found('G1b intermediate read', [writer, reader], words)
    } else if (this.revisionOf(writer) === 0) {
      this.#revisions[writer] = version
      this.counted[writer] = 1
      open.push(writer)
    } else if (this.revisionOf(writer) !== version) {
      const words = `${readWords}, which ${name} committed as version ${this.revisionOf(writer)}`
      this.#found('committed twice', [writer, reader], words)
    }
  }

  #findDuplicates(): void {
    const byRevision = new Map<number, number>()
    for (const [number, { writes }] of this.history.entries()) {
      if (this.counted[number] === 0 || writes.length === 0) continue
      const revision = this.revisionOf(number)
      const other = byRevision.get(revision)
      byRevision.set(revision, number)
      if (other === undefined) continue
      const words = `${this.nameOf(other)} and ${this.nameOf(number)} were both committed as version ${revision}`
      this.#found('duplicate version', [other, number], words)
    }
  }

  #found(anomaly: Anomaly, transactions: readonly number[], words: string): void {
    this.violations.push({ anomaly, transactions: transactions.map((number) => this.nameOf(number)), words })
  }

  #ordered() {
    const byKey: { transaction: number; value: number }[][] = this.keys.map(() => [])
    for (const [transaction, { writes }] of this.history.entries()) {
      if (this.counted[transaction] === 0) continue
      for (const [key, value] of lastWrites(writes)) byKey[this.keyNumber(key)]?.push({ transaction, value })
    }
    const starts = new Int32Array(this.keys.length + 1)
    for (const [key, versions] of byKey.entries()) {
      versions.sort((a, b) => this.revisionOf(a.transaction) - this.revisionOf(b.transaction))
      starts[key + 1] = (starts[key] as number) + versions.length
    }
    return { starts, order: byKey.flat() }
  }
}

const lastWrites = (writes: Recorded['writes']): ReadonlyMap<string, number> =>
  new Map(writes.map(({ key, value }) => [key, value]))

const keysOf = (history: History): string[] => {
  const keys = new Set<string>()
  for (const { reads, lists, writes } of history) {
    for (const { key } of reads) keys.add(key)
    for (const { key } of writes) keys.add(key)
    for (const { seen } of lists) for (const { key } of seen) keys.add(key)
  }
  return [...keys].sort((a, b) => (a < b ? -1 : 1))
}
