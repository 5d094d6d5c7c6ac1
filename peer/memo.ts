/**
 * The memo: verified outcomes of pure functions by their taskId, so that what was done and checked once is not done
 * again. It is this peer's own: no message asks for an entry or brings one.
 */
import type { CID } from '../protocol/cid.ts'
import { KIB, MIB } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Ports, StorageWrite } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import { isPure, type Level } from './calls.ts'
import {
  decodeEntry,
  type Entry,
  encodeEntry,
  entryOf,
  type KeptLevel,
  sealOutcome,
  suffices,
  unsealOutcome,
} from './memo-entry.ts'

/** An outcome, and what makes it worth keeping. */
export interface Verified {
  manifest: Manifest
  outcome: Outcome
  /** Its canonical bytes. */
  outcomeBytes: Uint8Array
  level: KeptLevel
  /** PeerIds of those whose signed outcomes agreed on it. */
  signers: readonly string[]
}

type MemoPorts = Pick<Ports, 'clock' | 'crypto' | 'log' | 'storage'>

const OUTCOME = 'memo/'
/** Beside each outcome, written with it, so that opening reads no outcome. */
const ENTRY = 'memo-entry/'

/** The memo's part of the disk that a peer has. */
const SHARE = 16
/** 65,536 outcomes at most; their entries take some 30 MiB of memory. */
const BYTES_MAX = 64 * MIB
/** What a crash may cost; an entry that is lost is performed again. */
const SAVE_EVERY_MS = 1000
/** Changes are written at once when so many bytes wait. */
const BATCH_BYTES = 512 * KIB
/** Storage that takes no more than this at a time is no use to a memo: what comes meanwhile is not kept. */
const WAITING_BYTES_MAX = 16 * MIB
/** A disk that is full may not be full later. */
const RETRY_MS = 60_000
/** After a restart recency is true to the hour: at most one small write per entry and hour of use. */
const USE_SAVED_EVERY_MS = 60 * 60 * 1000

/** How many of `diskBytes` the memo may take. */
export const memoBytes = (diskBytes: number): number => Math.min(BYTES_MAX, Math.floor(diskBytes / SHARE))

type Changes = ReadonlyMap<string, StorageWrite>

export class Memo {
  readonly #ports: MemoPorts
  readonly #budgetBytes: number
  /** By taskId; the least recently used first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0
  #hits = 0
  #misses = 0
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** Settles once what storage holds is known. */
  readonly opened: Promise<void>
  /** Not yet on their way to storage, by key. */
  #changes = new Map<string, StorageWrite>()
  #changesBytes = 0
  #writing: Changes = new Map()
  #cannotWrite = false
  #mustLast = false
  #cancelSave: (() => void) | undefined
  /** The write that the changes go with, until it begins. */
  #nextWrite: Promise<void> | undefined
  #lastWrite: Promise<void> = Promise.resolve()

  /** Reads what storage holds in the background: nobody waits for the memo. */
  constructor(ports: MemoPorts, options: { budgetBytes: number }) {
    this.#ports = ports
    this.#budgetBytes = options.budgetBytes
    this.opened = this.#open()
  }

  /** The outcome of a task, if one is kept that was verified at `wanted` or above. */
  find(task: CID, wanted: Level): Promise<Outcome | undefined> | undefined {
    // The text of a CID takes longer to make than much else of a call.
    const entry = this.#entries.size > 0 ? this.#entries.get(task.toString()) : undefined
    if (entry && suffices(entry.level, wanted)) return this.#read(task, entry)
    this.#misses++
    return undefined
  }

