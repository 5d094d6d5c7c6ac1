/** Group commit: many transactions, one durable write, then the replies. One write at a time. */
import { MeshError } from '../../protocol/errors.ts'
import type { Storage } from '../../protocol/ports.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import { isUnwritten } from './commit.ts'
import type { Committed, Holdings } from './engine.ts'
import { Fifo } from './fifo.ts'
import { type Books, Group, LARGE_BYTES, largeKey } from './group.ts'
import type { History, Version } from './history.ts'
import { Ids } from './ids.ts'
import { gathered, type NewestValues } from './newest-values.ts'
import type { Prepared } from './prepared.ts'
import { GONE, GROUPS, revisionKey } from './storage-keys.ts'
import type { Totals } from './totals.ts'

/** Of one write to the disk: what comes later waits for the next. */
const GROUP_COMMITS_MAX = 1024
/** Of more than these one half is written while the other is answered and comes again: neither disk nor processor waits. */
const GROUP_COMMITS_MIN = 64
const GROUP_BYTES_MAX = 4 * 1024 * 1024

/** The ids of one write to the disk, by the revision of its first commit. */
export interface IdGroup {
  first: number
  ids: readonly string[]
}

interface Waiting {
  transaction: Prepared
  resolve(committed: Committed): void
  reject(error: unknown): void
}

export interface CommitterParts {
  storage: Storage
  history: History
  newest: NewestValues
  totals: Totals
  groups: readonly IdGroup[]
  quotaOf(namespace: string): Holdings
  /** How many commits are known by their ids; no fewer than revisions are kept. */
  idsMax: number
  /** Told when there are new revisions. */
  published(): void
}

interface Settled {
  waiting: Waiting
  answer: Committed | Error
}

/** What the next write to the disk will be, as far as it has been judged. */
interface Judged {
  group: Group
  settled: Settled[]
  /** Of the values that they write. */
  bytes: number
}

const NOTHING: ReadonlyMap<string, Version> = new Map()

const reply = (settled: readonly Settled[]): void => {
  for (const { waiting, answer } of settled) {
    if (answer instanceof Error) waiting.reject(answer)
    else waiting.resolve(answer)
  }
}

const bytesOfWrites = ({ writes }: Prepared): number => {
  let bytes = 0
  for (const { value } of writes) bytes += value?.length ?? 0
  return bytes
}

const answerOf = (group: Group, transaction: Prepared): Committed | Error => {
  try {
    return group.add(transaction)
  } catch (error) {
    return error as Error
  }
}

/** Index of the first who writes one of these keys. */
const firstOf = (waiting: readonly Waiting[], storageKeys: ReadonlySet<string>): number =>
  waiting.findIndex(({ transaction }) => transaction.writes.some(({ storageKey }) => storageKeys.has(storageKey)))

