/**
 * What happens in etcd besides values, as it happens: a watch that is not trusted. Whoever knows from a read that something
 * has changed waits here until it was told, and a watch that does not tell in time is begun anew at another node.
 */
import type { Etcd } from './client.ts'
import type { Layout } from './layout.ts'
import { base64, type KeyRange, type KeyValue, prefixRange, type WatchEvent } from './messages.ts'

/** A watch tells within a few ms; in this time a node that lives does on a machine that is busy. */
const SILENT_MS = 1000
/** Before a watch that has ended is begun again. */
const AGAIN_MS = 100
const ALL_HISTORY = 1

export interface FeedHandlers {
  /** Everything under `control/` at `revision`, the log excepted: what was told before is void. */
  reset(kvs: readonly KeyValue[]): void
  changed(event: WatchEvent): void
  /** In order, without a gap, from the oldest that etcd has; `reset` begins again. */
  logged(value: Buffer, etcdRevision: number): void
}

export class Feed {
  readonly #etcd: Etcd
  readonly #range: KeyRange
  readonly #log: string
  readonly #handlers: FeedHandlers
  readonly #waiting = new Set<{ revision: number; resolve(): void }>()
  /** All changes up to this revision of etcd have been told. */
  #told = 0
  #stop: ((isSilent?: boolean) => void) | undefined
  #isClosed = false

  constructor(etcd: Etcd, layout: Layout, handlers: FeedHandlers) {
    this.#etcd = etcd
    this.#range = prefixRange(layout.control)
    this.#log = layout.log
    this.#handlers = handlers
  }

  /** Resolves when all has been told that was there. Throws MeshError E_STATE_UNAVAILABLE. */
  async open(until: number): Promise<void> {
    const { revision, kvs } = await this.#etcd.range(this.#range, {}, until)
    const log = kvs.find(({ key }) => key.toString() === this.#log)
    this.#handlers.reset(kvs.filter((kv) => kv !== log))
    if (log) await this.#tellHistory(log, until)
    this.#toldUpTo(revision)
    this.#watch()
  }

  /** Resolves when what changed at `revision` has been told; before `until` it tries other nodes. */
  async reaches(revision: number, until: number): Promise<void> {
    while (this.#told < revision) {
      const waited = await this.#waitFor(revision, Math.min(SILENT_MS, until - performance.now()))
      if (waited || this.#isClosed) return
      this.#stop?.(true)
      this.#watch()
      // Also says why, if etcd cannot be reached.
      await this.#etcd.range({ key: base64(this.#log) }, { keys_only: true }, until)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#stop?.()
    for (const { resolve } of this.#waiting) resolve()
  }

  #waitFor(revision: number, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (isReached: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
        resolve(isReached)
      }
      const waiter = { revision, resolve: () => done(true) }
      const timer = setTimeout(() => done(false), Math.max(0, limitMs))
      this.#waiting.add(waiter)
    })
  }

  #tell(events: readonly WatchEvent[]): void {
    for (const event of events) {
      if (event.modRevision <= this.#told) continue
      if (event.key.toString() !== this.#log) this.#handlers.changed(event)
      else if (!event.isDelete) this.#handlers.logged(event.value, event.modRevision)
    }
    // Not up to where etcd is: of one that is behind it tells a thousand revisions at a time.
    this.#toldUpTo(Math.max(...events.map(({ modRevision }) => modRevision)))
  }

  #toldUpTo(revision: number): void {
    this.#told = Math.max(this.#told, revision)
    for (const waiter of [...this.#waiting]) if (waiter.revision <= this.#told) waiter.resolve()
  }

  /** The log as it was written since the oldest revision that etcd keeps. `log` is how it stands now. */
  async #tellHistory(log: KeyValue, until: number): Promise<void> {
    let from: number | undefined = ALL_HISTORY
    while (from !== undefined && from <= log.modRevision) from = await this.#historyFrom(from, log.modRevision, until)
    // It may be older than all that etcd keeps; what it says still holds.
    this.#handlers.logged(log.value, log.modRevision)
  }

  /** Undefined: all has been told. Otherwise where to go on. */
  async #historyFrom(from: number, to: number, until: number): Promise<number | undefined> {
    let next: number | undefined = from
    await new Promise<void>((resolve) => {
      const stop = this.#etcd.watch({ key: base64(this.#log) }, from, {
        events: (events) => {
          for (const { isDelete, value, modRevision } of events) {
            if (isDelete || modRevision > to || next === undefined) continue
            this.#handlers.logged(value, modRevision)
            next = modRevision < to ? modRevision + 1 : undefined
          }
          if (next === undefined) over()
        },
        ended: (compactedTo) => {
          next = compactedTo ?? next
          over()
        },
      })
      const over = () => {
        clearTimeout(timer)
        stop()
        resolve()
      }
      const timer = setTimeout(over, Math.max(0, Math.min(SILENT_MS, until - performance.now())))
    })
    // Says why, if nobody answers any more.
    if (next !== undefined) await this.#etcd.range({ key: base64(this.#log) }, { keys_only: true }, until)
    return next
  }

  #watch(): void {
    if (this.#isClosed) return
    this.#stop = this.#etcd.watch(this.#range, this.#told + 1, {
      events: (events) => this.#tell(events),
      ended: (compactedTo) => void setTimeout(() => this.#again(compactedTo), AGAIN_MS),
    })
  }

  #again(compactedTo: number | undefined): void {
    if (this.#isClosed) return
    if (compactedTo === undefined) return this.#watch()
    // Away for longer than etcd keeps what happened.
    this.open(Number.POSITIVE_INFINITY).catch(() => void setTimeout(() => this.#again(compactedTo), AGAIN_MS))
  }
}
