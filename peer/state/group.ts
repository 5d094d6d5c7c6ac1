/** Judges transactions one after another and makes one write to the disk of those that are committed. Pure but for the books. */
import { MeshError } from '../../protocol/errors.ts'
import type { StorageWrite } from '../../protocol/ports.ts'
import type { Committed, Holdings, ReadRange } from './engine.ts'
import type { History, Version } from './history.ts'
import type { Ids } from './ids.ts'
import type { Prepared, PreparedWrite } from './prepared.ts'
import { countedBytes, EntryPage, encodeHoldings, encodeIds, isLarge, type KeptValue } from './records.ts'
import { entryKey, GONE, GROUPS, keyBytesOf, keyOf, LARGE, namespaceOf, revisionKey, TOTALS } from './storage-keys.ts'
import { Totals } from './totals.ts'

/**
 * What is longer is kept apart from its key: lists, the window and the counting at the start handle it by its name, and it
 * is never in memory but for those who ask for it.
 */
export const LARGE_BYTES = 16 * 1024

/** What is committed so far, and judged to be. Changed is what the group stages: `history`, and `ids`. */
export interface Books {
  history: History
  totals: Totals
  quotaOf(namespace: string): Holdings
  /** The revisions that ids were committed with. */
  ids: Ids
  /** The newest of a key that is not in the window. */
  newest(storageKey: string): Version
}

export const largeKey = (version: Version): string =>
  isLarge(version.value) ? `${revisionKey(LARGE, version.version)}-${version.value.index.toString(36)}` : ''

export class Group {
  readonly #books: Books
  /** Revision of the first commit. */
  readonly first: number
  readonly ids: string[] = []
  /** What each commit wrote. */
  readonly commits: Version[][] = []
  /** On those of the books, or of the group under this one. */
  readonly totals: Totals
  readonly #apart: StorageWrite[] = []

  /** `under`: the one that is on its way to the disk. */
  constructor(books: Books, under?: Group) {
    this.#books = books
    this.totals = new Totals((under ?? books).totals)
    this.first = under ? under.first + under.commits.length : books.history.revision + 1
  }

  /** What the transaction comes to, if this group is written. A MeshError has changed nothing. */
  add(transaction: Prepared): Committed | MeshError {
    const { id, revision } = transaction
    const known = this.#books.ids.get(id)
    if (known !== undefined) return { kind: 'committed', revision: known }
    const { history } = this.#books
    if (revision > history.revision)
      return new MeshError('E_REVISION', `revision ${revision} is not there yet; the newest is ${history.revision}`)
    const changed = revision < history.oldest ? firstNamed(transaction) : this.#changedSince(transaction)
    if (changed !== undefined) return { kind: 'conflict', namespace: namespaceOf(changed), key: keyOf(changed) }
    return this.#accept(transaction)
  }

  get record(): { key: string; put: Uint8Array } {
    return { key: revisionKey(GROUPS, this.first), put: encodeIds(this.ids) }
  }

  /** All that the disk is told, in one. */
  writes(): StorageWrite[] {
    const writes: StorageWrite[] = [this.record, ...this.#apart]
    // Of a key that several of them wrote only the last goes to the disk.
    const last = this.commits.flat().filter(({ isNewest }) => isNewest)
    const page = new EntryPage(last)
    for (const { storageKey, version, value } of last) {
      if (value === undefined) writes.push({ key: storageKey, delete: true })
      else writes.push({ key: storageKey, put: page.encode(version, value) })
    }
    for (const [namespace, holdings] of this.totals.changed())
      writes.push({ key: TOTALS + namespace, put: encodeHoldings(holdings) })
    return writes
  }

  #changedSince({ reads, ranges, revision }: Prepared): string | undefined {
    const { history } = this.#books
    for (const storageKey of reads) {
      const newest = history.newest(storageKey)
      if (newest !== undefined && newest.version > revision) return storageKey
    }
    for (const range of ranges) {
      const [prefix, after, through] = boundsOf(range)
      const changed = history.changedIn(prefix, after, through, revision)
      if (changed !== undefined) return changed
    }
    return undefined
  }

  #accept({ id, writes }: Prepared): Committed | MeshError {
    const revision = this.first + this.commits.length
    const kept = writes.length === 1 ? [this.#versionOf(writes, 0, revision)] : this.#versionsOf(writes, revision)
    const wrong = this.#hold(kept)
    if (wrong) return wrong
    for (const version of kept) this.#books.history.stage(version)
    if (kept.some(({ bytes, older }) => Math.max(bytes, older?.bytes ?? 0) > LARGE_BYTES))
      this.#keepApart(writes, kept, revision)
    this.commits.push(kept)
    this.ids.push(id)
    this.#books.ids.set(id, revision)
    return { kind: 'committed', revision }
  }

  /** Of the write at `index`. */
  #versionOf(writes: readonly PreparedWrite[], index: number, version: number): Version {
    const { history, newest } = this.#books
    const { storageKey, value } = writes[index] as PreparedWrite
    const older = history.newest(storageKey) ?? newest(storageKey)
    const [kept, bytes] = value ? [keptValue(value, index), value.length] : [undefined, 0]
    return { storageKey, version, value: kept, bytes, isNewest: true, older }
  }

  #versionsOf(writes: readonly PreparedWrite[], version: number): Version[] {
    const places = new Map<string, number>()
    for (const [index, { storageKey }] of writes.entries()) {
      // The last one counts, and stands where it stands.
      places.delete(storageKey)
      places.set(storageKey, index)
    }
    return [...places.values()].map((index) => this.#versionOf(writes, index, version))
  }

  #keepApart(writes: readonly PreparedWrite[], kept: readonly Version[], revision: number): void {
    const replaced: string[] = []
    for (const version of kept) {
      if (version.older && isLarge(version.older.value)) replaced.push(largeKey(version.older))
      const put = isLarge(version.value) ? writes[version.value.index]?.value : undefined
      if (put) this.#apart.push({ key: largeKey(version), put })
    }
    if (replaced.length > 0) this.#apart.push({ key: revisionKey(GONE, revision), put: encodeIds(replaced) })
  }

  /** Counts what is held afterwards, unless that would be too much. */
  #hold(kept: readonly Version[]): MeshError | undefined {
    let after: Totals | undefined
    for (const { storageKey, value, older } of kept) {
      const keys = Number(value !== undefined) - Number(older?.value !== undefined)
      const bytes = countedBytes(value) - countedBytes(older?.value) + keys * keyBytesOf(storageKey)
      if (keys === 0 && bytes === 0) continue
      after ??= new Totals(this.totals)
      after.add(namespaceOf(storageKey), keys, bytes)
    }
    const wrong = after?.over(this.#books.quotaOf)
    if (!wrong && after) this.totals.take(after)
    return wrong
  }
}

const keptValue = (value: Uint8Array, index: number): KeptValue =>
  value.length > LARGE_BYTES ? { index, bytes: value.length } : value

/** Of storage keys: prefix, the key behind which it begins, and the last one. */
const boundsOf = ({ namespace, prefix, after, through }: ReadRange): [string, string, string | undefined] => [
  entryKey(namespace, prefix),
  after === undefined ? '' : entryKey(namespace, after),
  through === undefined ? undefined : entryKey(namespace, through),
]

const firstNamed = ({ reads, writes }: Prepared): string => (reads[0] ?? writes[0]?.storageKey) as string