  /** Keeps an outcome, if it is a result that nothing but the task decided. Only what was verified may come here. */
  add(task: CID, { manifest, outcome, outcomeBytes, level, signers }: Verified): void {
    if (this.#state !== 'open' || this.#cannotWrite || this.#changesBytes > WAITING_BYTES_MAX) return
    if (!isPure(manifest) || !outcome.result.ok || outcome.requests.length > 0) return
    const key = task.toString()
    const before = this.#entries.get(key)
    if (before && suffices(before.level, level)) return this.#use(key, before)
    const stored = sealOutcome(this.#ports.crypto, task, { level, signers }, outcomeBytes)
    const entry = entryOf(level, signers, stored, this.#ports.clock.now())
    if (entry.bytes > this.#budgetBytes) return
    this.#remove(key)
    this.#put(key, entry)
    this.#change([
      { key: OUTCOME + key, put: stored },
      { key: ENTRY + key, put: encodeEntry(entry) },
    ])
    this.#evict()
  }

  /** Forgets what `signer` has signed: it was caught signing what is wrong. */
  drop(signer: string): void {
    if (this.#state === 'opening') this.opened.then(() => this.drop(signer))
    const theirs: string[] = []
    for (const [key, { signers }] of this.#entries) if (signers.includes(signer)) theirs.push(key)
    if (theirs.length === 0) return
    for (const key of theirs) this.#forget(key)
    const reason = 'its signer gave a wrong outcome'
    this.#ports.log.event('memo.dropped', { peer: signer, count: theirs.length, reason })
    this.#mustLast = true
    this.#save()
  }

  /** Of calls that may be answered from here. `bytes` counts what an entry takes beside its outcome too. */
  usage() {
    const [hits, misses, entries] = [this.#hits, this.#misses, this.#entries.size]
    return { entries, bytes: this.#bytes, budgetBytes: this.#budgetBytes, hits, misses }
  }

  /** Writes what waits; afterwards nothing is added. */
  async close(): Promise<void> {
    this.#state = 'closed'
    await this.opened
    await this.#save()
  }

  async #open(): Promise<void> {
    const found: [string, Entry][] = []
    const unreadable: string[] = []
    try {
      for await (const { key, value } of this.#ports.storage.scan(ENTRY)) {
        if (this.#state === 'closed') return
        const name = key.slice(ENTRY.length)
        try {
          found.push([name, decodeEntry(value)])
        } catch {
          unreadable.push(name)
        }
      }
    } catch (cause) {
      this.#state = 'closed'
      this.#failed('open', cause)
    }
    if (this.#state === 'closed') return
    for (const [key, entry] of found.sort(([, a], [, b]) => a.usedMs - b.usedMs)) this.#put(key, entry)
    this.#state = 'open'
    for (const key of unreadable) this.#refuse(key, 'its record cannot be read')
    this.#evict()
  }

  async #read(task: CID, entry: Entry): Promise<Outcome | undefined> {
    const key = task.toString()
    const outcome = await this.#stored(task, entry).catch((cause) => this.#failed('read', cause))
    // Meanwhile it may have been dropped.
    if (outcome && this.#entries.get(key) === entry) {
      this.#hits++
      this.#use(key, entry)
      return outcome
    }
    this.#misses++
    return undefined
  }

  async #stored(task: CID, entry: Entry): Promise<Outcome | undefined> {
    const key = task.toString()
    const change = this.#changes.get(OUTCOME + key) ?? this.#writing.get(OUTCOME + key)
    const stored = change && 'put' in change ? change.put : await this.#ports.storage.get(OUTCOME + key)
    const bytes = stored && unsealOutcome(this.#ports.crypto, task, entry, stored)
    if (bytes) return Outcome.decode(bytes)
    if (this.#entries.get(key) === entry) this.#refuse(key, 'what storage holds is not what was kept')
    return undefined
  }

  #put(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }

  #forget(key: string): void {
    this.#remove(key)
    this.#change([
      { key: OUTCOME + key, delete: true },
      { key: ENTRY + key, delete: true },
    ])
  }

  #refuse(key: string, reason: string): void {
    this.#forget(key)
    this.#ports.log.event('memo.dropped', { task: key, count: 1, reason })
  }

  #evict(): void {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#budgetBytes) return
      this.#forget(key)
    }
  }

  /** Notes a use now, and saves it if what is saved is old. */
  #use(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const nowMs = this.#ports.clock.now()
    if (Math.abs(nowMs - entry.usedMs) < USE_SAVED_EVERY_MS) return
    entry.usedMs = nowMs
    this.#change([{ key: ENTRY + key, put: encodeEntry(entry) }])
  }

  #change(writes: readonly StorageWrite[]): void {
    for (const write of writes) {
      this.#changes.set(write.key, write)
      this.#changesBytes += 'put' in write ? write.put.length : 0
    }
    if (this.#changesBytes > BATCH_BYTES && !this.#cannotWrite) this.#save()
    else this.#saveLater()
  }

  #saveLater(): void {
    if (this.#state !== 'open') return
    const delayMs = this.#cannotWrite ? RETRY_MS : SAVE_EVERY_MS
    this.#cancelSave ??= this.#ports.clock.after(delayMs, () => this.#save())
  }

  /** One batch after another. */
  #save(): Promise<void> {
    this.#cancelSave?.()
    this.#cancelSave = undefined
    this.#nextWrite ??= this.#lastWrite = this.#lastWrite.then(() => this.#write())
    return this.#nextWrite
  }

  async #write(): Promise<void> {
    const batch = this.#changes
    const durable = this.#mustLast
    this.#nextWrite = undefined
    if (batch.size === 0) return
    this.#writing = batch
    this.#changes = new Map()
    this.#changesBytes = 0
    this.#mustLast = false
    try {
      await this.#ports.storage.write([...batch.values()], { durable })
      this.#cannotWrite = false
    } catch (cause) {
      this.#cannotWrite = true
      this.#mustLast ||= durable
      this.#failed('write', cause)
      this.#takeBack(batch)
    } finally {
      this.#writing = new Map()
    }
  }

  /** What could not be written is not kept, nor what stood there before: that may be what was to be deleted. */
  #takeBack(batch: Changes): void {
    for (const key of batch.keys()) this.#forget(key.slice(key.indexOf('/') + 1))
  }

  #failed(purpose: string, cause: unknown): void {
    const reason = `memo, to ${purpose}: ${(cause as Error).message}`
    this.#ports.log.event('storage.failed', { code: 'E_STORAGE', reason })
  }
}
