/**
 * Who commits: the home under whose lease the committer's key stands. Leases are counted by etcd, in its own time. Every
 * home looks from time to time how things stand, takes the place if nobody has it, and sees whether its feed is told all.
 */
import { type Etcd, EtcdError } from './client.ts'
import type { Feed } from './feed.ts'
import type { Layout } from './layout.ts'
import { base64, get, prefixRange, put, unchanged } from './messages.ts'

/** A committer that is gone is replaced in about this time. etcd allows no less than some elections. */
const LEASE_S = 3
const LOOK_MS = 300
const KEEP_ALIVE_MS = 900
/** A look that takes longer is given up for the next one. */
const LOOK_MS_MAX = 4000

export interface CandidacyHandlers {
  /** There is a lease, a new one. */
  leased(lease: string): void
  /** This home commits from now on. `since`: the revision of etcd at which its key was put. */
  elected(since: number, lease: string): void
  /** Another home commits, or none: since that revision of etcd, 0 if none. */
  othersSince(since: number): void
}

export class Candidacy {
  readonly #etcd: Etcd
  readonly #layout: Layout
  readonly #feed: Feed
  readonly #name: string
  readonly #handlers: CandidacyHandlers
  #lease: string | undefined
  #keptAliveAt = 0
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #isClosed = false

  constructor(etcd: Etcd, layout: Layout, feed: Feed, name: string, handlers: CandidacyHandlers) {
    this.#etcd = etcd
    this.#layout = layout
    this.#feed = feed
    this.#name = name
    this.#handlers = handlers
  }

  start(): void {
    this.lookNow()
  }

  /** Something has changed: the committer's key is gone, for example. */
  lookNow(): void {
    if (this.#isClosed || this.#isLooking) return
    clearTimeout(this.#timer)
    this.#isLooking = true
    this.#look(performance.now() + LOOK_MS_MAX)
      // Nobody answers now; the next look says so too, or finds somebody.
      .catch(() => {})
      .finally(() => {
        this.#isLooking = false
        if (!this.#isClosed) this.#timer = setTimeout(() => this.lookNow(), LOOK_MS)
      })
  }

  /** Gives the place up, so that another home need not wait for the lease to end. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#lease === undefined) return
    const until = performance.now() + LOOK_MS_MAX
    await this.#etcd.call('/v3/lease/revoke', { ID: this.#lease }, until).catch(() => {})
  }

  async #look(until: number): Promise<void> {
    const lease = await this.#keepLease(until)
    const committerRange = { key: base64(this.#layout.committer) }
    const control = get(prefixRange(this.#layout.control), { keys_only: true })
    const { ranges } = await this.#etcd.txn([], [get(committerRange), control], [], until)
    const newest = Math.max(0, ...(ranges[1]?.kvs ?? []).map(({ modRevision }) => modRevision))
    await this.#feed.reaches(newest, until)
    const committer = ranges[0]?.kvs[0]
    if (committer?.value.toString() === this.#name) return this.#elected(committer.modRevision, lease, until)
    this.#handlers.othersSince(committer?.modRevision ?? 0)
    if (committer === undefined) await this.#campaign(lease, until)
  }

  /** Sent twice it is put once; if the first answer was lost, the next look finds the name. */
  async #campaign(lease: string, until: number): Promise<void> {
    const { committer } = this.#layout
    const taken = await this.#etcd.txn([unchanged(committer, 0)], [put(committer, this.#name, lease)], [], until)
    if (taken.succeeded) await this.#elected(taken.revision, lease, until)
  }

  async #elected(since: number, lease: string, until: number): Promise<void> {
    // Nobody else can write it any more: it is told to its end.
    const { kvs } = await this.#etcd.range({ key: base64(this.#layout.log) }, { keys_only: true }, until)
    await this.#feed.reaches(kvs[0]?.modRevision ?? 0, until)
    if (!this.#isClosed) this.#handlers.elected(since, lease)
  }

  async #keepLease(until: number): Promise<string> {
    if (this.#lease !== undefined && performance.now() - this.#keptAliveAt < KEEP_ALIVE_MS) return this.#lease
    if (this.#lease !== undefined && (await this.#keepAlive(this.#lease, until))) return this.#lease
    const { ID } = await this.#etcd.call('/v3/lease/grant', { TTL: LEASE_S }, until)
    const lease = String(ID)
    const grantedAt = performance.now()
    await this.#etcd.txn([], [put(this.#layout.homes + this.#name, '', lease)], [], until)
    this.#lease = lease
    this.#keptAliveAt = grantedAt
    this.#handlers.leased(this.#lease)
    return this.#lease
  }

  async #keepAlive(lease: string, until: number): Promise<boolean> {
    const askedAt = performance.now()
    try {
      const { result } = await this.#etcd.call('/v3/lease/keepalive', { ID: lease }, until)
      this.#keptAliveAt = askedAt
      return Number((result as { TTL?: string } | undefined)?.TTL ?? 0) > 0
    } catch (error) {
      if (error instanceof EtcdError && error.isNotFound) return false
      throw error
    }
  }
}
