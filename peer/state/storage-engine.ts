/**
 * The state engine on the Storage port: on level on a machine, in memory in a world. The newest value of each key is in the
 * storage, what the last commits replaced is in memory.
 */
import { MeshError } from '../../protocol/errors.ts'
import type { Storage } from '../../protocol/ports.ts'
import { ensureKeys, ensurePrefix, ensureRange, ensureTransaction } from './checks.ts'
import { Committer } from './committer.ts'
import type { Change, Committed, Entry, Holdings, Range, SizedWrite, StateEngine, Transaction } from './engine.ts'
import { largeKey } from './group.ts'
import { History, type Version, type Window } from './history.ts'
import { list } from './listing.ts'
import { NewestValues } from './newest-values.ts'
import { type Found, readState } from './opening.ts'
import { prepare } from './prepared.ts'
import { isLarge } from './records.ts'
import { ensureRoomFor } from './room.ts'
import { entryKey, keyOf } from './storage-keys.ts'
import type { Totals } from './totals.ts'

/** Old values, for steps that are under way: a minute of a thousand commits a second. */
const HISTORY_REVISIONS_MAX = 65_536
const HISTORY_BYTES_MAX = 64 * 1024 * 1024
const HISTORY: Window = { revisions: HISTORY_REVISIONS_MAX, bytes: HISTORY_BYTES_MAX }
/** Commits that are known by their ids: more than revisions are kept, so that none can be committed twice. */
const IDS_MAX = 131_072
/** Newest values in memory, besides those in the window. */
const CACHE_BYTES_MAX = 32 * 1024 * 1024
/** Commits that a watcher looks through at a time. */
const WATCH_COMMITS = 256

export interface StorageEngineOptions {
  storage: Storage
  /** What a namespace may hold; of the prefix of a caller's namespaces, these together (caller-namespaces.ts). */
  quotaOf(namespace: string): Holdings
  /** Told, in a sentence, of whatever was committed and is not there any more. */
  damaged(what: string): void
  /** How far back can be read. */
  window?: Window | undefined
}

const entriesOf = (
  keys: readonly string[],
  versions: readonly Version[],
  large?: ReadonlyMap<Version, Uint8Array>,
): Entry[] =>
  versions.map((version, index) => ({
    key: keys[index] as string,
    version: version.value === undefined ? 0 : version.version,
    value: isLarge(version.value) ? large?.get(version) : version.value,
  }))

class StorageEngine implements StateEngine {
  readonly #storage: Storage
  readonly #history: History
  readonly #newest: NewestValues
  readonly #committer: Committer
  readonly #totals: Totals
  readonly #quotaOf: StorageEngineOptions['quotaOf']
  /** Called when there is a new revision, or none will come. */
  readonly #watchers = new Set<() => void>()
  #isClosed = false

