/**
 * The home that commits: judges what is asked, and writes what passes, many transactions in one of etcd. Each of those holds
 * only if the lease's key is the one that began this term and the log is as it was left: so a home that has lost its place
 * without knowing writes nothing, and a request that is sent again because its answer was lost writes nothing twice.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Holdings } from '../../peer/state/engine.ts'
import { Fifo } from '../../peer/state/fifo.ts'
import type { Totals } from '../../peer/state/totals.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type Etcd, EtcdError } from './client.ts'
import type { Feed } from './feed.ts'
import type { Item } from './item.ts'
import { decodeEntry, encodeEntry, encodeHoldings, encodeLogRecord, type Layout } from './layout.ts'
import type { Log } from './log.ts'
import {
  base64,
  get,
  type KeyRange,
  nested,
  type OpJson,
  put,
  type RangeReply,
  remove,
  removeAll,
  type TxnReply,
  unchanged,
} from './messages.ts'
import type { Reader } from './reader.ts'
import type { Reply } from './requests.ts'
import { bytesUnder, Round } from './round.ts'

const NESTED = 60
const FOR_EVER = Number.POSITIVE_INFINITY
/** Sizes of what stands under keys, so that quotas cost no reads: of the keys that were written last. */
const SIZES_MAX = 100_000
/** Transactions whose keys are looked up together. */
const CANDIDATES_MAX = 1024
/** Revisions of etcd between two compactions. */
const COMPACT_EACH = 1000
const COMPACT_MS_MAX = 60_000

export interface CommitterParts {
  etcd: Etcd
  layout: Layout
  log: Log
  feed: Feed
  reader: Reader
  totals: Totals
  held(namespace: string, holdings: Holdings, etcdRevision: number): void
  quotaOf(namespace: string): Holdings
  /** The term is over; what was not committed in it. */
  over(items: readonly Item[]): void
}

/** From the moment the lease's key was put until it is found changed. */
interface Term {
  /** Of etcd, when the lease's key was put. */
  since: number
  lease: string
}

export class Committer {
  readonly #parts: CommitterParts
  readonly #sizes = new Map<string, number>()
  #pending = new Fifo<Item>()
  #replies: Reply[] = []
  #term: Term | undefined
  #isRunning = false
  #compactedTo = 0

  constructor(parts: CommitterParts) {
    this.#parts = parts
  }

  /** Of the term that runs: when the lease's key was put. */
  get since(): number | undefined {
    return this.#term?.since
  }

  /** The log has been told to its end, which nobody else can move any more. */
  begin(since: number, lease: string): void {
    this.#term = { since, lease }
    this.#sizes.clear()
  }

