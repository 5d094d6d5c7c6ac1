/** Blocks on the storage port: verified on the way in and out, under a byte budget, least recently used out first. */
import { type CID, cidMatches } from '../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports, StorageWrite } from '../protocol/ports.ts'

export interface BlockStore {
  /** Resolves once stored. Throws MeshError E_BLOCK_MISMATCH, E_STORAGE_FULL or E_STORAGE; then nothing has changed. */
  put(cid: CID, bytes: Uint8Array): Promise<void>
  /** The bytes, verified. A block that no longer matches is deleted, logged and counts as absent. Throws E_STORAGE. */
  get(cid: CID): Promise<Uint8Array | undefined>
  has(cid: CID): Promise<boolean>
  /** Removes the block, a pinned one too. Throws E_STORAGE. */
  delete(cid: CID): Promise<void>
  /** Blocks that are pinned, held already or not, are never evicted. Pins nest; the returned function ends this one. */
  pin(cids: readonly CID[]): () => void
  /** `bytes` counts the blocks alone, not what storage keeps around them. */
  usage(): { bytes: number; blocks: number; budgetBytes: number }
}

type StorePorts = Pick<Ports, 'storage' | 'crypto' | 'clock' | 'log'>

const BLOCK = 'block/'
/** Beside each block, written with it: `{ bytes, used_ms }`, its size and last use, so that opening reads no block. */
const USE = 'block-use/'
/** After a restart recency is true to the hour: at most one small write per block and hour of use. */
const USE_SAVED_EVERY_MS = 60 * 60 * 1000

interface Entry {
  readonly bytes: number
  /** The last use as saved; the order of the entries is finer. */
  usedMs: number
}

const encodeUse = (entry: Entry): Uint8Array => encodeCanonical({ bytes: entry.bytes, used_ms: entry.usedMs })

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

const decodeUse = (encoded: Uint8Array): Entry => {
  const { bytes, used_ms: usedMs } = decodeCanonical(encoded) as { bytes: unknown; used_ms: unknown }
  if (!isCount(bytes) || !isCount(usedMs)) throw new MeshError('E_STORAGE', 'not a record of a block and its last use')
  return { bytes, usedMs }
}

const deletesOf = (key: string): StorageWrite[] => [
  { key: BLOCK + key, delete: true },
  { key: USE + key, delete: true },
]