  constructor({ storage, quotaOf, window = HISTORY }: StorageEngineOptions, { revision, totals, groups }: Found) {
    this.#storage = storage
    this.#totals = totals
    this.#quotaOf = quotaOf
    this.#history = new History(revision, window)
    this.#newest = new NewestValues(storage, this.#history, CACHE_BYTES_MAX)
    const parts = { storage, history: this.#history, newest: this.#newest, totals, groups, quotaOf, idsMax: IDS_MAX }
    this.#committer = new Committer({ ...parts, published: () => this.#wake() })
  }

  async revision(): Promise<number> {
    this.#ensureOpen()
    return this.#history.revision
  }

  async read(namespace: string, keys: readonly string[], revision: number): Promise<Entry[]> {
    ensureKeys(namespace, keys)
    this.#ensureKept(revision)
    const versions: (Version | undefined)[] = []
    const missing: string[] = []
    let isPlain = true
    for (const key of keys) {
      const storageKey = entryKey(namespace, key)
      const version = this.#history.at(storageKey, revision) ?? this.#newest.get(storageKey)
      versions.push(version)
      if (version === undefined) missing.push(storageKey)
      else if (isLarge(version.value)) isPlain = false
    }
    // What is in memory is mostly all, and needs no other turn.
    if (missing.length === 0 && isPlain) return entriesOf(keys, versions as Version[])
    if (missing.length > 0) {
      const loaded = await this.#newest.load(missing)
      this.#ensureKept(revision)
      for (const [index, key] of keys.entries()) {
        const storageKey = entryKey(namespace, key)
        versions[index] ??= this.#history.at(storageKey, revision) ?? loaded.get(storageKey)
      }
    }
    return this.#entries(keys, versions as Version[], revision)
  }

  async list(range: Range, revision: number) {
    ensureRange(range)
    const { namespace, prefix, after, limit } = range
    this.#ensureKept(revision)
    const bounds = { prefix: entryKey(namespace, prefix), after: after ? entryKey(namespace, after) : '' }
    const ensureKept = (kept: number) => this.#ensureKept(kept)
    const found = await list(this.#storage, this.#history, { ...bounds, limit, revision }, ensureKept)
    const keys = found.versions.map(({ storageKey }) => keyOf(storageKey))
    return { entries: await this.#entries(keys, found.versions, revision), more: found.more }
  }

  commit(transaction: Transaction): Promise<Committed> {
    try {
      this.#ensureOpen()
      ensureTransaction(transaction)
      if (transaction.writes.length > 0) return this.#committer.commit(prepare(transaction))
      if (transaction.revision > this.#history.revision) this.#ensureKept(transaction.revision)
      return Promise.resolve({ kind: 'committed', revision: transaction.revision })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  ensureRoom(writes: readonly SizedWrite[]): Promise<void> {
    return ensureRoomFor(this, this.#totals, this.#quotaOf, writes)
  }

  async *watch(namespace: string, prefix: string, after: number, signal: AbortSignal): AsyncIterable<Change> {
    ensurePrefix(namespace, prefix)
    const start = entryKey(namespace, prefix)
    for (let revision = after; !signal.aborted; ) {
      this.#ensureOpen()
      if (revision >= this.#history.revision) await this.#news(signal)
      else {
        this.#ensureKept(revision)
        for (const versions of this.#history.since(revision, WATCH_COMMITS)) {
          revision += 1
          for (const version of versions) {
            if (signal.aborted) return
            if (version.storageKey.startsWith(start)) yield await this.#change(version)
          }
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wake()
    await this.#committer.settled()
  }

  #ensureOpen(): void {
    if (this.#isClosed) throw new MeshError('E_STATE_UNAVAILABLE', 'the state engine is closed')
  }

  /** Throws MeshError E_REVISION, or E_STATE_UNAVAILABLE. */
  #ensureKept(revision: number): void {
    this.#ensureOpen()
    const { oldest, revision: newest } = this.#history
    if (revision >= oldest && revision <= newest) return
    const message = `the state at revision ${revision} is not kept; what is goes from ${oldest} to ${newest}: begin again at the newest`
    throw new MeshError('E_REVISION', { message, revision, oldest, newest })
  }

  async #entries(keys: readonly string[], versions: readonly Version[], revision: number): Promise<Entry[]> {
    const isPlain = versions.every(({ value }) => !isLarge(value))
    return entriesOf(keys, versions, isPlain ? undefined : await this.#large(versions, revision))
  }

  async #large(versions: readonly Version[], revision: number): Promise<Map<Version, Uint8Array>> {
    const large = versions.filter(({ value }) => isLarge(value))
    const values = await this.#storage.getMany(large.map(largeKey))
    const found = new Map<Version, Uint8Array>()
    for (const [index, version] of large.entries()) {
      const value = values[index]
      if (value) found.set(version, value)
      else this.#ensureKept(revision)
    }
    if (found.size === large.length) return found
    const lost = large
      .filter((version) => !found.has(version))
      .map(({ storageKey }) => JSON.stringify(keyOf(storageKey)))
    throw new MeshError(
      'E_STORAGE',
      `values are damaged on the disk: ${lost.join(', ')}; write them again, or delete them`,
    )
  }

  async #change(version: Version): Promise<Change> {
    const [entry] = await this.#entries([keyOf(version.storageKey)], [version], version.version)
    return { revision: version.version, key: (entry as Entry).key, value: entry?.value }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#watchers.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#watchers]) wake()
  }
}

/** The storage stays its owner's, who closes it after the engine. Throws MeshError E_STORAGE. */
export const openStorageEngine = async (options: StorageEngineOptions): Promise<StateEngine> =>
  new StorageEngine(options, await readState(options.storage, options.damaged))