  /** Hands back what has not been begun. */
  end(): void {
    if (this.#term === undefined) return
    this.#term = undefined
    const items = this.#pending.slice(0, this.#pending.length)
    this.#pending = new Fifo()
    this.#replies = []
    this.#parts.over(items)
  }

  submit(item: Item): void {
    this.#pending.push(item)
    if (!this.#isRunning) void this.#run()
  }

  /** A request of another home has been answered in full, but for the round that is being made. */
  reply(reply: Reply): void {
    this.#replies.push(reply)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#term && this.#pending.length + this.#replies.length > 0) {
      // What is asked in the same turn goes together.
      await turn()
      if (this.#term) await this.#commitTogether(this.#term)
    }
    this.#isRunning = false
  }

  async #commitTogether(term: Term): Promise<void> {
    let round: Round | undefined
    try {
      await this.#learnSizes()
      round = this.#makeRound()
      await this.#write(round, term)
    } catch (error) {
      const failure =
        error instanceof MeshError ? error : new MeshError('E_STORAGE', `etcd refuses: ${(error as Error).message}`)
      for (const [item] of round?.answers ?? []) item.settle(failure)
      if (round === undefined) this.#pending.shift()?.settle(failure)
      // Requests whose answers were lost are found again in the next term.
      if (this.#term === term) this.end()
    }
  }

  /** What stands under the keys that are about to be written, where that is not known. */
  async #learnSizes(): Promise<void> {
    const { layout, log } = this.#parts
    if (this.#sizes.size > SIZES_MAX) this.#sizes.clear()
    const wanted = new Set<string>()
    for (const { writes } of this.#pending.slice(0, CANDIDATES_MAX))
      for (const key of writes.keys()) if (!this.#sizes.has(key)) wanted.add(key)
    const at = log.last?.readAt
    const lookUp = async (key: string) => {
      const [kv] = at === undefined ? [] : (await this.#newest(layout.entryRange(key), at)).kvs
      this.#sizes.set(key, kv ? bytesUnder(key, decodeEntry(kv.value).value) : 0)
    }
    await Promise.all([...wanted].map(lookUp))
  }

  async #newest(range: KeyRange, at: number): Promise<RangeReply> {
    const { reader, etcd } = this.#parts
    try {
      return await reader.ask(range, at, 0, FOR_EVER)
    } catch (error) {
      // The owner of the etcd has compacted it beyond the last commit.
      if (error instanceof EtcdError && error.isCompacted) return etcd.range(range, {}, FOR_EVER)
      throw error
    }
  }

  #makeRound(): Round {
    const { log, totals, quotaOf } = this.#parts
    const round = new Round({ log, totals, quotaOf, bytesOf: (key) => this.#sizes.get(key) as number })
    for (let taken = 0; taken < CANDIDATES_MAX; taken++) {
      const item = this.#pending.first
      if (item === undefined || !this.#isKnown(item) || (!item.isSettled && !round.add(item))) break
      this.#pending.shift()
    }
    return round
  }

  /** It may have come since sizes were looked up. */
  #isKnown({ writes }: Item): boolean {
    for (const key of writes.keys()) if (!this.#sizes.has(key)) return false
    return true
  }

  async #write(round: Round, term: Term): Promise<void> {
    const { layout, log } = this.#parts
    // A reply goes out in the transaction that makes it true.
    for (const [item, answer] of round.answers) if (item.isRequested) item.settle(answer)
    const replies = this.#replies
    this.#replies = []
    const hasWritten = round.record.transactions.length > 0
    if (hasWritten || replies.length > 0) {
      const compare = [unchanged(layout.committer, term.since)]
      if (hasWritten) compare.push(unchanged(layout.log, log.last?.etcdRevision ?? 0))
      const answers = replies.flatMap((reply) => this.#answer(reply, term))
      const operations = hasWritten ? [...this.#operations(round), ...answers] : answers
      const reply = await this.#transact(compare, inside(operations))
      if (!reply?.succeeded) return this.#settleFromLog(round, reply, term)
      if (hasWritten) this.#written(round, reply.revision, term)
    }
    for (const [item, answer] of round.answers) item.settle(answer)
  }

  /** Undefined: the lease is gone, and with it the term. */
  async #transact(compare: readonly object[], operations: readonly OpJson[]): Promise<TxnReply | undefined> {
    const { etcd, layout } = this.#parts
    const otherwise = [layout.committer, layout.log].map((key) => get({ key: base64(key) }, { keys_only: true }))
    try {
      return await etcd.txn(compare, operations, otherwise, FOR_EVER)
    } catch (error) {
      if (error instanceof EtcdError && error.isNotFound) return undefined
      throw error
    }
  }

  #operations(round: Round): OpJson[] {
    const { layout } = this.#parts
    // First, so that whoever is told of an answer has been told of its commit.
    const record = encodeLogRecord(round.record)
    const operations = [put(layout.log, record), put(layout.group(round.record.from), record)]
    for (const [key, { version, value }] of round.written) {
      const entry = layout.entry(key)
      operations.push(value === undefined ? remove(entry) : put(entry, encodeEntry(version, value)))
    }
    for (const [namespace, held] of round.totals.changed())
      operations.push(put(layout.holdings + namespace, encodeHoldings(held)))
    return operations
  }

  #answer({ request, answers }: Reply, { lease }: Term): OpJson[] {
    const { layout } = this.#parts
    return [put(layout.answers + request, answers, lease), remove(layout.requests + request)]
  }

  #written(round: Round, etcdRevision: number, term: Term): void {
    const { log, held } = this.#parts
    log.append(round.record, etcdRevision)
    for (const [key, { value }] of round.written) this.#sizes.set(key, bytesUnder(key, value))
    for (const [namespace, holdings] of round.totals.changed()) held(namespace, holdings, etcdRevision)
    this.#compact(term)
  }

  /** Another home commits now, or this one has in an attempt whose answer was lost: the log says which, by the ids. */
  async #settleFromLog(round: Round, reply: TxnReply | undefined, term: Term): Promise<void> {
    const { log, feed, etcd, layout } = this.#parts
    const [committer, logged] = reply?.ranges ?? []
    const last = logged ?? (await etcd.range({ key: base64(layout.log) }, { keys_only: true }, FOR_EVER))
    await feed.reaches(last.kvs[0]?.modRevision ?? 0, FOR_EVER)
    this.#sizes.clear()
    const again = new Fifo<Item>()
    for (const [item, answer] of round.answers) {
      const revision = log.committedAs(item.transaction.id)
      if (revision !== undefined) item.settle({ kind: 'committed', revision })
      else if (answer instanceof MeshError || answer.kind === 'conflict') item.settle(answer)
      else if (!item.isSettled) again.push(item)
    }
    for (const item of this.#pending.slice(0, this.#pending.length)) again.push(item)
    this.#pending = again
    if (this.#term === term && committer?.kvs[0]?.modRevision !== term.since) this.end()
  }

  /** What is behind the window need not be kept by etcd either. */
  #compact({ since }: Term): void {
    const { etcd, log, layout } = this.#parts
    const { first } = log
    if (first === undefined || log.oldest === 0 || first.etcdRevision - this.#compactedTo < COMPACT_EACH) return
    this.#compactedTo = first.etcdRevision
    const until = performance.now() + COMPACT_MS_MAX
    const forget = async () => {
      const gone = removeAll(layout.groupsRange({ before: first.from }))
      await etcd.txn([unchanged(layout.committer, since)], [gone], [], until)
      await etcd.call('/v3/kv/compaction', { revision: String(first.etcdRevision) }, until)
    }
    // If it fails, the next one does its work.
    forget().catch(() => {})
  }
}

/** Operations nested as deep as their number needs. */
const inside = (operations: readonly OpJson[]): readonly OpJson[] => {
  if (operations.length <= NESTED) return operations
  const parts: OpJson[] = []
  for (let from = 0; from < operations.length; from += NESTED) parts.push(nested(operations.slice(from, from + NESTED)))
  return parts
}
