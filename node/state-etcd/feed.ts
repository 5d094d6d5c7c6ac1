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
/** Of a log, at once. */
const GROUPS_TOGETHER = 1000

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
  readonly #layout: Layout
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
    this.#layout = layout
    this.#log = layout.log
    this.#handlers = handlers
  }

  /** Resolves when all has been told that was there. Throws MeshError E_STATE_UNAVAILABLE. */
  async open(until: number): Promise<void> {
    const { revision, kvs } = await this.#etcd.range(this.#range, {}, until)
    this.#handlers.reset(kvs.filter(({ key }) => key.toString() !== this.#log))
    await this.#tellGroups(revision, until)
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

  /** The groups that are kept, as of `revision`. */
  async #tellGroups(revision: number, until: number): Promise<void> {
    for (let after: string | undefined, more = true; more; ) {
      const options = { revision: String(revision), limit: String(GROUPS_TOGETHER) }
      const page = await this.#etcd.range(this.#layout.groupsRange({ after }), options, until)
      for (const { value, modRevision } of page.kvs) this.#handlers.logged(value, modRevision)
      after = page.kvs.at(-1)?.key.toString()
      more = page.more
    }
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
