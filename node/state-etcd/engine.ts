/**
 * The state engine on etcd, for homes on several machines: each opens one on the same prefix. One of them commits, the others
 * forward to it; all of them read. Any home and any one of three nodes of etcd may die.
 */
import { randomUUID } from 'node:crypto'
import { ensureKeys, ensurePrefix, ensureRange, ensureTransaction } from '../../peer/state/checks.ts'
import type {
  Change,
  Committed,
  Entry,
  Holdings,
  Range,
  SizedWrite,
  StateEngine,
  Transaction,
} from '../../peer/state/engine.ts'
import type { Window } from '../../peer/state/history.ts'
import type { Homes } from '../../peer/state/homes.ts'
import { ensureRoomFor } from '../../peer/state/room.ts'
import { Totals } from '../../peer/state/totals.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { EtcdCredentials } from './access.ts'
import { Candidacy } from './candidacy.ts'
import { Etcd, EtcdError } from './client.ts'
import { Committer } from './committer.ts'
import { Entries } from './entries.ts'
import { Feed } from './feed.ts'
import { Forwarder } from './forwarder.ts'
import { type Item, itemOf } from './item.ts'
import { decodeHoldings, decodeLogRecord, Layout, stateKey } from './layout.ts'
import { LiveHomes } from './live-homes.ts'
import { type Group, Log, type Place } from './log.ts'
import { base64, get, type KeyValue, put, unchanged, type WatchEvent } from './messages.ts'
import { Reader } from './reader.ts'
import { itemsOf } from './requests.ts'

/** Old values, for steps that are under way, and ids: a minute of a thousand commits a second. etcd keeps 2 GB in all. */
const WINDOW: Window = { revisions: 65_536, bytes: 256 * 1024 * 1024 }
/** Groups that a watcher looks through at a time. */
const WATCH_GROUPS = 64

export interface EtcdEngineOptions {
  /** `http://HOST:PORT` or `https://HOST:PORT` of each node of one etcd. */
  endpoints: readonly string[]
  credentials?: EtcdCredentials | undefined
  /** Its PeerId: by it the others know that it lives, and whoever looks into etcd. */
  home: string
  /** The mesh ID: its homes alone keep their state here, from the first one on. Undefined: that is not asked. */
  mesh?: string | undefined
  /** Before every key in etcd. The etcd belongs to one state alone, which compacts it. */
  prefix: string
  /** What a namespace may hold; of the prefix of a caller's namespaces, these together (peer/state/caller-namespaces.ts). */
  quotaOf(namespace: string): Holdings
  /** So long anything waits for etcd, and a commit for a committer, before E_STATE_UNAVAILABLE says why it did. */
  waitMs: number
  /** How far back can be read, the same for all homes. */
  window?: Window | undefined
}

class EtcdEngine implements StateEngine {
  readonly homes = new LiveHomes()
  readonly #options: EtcdEngineOptions
  readonly #etcd: Etcd
  readonly #layout: Layout
  readonly #log: Log
  readonly #feed: Feed
  readonly #entries: Entries
  readonly #committer: Committer
  readonly #forwarder: Forwarder
  readonly #candidacy: Candidacy
  readonly #totals = new Totals()
  /** At which a namespace held what is counted, for what is told may be older than what was written here. */
  readonly #heldAt = new Map<string, number>()
  /** Not answered, of all homes: `HOME/N`. */
  readonly #requests = new Map<string, Buffer>()
  /** Commits that were asked for here and are not answered. */
  readonly #open = new Set<Item>()
  #asking: Promise<number> | undefined
  readonly #closing = new AbortController()