export class Committer {
  readonly #parts: CommitterParts
  readonly #books: Books
  readonly #groups = new Fifo<IdGroup>()
  readonly #ids: Ids
  #idsKept = 0
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  /** On its way to the disk. */
  #writing: Group | undefined
  /** Judged meanwhile, on top of that. */
  #next: Judged | undefined
  /** Of the keys that are being judged and not in the window. */
  #loaded: ReadonlyMap<string, Version> = NOTHING
  /** Written, but the storage failed, and has not said since whether it holds it. */
  #doubtful: Group | undefined
  /** Storage keys that nobody will ask for. */
  #waste: string[] = []

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#ids = new Ids(parts.idsMax)
    const { history, totals, quotaOf, newest } = parts
    const newestOf = (storageKey: string) => {
      const found = newest.get(storageKey) ?? this.#loaded.get(storageKey)
      if (!found) throw new MeshError('E_INTERNAL', `what ${storageKey} holds has not been looked up`)
      return found
    }
    this.#books = { history, totals, quotaOf, ids: this.#ids, newest: newestOf }
    for (const group of parts.groups) {
      for (const [index, id] of group.ids.entries()) this.#ids.set(id, group.first + index)
      this.#remember(group)
    }
  }

  commit(transaction: Prepared): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ transaction, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when what was under way has ended. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    /** Committed, and not told yet: that is done while the next group is on its way to the disk. */
    let done: Settled[] = []
    for (;;) {
      if (!this.#next && this.#queue.length === 0) {
        reply(done)
        done = []
        await gathered(() => this.#queue.length)
        if (this.#queue.length === 0) break
      }
      const settling = this.#commitGroup(done.length)
      reply(done)
      await this.#judgeAhead()
      done = await settling
    }
    this.#running = undefined
  }

  /** Never throws: what was thrown is the answer. */
  async #commitGroup(unanswered: number): Promise<Settled[]> {
    const waiting = this.#take(unanswered)
    let next = this.#next
    try {
      if (this.#doubtful) await this.#settle(this.#doubtful)
      const { held, missing } = this.#lookUp(waiting)
      // What is judged does not wait for those who are not.
      if (next && missing.length > 0) this.#queue.unshift(...waiting)
      else next = this.#judge(waiting, missing.length > 0 ? await this.#load(held, missing) : held)
    } catch (error) {
      return waiting.map((each) => ({ waiting: each, answer: error as Error }))
    }
    this.#next = undefined
    const { group, settled } = next
    try {
      if (group.commits.length > 0) await this.#write(group)
      return settled
    } catch (error) {
      return settled.map((each) => ({ waiting: each.waiting, answer: error as Error }))
    }
  }

  /**
   * The processor has time while the disk has none: those who have come again are judged as if it had done its work, up to the
   * first who writes what is not in memory.
   */
  async #judgeAhead(): Promise<void> {
    await gathered(() => this.#queue.length)
    if (!this.#writing || this.#queue.length === 0) return
    const waiting = this.#take(this.#writing.ids.length)
    const { held, missing } = this.#lookUp(waiting)
    if (missing.length > 0) this.#queue.unshift(...waiting.splice(firstOf(waiting, new Set(missing))))
    if (waiting.length > 0) this.#judge(waiting, held)
  }

  /** As many as the next write has room for. `unanswered`: those who will come again at once, if they are like others. */
  #take(unanswered: number): Waiting[] {
    const judged = this.#next?.settled.length ?? 0
    const half = Math.ceil((judged + this.#queue.length + unanswered) / 2)
    const most = Math.min(judged + this.#queue.length, GROUP_COMMITS_MAX, Math.max(GROUP_COMMITS_MIN, half))
    let [count, bytes] = [0, this.#next?.bytes ?? 0]
    while (judged + count < most) {
      bytes += bytesOfWrites((this.#queue[count] as Waiting).transaction)
      if (judged + count > 0 && bytes > GROUP_BYTES_MAX) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  /** What the keys that they write hold, if they are not in the window; `missing`: those of which that is not in memory. */
  #lookUp(waiting: readonly Waiting[]): { held: Map<string, Version>; missing: string[] } {
    const { history, newest } = this.#parts
    const held = new Map<string, Version>()
    const missing: string[] = []
    for (const { transaction } of waiting) {
      for (const { storageKey } of transaction.writes) {
        if (history.newest(storageKey) !== undefined) continue
        const known = newest.get(storageKey)
        if (known === undefined) missing.push(storageKey)
        // Others are loaded before it is judged, and may push it out.
        else held.set(storageKey, known)
      }
    }
    return { held, missing }
  }

  async #load(held: Map<string, Version>, missing: readonly string[]): Promise<Map<string, Version>> {
    for (const [storageKey, version] of await this.#parts.newest.load(missing)) held.set(storageKey, version)
    return held
  }

  /** Adds them to the next write. Never throws: what is thrown for one of them is its answer, and has changed nothing. */
  #judge(waiting: readonly Waiting[], held: ReadonlyMap<string, Version>): Judged {
    this.#next ??= { group: new Group(this.#books, this.#writing), settled: [], bytes: 0 }
    this.#loaded = held
    for (const each of waiting) {
      this.#next.settled.push({ waiting: each, answer: answerOf(this.#next.group, each.transaction) })
      this.#next.bytes += bytesOfWrites(each.transaction)
    }
    this.#loaded = NOTHING
    return this.#next
  }

  /** Whoever was judged on top of a write that failed is judged again. */
  #withdraw(): void {
    if (!this.#next) return
    this.#unstage(this.#next.group)
    this.#queue.unshift(...this.#next.settled.map(({ waiting }) => waiting))
    this.#next = undefined
  }

  async #write(group: Group): Promise<void> {
    const wasted = this.#waste.length
    const removals = this.#waste.map((key) => ({ key, delete: true as const }))
    this.#writing = group
    try {
      await this.#parts.storage.write([...group.writes(), ...removals], { durable: true })
    } catch (error) {
      this.#writing = undefined
      this.#withdraw()
      if (isUnwritten(error)) {
        this.#unstage(group)
        throw error
      }
      this.#doubtful = group
      if (!(await this.#settle(group))) throw error
      return
    }
    this.#writing = undefined
    this.#waste.splice(0, wasted)
    this.#publish(group)
  }

  /**
   * Looks up whether a write that failed is on the disk all the same; what is found is made durable before anybody is
   * told. Throws MeshError E_STORAGE as long as the disk does not say.
   */
  async #settle(group: Group): Promise<boolean> {
    const { key, put } = group.record
    let isThere: boolean
    try {
      const stored = await this.#parts.storage.get(key)
      isThere = stored !== undefined && sameBytes(stored, put)
      if (isThere) await this.#parts.storage.write([{ key, put }], { durable: true })
    } catch (cause) {
      const message = `the disk failed, and it is not known whether this was committed (${(cause as Error).message}): commit it again, as it is, and it is looked up`
      throw new MeshError('E_STORAGE', message, { cause })
    }
    this.#doubtful = undefined
    if (isThere) this.#publish(group)
    else this.#unstage(group)
    return isThere
  }

  #publish(group: Group): void {
    const { history, newest, totals, published } = this.#parts
    for (const versions of group.commits) history.publish(versions)
    totals.take(group.totals)
    this.#next?.group.totals.standOn(totals)
    this.#remember({ first: group.first, ids: group.ids })
    const replaced = (version: Version, by: Version) => {
      if (version.bytes > LARGE_BYTES) this.#waste.push(largeKey(version), revisionKey(GONE, by.version))
    }
    history.trim(replaced, (version) => newest.keep(version))
    published()
  }

  #unstage({ commits, ids }: Group): void {
    for (const id of ids) this.#ids.delete(id)
    for (const version of commits.flat().reverse()) {
      const base = this.#parts.history.unstage(version)
      if (base) this.#parts.newest.keep(base)
    }
  }

  #remember(group: IdGroup): void {
    this.#groups.push(group)
    this.#idsKept += group.ids.length
    for (let old = this.#groups.first; old && this.#idsKept - old.ids.length >= this.#parts.idsMax; ) {
      this.#groups.shift()
      this.#idsKept -= old.ids.length
      this.#waste.push(revisionKey(GROUPS, old.first))
      old = this.#groups.first
    }
  }
}
