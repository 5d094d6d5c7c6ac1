/** The newest value of each key, as the storage has it, and those that were asked for of late in memory. */
import type { Storage } from '../../protocol/ports.ts'
import { type History, type Version, versionStored } from './history.ts'
import { decodeEntry, isLarge } from './records.ts'

/** A version, its key and its place. */
const OVERHEAD_BYTES = 256

/** So many turns of the job queue are waited for others that ask in the same turn of the machine. */
const COMPANY_TURNS = 8

/** Waits as long as `count` grows by what is already under way: what comes together then goes to the disk together. */
export const gathered = async (count: () => number): Promise<void> => {
  for (let before = -1; before !== count(); ) {
    before = count()
    for (let turn = 0; turn < COMPANY_TURNS; turn++) await undefined
  }
}

const bytesInMemory = ({ value, bytes }: Version) => OVERHEAD_BYTES + (isLarge(value) ? 0 : bytes)

export class NewestValues {
  readonly #storage: Storage
  readonly #history: History
  readonly #bytesMax: number
  /** Whoever is asked for moves to `#young`; when that has had its half, what is left in `#old` goes. */
  #young = new Map<string, Version>()
  #old = new Map<string, Version>()
  #youngBytes = 0
  #wanted = new Set<string>()
  #loading: Promise<Map<string, Version>> | undefined

  constructor(storage: Storage, history: History, bytesMax: number) {
    this.#storage = storage
    this.#history = history
    this.#bytesMax = bytesMax
  }

  /** Of a key that has not changed in the window; undefined: it has to be loaded. */
  get(storageKey: string): Version | undefined {
    const young = this.#young.get(storageKey)
    if (young !== undefined) return young
    const old = this.#old.get(storageKey)
    if (old !== undefined) this.keep(old)
    return old
  }

  /** The newest of a key that is leaving the window, or has just been loaded. */
  keep(version: Version): void {
    this.#young.set(version.storageKey, version)
    this.#youngBytes += bytesInMemory(version)
    if (this.#youngBytes * 2 < this.#bytesMax) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** What the storage has now, which may be newer than what is durable. Those who ask at the same time ask together. */
  async load(storageKeys: readonly string[]): Promise<Map<string, Version>> {
    for (const key of storageKeys) this.#wanted.add(key)
    this.#loading ??= this.#loadWanted()
    return this.#loading
  }

  async #loadWanted(): Promise<Map<string, Version>> {
    await gathered(() => this.#wanted.size)
    const keys = [...this.#wanted]
    this.#wanted = new Set()
    this.#loading = undefined
    const { revision } = this.#history
    const stored = await this.#storage.getMany(keys)
    const loaded = new Map<string, Version>()
    for (const [index, storageKey] of keys.entries()) {
      const bytes = stored[index]
      const { version, value } = bytes ? decodeEntry(bytes) : { version: 0, value: undefined }
      const found = versionStored(storageKey, version, value)
      loaded.set(storageKey, found)
      // What has changed meanwhile is in the window; and where the whole window has passed, nobody knows.
      const isNewest = this.#history.newest(storageKey) === undefined && this.#history.oldest <= revision
      if (isNewest && !this.#young.has(storageKey)) this.keep(found)
    }
    return loaded
  }
}
