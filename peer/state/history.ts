/** What the last commits have changed: old values by revision, in memory. Whoever reads at a revision reads through it. */
import { Fifo } from './fifo.ts'
import { bytesOf, type KeptValue } from './records.ts'
import { SortedKeys } from './sorted-keys.ts'

/** What stood under a key from `version` on; undefined: nothing. */
export interface Version {
  readonly storageKey: string
  readonly version: number
  readonly value: KeptValue | undefined
  /** Of the value: asked for when it is forgotten, and by then the value itself is far away in memory. */
  readonly bytes: number
  /** As long as it is in the window: no newer one of its key is committed, or about to be. */
  isNewest: boolean
  /** What stood there before, as long as a revision that is kept can ask for it. */
  older: Version | undefined
}

/** One that is not in the window, as the storage has it. */
export const versionStored = (storageKey: string, version: number, value: KeptValue | undefined): Version => ({
  storageKey,
  version,
  value,
  bytes: bytesOf(value),
  isNewest: true,
  older: undefined,
})

/** The window: whichever is reached first. */
export interface Window {
  revisions: number
  /** Of the values that were written in it, and what memory each takes besides. */
  bytes: number
}

type Replaced = (version: Version, by: Version) => void

/** A version, its places in the tables, and its key. */
const OVERHEAD_BYTES = 256

export class History {
  readonly #window: Window
  /** The newest version of each key that changed in the window or is being committed. */
  readonly #newest = new Map<string, Version>()
  readonly #keys = new SortedKeys((key) => this.#newest.has(key))
  /** What each revision above the oldest wrote. */
  readonly #commits = new Fifo<readonly Version[]>()
  #revision: number
  #bytes = 0

  constructor(revision: number, window: Window) {
    this.#revision = revision
    this.#window = window
  }

  /** The newest durable revision. */
  get revision(): number {
    return this.#revision
  }

  /** The oldest revision that can be read at. */
  get oldest(): number {
    return this.#revision - this.#commits.length
  }

  newest(storageKey: string): Version | undefined {
    return this.#newest.get(storageKey)
  }

  /** What stood under the key at a revision that is kept; undefined: it has not changed since the oldest. */
  at(storageKey: string, revision: number): Version | undefined {
    let version = this.#newest.get(storageKey)
    while (version !== undefined && version.version > revision) version = version.older
    return version
  }

  /** The first key in (after, through] that starts with `prefix` and has changed since `revision`, if there is one. */
  changedIn(prefix: string, after: string, through: string | undefined, revision: number): string | undefined {
    for (const key of this.#keys.within(prefix, after, through)) {
      const version = this.#newest.get(key)
      if (version !== undefined && version.version > revision) return key
    }
    return undefined
  }

  /** Keys in (after, through] with `prefix` that have changed in the window, in no order. */
  keysIn(prefix: string, after: string, through: string | undefined): Iterable<string> {
    return this.#keys.within(prefix, after, through)
  }

  /** What a commit is about to write; nobody reads it before `publish`. */
  stage(version: Version): void {
    const { storageKey, older } = version
    this.#newest.set(storageKey, version)
    if (this.#isKept(older)) older.isNewest = false
    // Behind that: what is not among the newest may be forgotten at once.
    else this.#keys.add(storageKey)
  }

  /** Takes back what was staged, the last first. Returns what a version that is not in the window had replaced. */
  unstage({ storageKey, older }: Version): Version | undefined {
    const wasHere = this.#isKept(older)
    if (wasHere) {
      older.isNewest = true
      this.#newest.set(storageKey, older)
    } else this.#newest.delete(storageKey)
    return wasHere ? undefined : older
  }

  /** Its commit is in the window, or about to be. */
  #isKept(version: Version | undefined): version is Version {
    return version !== undefined && version.version > this.oldest
  }

  /** The next revision is durable, and has written `versions`. */
  publish(versions: readonly Version[]): void {
    this.#commits.push(versions)
    this.#revision += 1
    for (const { bytes } of versions) this.#bytes += bytes + OVERHEAD_BYTES
  }

  /** What each revision above `after`, which is kept, has written: of `limit` of them at most. */
  since(after: number, limit: number): (readonly Version[])[] {
    const from = after - this.oldest
    return this.#commits.slice(from, from + limit)
  }

  /** Forgets what is behind the window: `replaced` can be asked for no more, `settled` are the newest of their keys. */
  trim(replaced: Replaced, settled: (version: Version) => void): void {
    while (this.#commits.length > this.#window.revisions || this.#bytes > this.#window.bytes)
      for (const version of this.#commits.shift() ?? []) this.#leave(version, replaced, settled)
  }

  #leave(version: Version, replaced: Replaced, settled: (version: Version) => void): void {
    this.#bytes -= version.bytes + OVERHEAD_BYTES
    if (version.older) replaced(version.older, version)
    version.older = undefined
    if (!version.isNewest) return
    this.#newest.delete(version.storageKey)
    settled(version)
  }
}
