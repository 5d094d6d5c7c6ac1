/**
 * The steps of a call: each reads at one revision and is committed as one, with what was sent. A barrier stands between two,
 * and the end of the function behind the last. What conflicts is run again from the end of the last step that is committed.
 */
import type { CID } from '../../protocol/cid.ts'
import type { EffectRequest, JournalEntry } from '../../protocol/journal.ts'
import { STATE_BLOCK_BYTES } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import { splitBytes } from '../../registry/split.ts'
import type { CallRequest, CallResult, CallSteps, Committed, Item } from '../calls.ts'
import { type Deferred, deferredIn, GrantedRequests } from '../grants.ts'
import { Proven } from '../proven.ts'
import type { Sends } from '../sends/sends.ts'
import { commitKnown } from './commit.ts'
import type { StateEngine, Transaction } from './engine.ts'
import type { Foresight } from './foresight.ts'
import type { Gates } from './gate.ts'
import { Step } from './step.ts'

/** After so many conflicts a step takes its turn: on hot keys most runs would be in vain. */
const CONFLICTS_MAX = 3

/** What is kept at a home, and who may commit to it. */
export interface State {
  engine: StateEngine
  gates: Gates
  sends: Sends
  /** Where whoever runs a call fetches what it reads. */
  store: Pick<BlockStore, 'put' | 'pin'>
  foresight: Foresight
}

export interface StepsOptions {
  state: State
  request: CallRequest
  manifest: Manifest
  /** Monotonic. */
  deadlineMs: number
  /** Rejects when that has passed. */
  late: Promise<never>
}

export class Steps implements CallSteps {
  readonly proven: Proven
  readonly #ports: Pick<Ports, 'clock' | 'crypto' | 'log'>
  readonly #options: StepsOptions
  readonly #namespaces: readonly string[]
  #step: Step
  /** Committed: so many steps, with so many requests, which were counted so. */
  #count = 0
  #from = 0
  #granted: GrantedRequests
  #conflicts = 0
  readonly #unpin: (() => void)[] = []
  /** Leaves the turn that the step has taken. */
  #leave: (() => void) | undefined
  /** Settles when the barriers so far have ended their steps, or could not. */
  #barriers: Promise<unknown> = Promise.resolve()
  /** Of this run: aborted when a step cannot be committed. */
  #run = new AbortController()

  constructor(ports: Pick<Ports, 'clock' | 'crypto' | 'log'>, options: StepsOptions) {
    const { request, manifest, state } = options
    this.#ports = ports
    this.#options = options
    this.#namespaces = Object.values(request.grants ?? {}).flatMap((grant) => ('state' in grant ? [grant.state] : []))
    this.#granted = new GrantedRequests(manifest.env, request.grants)
    this.#step = new Step(state.engine)
    const { durable } = request
    this.proven = durable?.proven ?? new Proven()
    if (durable) this.#goOn(durable.committed)
  }

  get signal(): AbortSignal | undefined {
    return this.#options.request.signal
  }