  constructor(options: EtcdEngineOptions) {
    // Of two that bear one name, or one after the other, each is another home.
    const home = `${options.home}.${randomUUID()}`
    this.#options = options
    const first = Math.floor(Math.random() * options.endpoints.length)
    this.#etcd = new Etcd(options.endpoints, first, options.credentials)
    this.#layout = new Layout(options.prefix)
    this.#log = new Log(options.window ?? WINDOW)
    const [etcd, layout, log] = [this.#etcd, this.#layout, this.#log]
    this.#feed = new Feed(etcd, layout, {
      reset: (kvs) => this.#reset(kvs),
      changed: (event) => this.#changed(event),
      logged: (value, etcdRevision) => log.append(decodeLogRecord(value), etcdRevision),
    })
    const reader = new Reader(etcd)
    this.#entries = new Entries(reader, layout)
    this.#forwarder = new Forwarder(etcd, layout, home)
    this.#committer = new Committer({
      ...{ etcd, layout, log, feed: this.#feed, reader, totals: this.#totals, quotaOf: options.quotaOf },
      held: (namespace, holdings, etcdRevision) => this.#held(namespace, holdings, etcdRevision),
      over: (items) => this.#forward(items),
    })
    this.#candidacy = new Candidacy(etcd, layout, this.#feed, home, {
      leased: (lease) => this.#forwarder.renew(lease),
      elected: (since, lease) => this.#elected(since, lease),
      othersSince: (since) => {
        if (since !== this.#committer.since) this.#committer.end()
      },
    })
  }

  async open(): Promise<void> {
    const { mesh } = this.#options
    if (mesh !== undefined) await this.#claim(mesh)
    await this.#feed.open(this.#until())
    this.#candidacy.start()
  }

  async revision(): Promise<number> {
    this.#ensureOpen()
    // Whoever asks before the question has gone out is answered with the others.
    this.#asking ??= this.#askRevision()
    return this.#asking
  }

  async read(namespace: string, keys: readonly string[], revision: number): Promise<Entry[]> {
    this.#ensureOpen()
    ensureKeys(namespace, keys)
    return this.#at(revision, (place, until) => this.#entries.read(namespace, keys, place, until))
  }

  async list(range: Range, revision: number) {
    this.#ensureOpen()
    ensureRange(range)
    return this.#at(revision, (place, until) => this.#entries.list(range, place, until))
  }

  async commit(transaction: Transaction): Promise<Committed> {
    this.#ensureOpen()
    ensureTransaction(transaction)
    const { revision, writes } = transaction
    // By another home it may be known already.
    if (revision > this.#log.newest && revision > (await this.revision())) throw this.#notKept(revision)
    if (writes.length === 0) return { kind: 'committed', revision }
    return new Promise((resolve, reject) => {
      const late = () => {
        const waited = `was not committed within ${this.#options.waitMs} ms, or its answer has not come`
        const message = `transaction ${transaction.id} ${waited}: etcd has no quorum, or no home to commit; ask again with the same one`
        item.settle(new MeshError('E_STATE_UNAVAILABLE', message))
      }
      const timer = setTimeout(late, this.#options.waitMs)
      const item = itemOf(transaction, false, (answer) => {
        clearTimeout(timer)
        this.#open.delete(item)
        if (answer instanceof MeshError) reject(answer)
        else resolve(answer)
      })
      this.#open.add(item)
      this.#forward([item])
    })
  }

  /** By what the committer has told of. */
  ensureRoom(writes: readonly SizedWrite[]): Promise<void> {
    return ensureRoomFor(this, this.#totals, this.#options.quotaOf, writes)
  }

  async *watch(namespace: string, prefix: string, after: number, signal: AbortSignal): AsyncIterable<Change> {
    ensurePrefix(namespace, prefix)
    for (let revision = after; !signal.aborted; ) {
      this.#ensureOpen()
      if (revision >= this.#log.newest) await this.#news(signal)
      else {
        if (revision < this.#log.oldest) throw this.#notKept(revision)
        for (const group of this.#log.since(revision, WATCH_GROUPS)) {
          for (const change of await this.#changes(group, namespace, prefix, revision)) {
            if (signal.aborted) return
            yield change
          }
          revision = group.to
        }
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#committer.end()
    for (const item of this.#open) item.settle(new MeshError('E_STATE_UNAVAILABLE', 'the state engine was closed'))
    this.#feed.close()
    await this.#candidacy.close()
    this.#etcd.close()
  }

  /** Sent twice, the second finds what the first has put. */
  async #claim(mesh: string): Promise<void> {
    const { mesh: key } = this.#layout
    const found = await this.#etcd.txn(
      [unchanged(key, 0)],
      [put(key, mesh)],
      [get({ key: base64(key) })],
      this.#until(),
    )
    const owner = found.succeeded ? mesh : found.ranges[0]?.kvs[0]?.value.toString()
    if (owner === mesh) return
    const { prefix } = this.#options
    const message = `homes of another mesh keep their state under ${prefix} of this etcd: join that mesh (${owner}), or choose another etcd_prefix`
    throw new MeshError('E_NAMESPACE_TAKEN', { message, prefix })
  }

  #until(): number {
    return performance.now() + this.#options.waitMs
  }

  #ensureOpen(): void {
    if (this.#closing.signal.aborted) throw new MeshError('E_STATE_UNAVAILABLE', 'the state engine is closed')
  }

  #notKept(revision: number): MeshError {
    const { oldest, newest } = this.#log
    const message = `the state at revision ${revision} is not kept; what is goes from ${oldest} to ${newest}: begin again at the newest`
    return new MeshError('E_REVISION', { message, revision, oldest, newest })
  }

  /** A quorum says what the newest is; then it is known here too. */
  async #askRevision(): Promise<number> {
    const until = this.#until()
    await new Promise(setImmediate)
    this.#asking = undefined
    const { kvs, revision } = await this.#etcd.range({ key: base64(this.#layout.log) }, { keys_only: true }, until)
    const etcdRevision = kvs[0]?.modRevision ?? 0
    if (etcdRevision > (this.#log.last?.etcdRevision ?? 0)) await this.#feed.reaches(etcdRevision, until)
    const { last } = this.#log
    if (last?.etcdRevision === etcdRevision) last.readAt = Math.max(last.readAt, revision)
    return this.#log.newest
  }

  async #at<T>(revision: number, read: (place: Place, until: number) => Promise<T>): Promise<T> {
    if (revision > this.#log.newest) await this.revision()
    const place = this.#log.placeOf(revision)
    if (place === undefined) throw this.#notKept(revision)
    try {
      return await read(place, this.#until())
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error
      if (error.isCompacted) throw this.#notKept(revision)
      throw new MeshError('E_STORAGE', `etcd refuses: ${error.message}`, { cause: error })
    }
  }

  #forward(items: readonly Item[]): void {
    const way = this.#committer.since === undefined ? this.#forwarder : this.#committer
    for (const item of items) if (!item.isSettled) way.submit(item)
  }

  #elected(since: number, lease: string): void {
    if (this.#committer.since === since) return
    this.#committer.end()
    this.#committer.begin(since, lease)
    for (const [request, value] of this.#requests) this.#take(request, value)
    for (const item of this.#forwarder.takeAll()) this.#committer.submit(item)
  }

  #take(request: string, value: Buffer): void {
    const items = itemsOf(request, value, (reply) => this.#committer.reply(reply))
    for (const item of items) this.#committer.submit(item)
  }

  #reset(kvs: readonly KeyValue[]): void {
    this.#log.reset()
    this.#requests.clear()
    const keys = kvs.map(({ key }) => key.toString())
    const { homes } = this.#layout
    this.homes.reset(keys.filter((key) => key.startsWith(homes)).map((key) => key.slice(homes.length)))
    for (const kv of kvs) this.#changed({ ...kv, isDelete: false })
    this.#forwarder.lookFor(new Set(keys))
  }

  #changed({ key, value, modRevision, isDelete }: WatchEvent): void {
    const { holdings, homes, requests, answers, committer } = this.#layout
    const name = key.toString()
    if (name.startsWith(requests)) this.#requested(name.slice(requests.length), isDelete ? undefined : value)
    else if (name.startsWith(homes)) this.homes.changed(name.slice(homes.length), !isDelete)
    else if (name === committer && isDelete) this.#candidacy.lookNow()
    else if (isDelete) return
    else if (name.startsWith(answers)) this.#forwarder.answered(name.slice(answers.length), value)
    else if (name.startsWith(holdings)) this.#held(name.slice(holdings.length), decodeHoldings(value), modRevision)
  }

  #requested(request: string, value: Buffer | undefined): void {
    if (value === undefined) this.#requests.delete(request)
    else {
      this.#requests.set(request, value)
      if (this.#committer.since !== undefined) this.#take(request, value)
    }
  }

  #held(namespace: string, holdings: Holdings, etcdRevision: number): void {
    if ((this.#heldAt.get(namespace) ?? 0) >= etcdRevision) return
    this.#heldAt.set(namespace, etcdRevision)
    this.#totals.set(namespace, holdings)
  }

  /** What the group's transactions above `revision` made of keys with `prefix`. */
  async #changes(group: Group, namespace: string, prefix: string, revision: number): Promise<Change[]> {
    const start = stateKey(namespace, prefix)
    const wanted = group.transactions.flatMap(([, ...keys], index) =>
      group.from + index > revision
        ? keys.filter((key) => key.startsWith(start)).map((key) => ({ revision: group.from + index, key }))
        : [],
    )
    const keys = wanted.map(({ key }) => key.slice(namespace.length + 1))
    // Each key is written once in a group: what stands at its end is what each of its transactions made.
    const entries = await this.#at(group.to, (place, until) => this.#entries.read(namespace, keys, place, until))
    return entries.map(({ key, value }, index) => ({ revision: wanted[index]?.revision as number, key, value }))
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const both = AbortSignal.any([signal, this.#closing.signal])
      const done = () => {
        unfollow()
        both.removeEventListener('abort', done)
        resolve()
      }
      const unfollow = this.#log.follow(done)
      if (both.aborted) done()
      else both.addEventListener('abort', done)
    })
  }
}

/**
 * Throws MeshError E_STATE_UNAVAILABLE if etcd does not answer within `waitMs`, E_NAMESPACE_TAKEN if another mesh keeps its
 * state there, E_STORAGE if etcd refuses. `homes`: those that
 * have opened one on the same prefix.
 */
export const openEtcdEngine = async (options: EtcdEngineOptions): Promise<StateEngine & { homes: Homes }> => {
  const engine = new EtcdEngine(options)
  try {
    await engine.open()
    return engine
  } catch (error) {
    await engine.close()
    if (!(error instanceof EtcdError)) throw error
    throw new MeshError('E_STORAGE', `etcd refuses: ${error.message}`, { cause: error })
  }
}