class StoredBlocks implements BlockStore {
  readonly #ports: StorePorts
  readonly #budgetBytes: number
  /** By CID; the least recently used first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0
  /** On their way out: absent for everyone at once, so that nobody pins them, and back if the write fails. */
  #leaving = new Set<string>()
  readonly #pins = new Map<string, number>()
  /** Settles when the last change queued so far is done. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(ports: StorePorts, budgetBytes: number) {
    this.#ports = ports
    this.#budgetBytes = budgetBytes
  }

  async load(): Promise<void> {
    const found: [string, Entry][] = []
    const unreadable: string[] = []
    await this.#storage('list its blocks', async () => {
      for await (const { key, value } of this.#ports.storage.scan(USE)) {
        const name = key.slice(USE.length)
        try {
          found.push([name, decodeUse(value)])
        } catch {
          unreadable.push(name)
        }
      }
    })
    for (const [key, entry] of found.sort(([, a], [, b]) => a.usedMs - b.usedMs)) this.#add(key, entry)
    for (const key of unreadable) this.#report(key, 'its record cannot be read')
    await this.#makeRoom(0, unreadable.flatMap(deletesOf))
  }

  async put(cid: CID, bytes: Uint8Array): Promise<void> {
    if (!cidMatches(this.#ports.crypto, cid, bytes)) {
      const message = `these ${bytes.length} bytes are not the block ${cid}: their hash is another`
      throw new MeshError('E_BLOCK_MISMATCH', { message, block: cid.toString() })
    }
    const key = cid.toString()
    await this.#exclusive(async () => {
      if (this.#held(key)) return this.#touch(key)
      const entry = { bytes: bytes.length, usedMs: this.#ports.clock.now() }
      await this.#makeRoom(bytes.length, [
        { key: BLOCK + key, put: bytes },
        { key: USE + key, put: encodeUse(entry) },
      ])
      this.#add(key, entry)
    })
  }

  async get(cid: CID): Promise<Uint8Array | undefined> {
    const key = cid.toString()
    if (!this.#held(key)) return undefined
    this.#touch(key)
    return (await this.#read(cid, key)) ?? this.#exclusive(() => this.#readOrRemove(cid, key))
  }

  async has(cid: CID): Promise<boolean> {
    return this.#held(cid.toString()) !== undefined
  }

  async delete(cid: CID): Promise<void> {
    await this.#exclusive(() => this.#remove(cid.toString()))
  }

  pin(cids: readonly CID[]): () => void {
    let keys = cids.map(String)
    for (const key of keys) this.#pins.set(key, (this.#pins.get(key) ?? 0) + 1)
    return () => {
      for (const key of keys) {
        const left = (this.#pins.get(key) ?? 0) - 1
        if (left > 0) this.#pins.set(key, left)
        else this.#pins.delete(key)
      }
      keys = []
    }
  }

  usage() {
    return { bytes: this.#bytes, blocks: this.#entries.size, budgetBytes: this.#budgetBytes }
  }

  #held(key: string): Entry | undefined {
    return this.#leaving.has(key) ? undefined : this.#entries.get(key)
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
  }

  /** Changes go one after another, so that each decides on what the one before left. Reads do not wait. */
  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(change)
    this.#queue = done.catch(() => {})
    return done
  }

  async #storage<T>(purpose: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      const reason = (cause as Error).message
      this.#ports.log.event('storage.failed', { code: 'E_STORAGE', reason: `block store, to ${purpose}: ${reason}` })
      const message = `the block store could not ${purpose}: ${reason}; check the disk of the data directory`
      throw new MeshError('E_STORAGE', message, { cause })
    }
  }

  #report(key: string, reason: string): void {
    this.#ports.log.event('block.refused', { block: key, code: 'E_BLOCK_MISMATCH', reason: `removed: ${reason}` })
  }

  async #read(cid: CID, key: string): Promise<Uint8Array | undefined> {
    if (!this.#held(key)) return undefined
    const bytes = await this.#storage('read', () => this.#ports.storage.get(BLOCK + key))
    return bytes && cidMatches(this.#ports.crypto, cid, bytes) ? bytes : undefined
  }

  /** Reads again with no change under way: only now is a block that does not match damaged, not just being replaced. */
  async #readOrRemove(cid: CID, key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(cid, key)
    if (bytes || !this.#held(key)) return bytes
    await this.#remove(key)
    this.#report(key, 'what storage holds no longer matches its CID')
    return undefined
  }

  async #remove(key: string): Promise<void> {
    if (this.#held(key)) await this.#replace([key], [])
  }

  /** Notes a use now, and saves it if what is saved is old. */
  #touch(key: string): void {
    const entry = this.#held(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const nowMs = this.#ports.clock.now()
    if (Math.abs(nowMs - entry.usedMs) < USE_SAVED_EVERY_MS) return
    entry.usedMs = nowMs
    const save = async () => {
      if (this.#held(key)) await this.#replace([], [{ key: USE + key, put: encodeUse(entry) }])
    }
    // Losing it costs no more than a worse choice at an eviction, and the failure has been logged.
    this.#exclusive(save).catch(() => {})
  }

  /** The least recently used, unpinned blocks that must go so that `bytes` more fit. Throws E_STORAGE_FULL. */
  #oldest(bytes: number): string[] {
    const chosen: string[] = []
    let freeBytes = this.#budgetBytes - this.#bytes
    for (const [key, entry] of this.#entries) {
      if (freeBytes >= bytes) break
      if (this.#pins.has(key)) continue
      chosen.push(key)
      freeBytes += entry.bytes
    }
    if (freeBytes >= bytes) return chosen
    const message = `a block of ${bytes} bytes does not fit: the budget is ${this.#budgetBytes} bytes, and at most ${freeBytes} can be freed; raise --disk`
    throw new MeshError('E_STORAGE_FULL', { message, limit_bytes: this.#budgetBytes, free_bytes: freeBytes })
  }

  async #makeRoom(bytes: number, writes: StorageWrite[]): Promise<void> {
    const out = this.#oldest(bytes)
    await this.#replace(out, writes)
    for (const key of out) this.#ports.log.event('block.evicted', { block: key })
  }

  /** Takes the blocks `out` away and writes `writes`, in one step: both or neither. */
  async #replace(out: string[], writes: StorageWrite[]): Promise<void> {
    const all = [...out.flatMap(deletesOf), ...writes]
    if (all.length === 0) return
    this.#leaving = new Set(out)
    try {
      await this.#storage('write', () => this.#ports.storage.write(all))
      for (const key of out) this.#drop(key)
    } finally {
      this.#leaving = new Set()
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}

/** Opens the blocks that storage holds, evicting down to `budgetBytes`. Throws MeshError E_STORAGE. */
export const openBlockStore = async (ports: StorePorts, options: { budgetBytes: number }): Promise<BlockStore> => {
  const store = new StoredBlocks(ports, options.budgetBytes)
  await store.load()
  return store
}