  /** Before a run: where many were in vain, takes its turn. What it has called has to end before: it may want to commit, too. */
  async enter(): Promise<void> {
    if (this.#conflicts < CONFLICTS_MAX) return
    await Promise.race([this.proven.settled(), this.#options.late])
    this.#leave = await this.#comeIn(true)
  }

  /** Begins a run, with what is committed. `signal` is aborted when it is in vain, with the reason if no other will do. */
  async begin(): Promise<AbortSignal> {
    const { state, request, manifest } = this.#options
    const { durable } = request
    this.#run = new AbortController()
    this.#barriers = Promise.resolve()
    this.#step = new Step(state.engine)
    if (!durable) this.proven.cut(this.#from)
    else if (!(await durable.stands(this.#step, manifest))) {
      this.proven.cut(this.#from)
      durable.startOver(this.proven.journal)
      await durable.intends()
      this.#step = new Step(state.engine)
    }
    await this.#step.revision
    return this.#run.signal
  }

  /** The run has ended. */
  leave(): void {
    this.#leave?.()
    this.#leave = undefined
  }

  get inTurn(): boolean {
    return this.#leave !== undefined
  }

  async current(): Promise<{ reads: Step; from: number }> {
    await this.#barriers
    return { reads: this.#step, from: this.#from }
  }

  end(item: Item, n: number, reached: Promise<void>): Promise<boolean> {
    const ended = this.#barriers.then(() => reached).then(() => this.#endAt(item, n))
    this.#barriers = ended.catch(() => {})
    reached.catch(() => {})
    return ended
  }

  async keepBlocks(value: Uint8Array): Promise<CID[]> {
    const { store } = this.#options.state
    const blocks = splitBytes(this.#ports.crypto, value, STATE_BLOCK_BYTES)
    const cids = blocks.map(({ cid }) => cid)
    this.#unpin.push(store.pin(cids))
    for (const { cid, bytes } of blocks) await store.put(cid, bytes)
    this.#options.request.durable?.keepBlocks(blocks)
    return cids
  }

  /** The call has ended. */
  close(): void {
    for (const unpin of this.#unpin.splice(0)) unpin()
  }

  /** Commits the last step. False: it conflicts. */
  async settle({ outcome, performed }: CallResult): Promise<boolean> {
    const { durable } = this.#options.request
    const { item, outcomeBytes } = performed[0] as CallResult['performed'][number]
    const requests = outcome.requests.slice(this.#from)
    // A function that failed has changed nothing in its last step.
    const deferred = outcome.result.ok ? deferredIn(this.#granted.copy(), requests, this.#from) : []
    const ending = await durable?.ending(outcomeBytes)
    return this.#commit(item, deferred, ending ?? { id: item.invocation.toString(), reads: [], writes: [] })
  }

  /** With what an earlier home committed. */
  #goOn({ steps, requests }: Committed): void {
    this.#count = steps
    this.#from = requests
    this.proven.cut(requests)
    for (const entry of this.proven.journal) this.#granted.note(entry)
  }

  async #endAt(item: Item, n: number): Promise<boolean> {
    if (this.#run.signal.aborted) return false
    // A barrier behind it was reached before.
    if (n < this.#from) return true
    try {
      if (await this.#commitUpTo(item, n)) return true
      this.#run.abort()
    } catch (cause) {
      this.#run.abort(cause)
    }
    return false
  }

  async #commitUpTo(item: Item, n: number): Promise<boolean> {
    const { durable } = this.#options.request
    const granted = this.#granted.copy()
    const deferred = deferredIn(granted, requestsIn(item.journal, this.#from, n), this.#from)
    const until = n + 1
    if (durable && !item.kept) durable.startOver(item.journal)
    const stepping = await durable?.stepping(until)
    const id = `${item.invocation}/${this.#count}`
    if (!(await this.#commit(item, deferred, stepping ?? { id, reads: [], writes: [] }))) return false
    durable?.stepped(until)
    this.#granted = granted
    this.#count++
    this.#from = until
    this.#conflicts = 0
    this.leave()
    this.#step = new Step(this.#options.state.engine)
    return true
  }

  async #commit(item: Item, deferred: readonly Deferred[], more: Pick<Transaction, 'id' | 'reads' | 'writes'>) {
    const step = this.#step
    if (step.unavailable) throw step.unavailable
    if (step.isStale) return this.#conflicted(item, 'what it read is no longer kept')
    await step.ensureMayWrite(deferred)
    const { engine, sends } = this.#options.state
    const sent = sends.writesOf(item, deferred)
    const writes = [...sent, ...more.writes]
    if (deferred.length === 0 && writes.length === 0) return true
    const leave = this.#leave ? undefined : await this.#comeIn(false)
    try {
      const transaction = await step.transaction(more.id, deferred, { reads: more.reads, writes })
      const committed = await commitKnown(this.#ports.clock, engine, transaction, this.#options.deadlineMs)
      if (committed.kind === 'conflict')
        return this.#conflicted(item, `${committed.namespace} ${committed.key} has changed since it was read`)
      sends.committed(sent)
      return true
    } finally {
      leave?.()
    }
  }

  #conflicted({ task }: Item, reason: string): false {
    this.#conflicts++
    this.#ports.log.event('call.conflict', { task, reason })
    return false
  }

  #comeIn(alone: boolean): Promise<() => void> {
    return this.#options.state.gates.enter(this.#namespaces, alone, this.#options.late)
  }
}

/** The requests of a journal from `first` to `last`, in order. */
const requestsIn = (journal: readonly JournalEntry[], first: number, last: number): EffectRequest[] =>
  journal
    .flatMap((one) => (one.entry === 'request' && one.n >= first && one.n <= last ? [one] : []))
    .sort((a, b) => a.n - b.n)
