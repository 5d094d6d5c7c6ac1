/**
 * The steps of a call: each reads at one revision and is committed as one, with what was sent. A barrier stands between two,
 * and the end of the function behind the last. What conflicts is run again from the end of the last step that is committed.
 */
import { type CID, ensureCid } from '../../protocol/cid.ts'
import { EFFECTS, type LargePut } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import { joinBytes } from '../../protocol/join-bytes.ts'
import type { EffectRequest, JournalEntry } from '../../protocol/journal.ts'
import { PUT_BLOCKS_MAX, STATE_BLOCK_BYTES } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import { splitBytes } from '../../protocol/split.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { BlockExchange } from '../../registry/block-exchange.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import type { CallRequest, CallResult, CallSteps, Committed, Item } from '../calls.ts'
import { type Deferred, deferredIn, GrantedRequests } from '../grants.ts'
import { partsOf } from '../journal-parts.ts'
import { Proven } from '../proven.ts'
import type { Sends } from '../sends/sends.ts'
import { commitKnown } from './commit.ts'
import type { SizedWrite, StateEngine, Transaction } from './engine.ts'
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
  store: Pick<BlockStore, 'put' | 'pin' | 'get'>
  /** Where what was put elsewhere is fetched. */
  exchange: Pick<BlockExchange, 'fetch'>
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
  #runsHere = false
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
    else if (!(await durable.stands(this.#step, manifest, this))) {
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

  expect(put: LargePut): void {
    this.#unpin.push(this.#options.state.store.pin(put.blocks.map(ensureCid)))
  }

  async putBytes({ key, bytes, blocks }: LargePut): Promise<Uint8Array> {
    const found = await Promise.all(blocks.map((cid) => this.#options.state.store.get(ensureCid(cid))))
    const parts = found.filter((part) => part !== undefined)
    if (parts.length < blocks.length) {
      const message = `${blocks.length - parts.length} blocks of what is put under ${JSON.stringify(key)} are not here, and nobody gave them`
      throw new MeshError('E_BLOCK_MISSING', { message, key })
    }
    const value = joinBytes(parts)
    if (value.length !== bytes)
      throw new MeshError('E_MESSAGE', `put: its blocks have ${value.length} bytes, and not ${bytes}`)
    decodeValue(value, EFFECTS.put.itemsMax)
    return value
  }

  /** Nobody gave what an outcome puts in blocks: this home has to run the function itself. */
  get runsHere(): boolean {
    return this.#runsHere
  }

  /** The call has ended. */
  close(): void {
    for (const unpin of this.#unpin.splice(0)) unpin()
  }

  /** Commits the last step. False: it conflicts, or `runsHere`. */
  async settle({ outcome, performed }: CallResult): Promise<boolean> {
    const { durable } = this.#options.request
    const { item, outcomeBytes } = performed[0] as CallResult['performed'][number]
    const requests = outcome.requests.slice(this.#from)
    // A function that failed has changed nothing in its last step.
    const deferred = outcome.result.ok ? deferredIn(this.#granted.copy(), requests, this.#from) : []
    if (!(await this.#gather(deferred, performed))) return false
    const ending = await durable?.ending(outcomeBytes)
    return this.#commit(item, deferred, ending ?? { id: item.invocation.toString(), reads: [], writes: [] })
  }

  /**
   * Gets what is put in blocks, as far as it is not here, from those who came to this outcome. False: none gave it, and this
   * home has not run the function itself. Throws MeshError E_STATE_QUOTA for what would not be kept: nothing of it is fetched.
   */
  async #gather(deferred: readonly Deferred[], performed: CallResult['performed']): Promise<boolean> {
    const puts = deferred.flatMap(({ args }) => ('blocks' in args ? [args] : []))
    const cids = puts.flatMap(({ blocks }) => blocks.map(ensureCid))
    if (cids.length === 0 || this.#runsHere) return true
    if (cids.length > PUT_BLOCKS_MAX)
      throw new MeshError('E_OUTPUT_LIMIT', `what it puts comes to ${cids.length} blocks, of ${PUT_BLOCKS_MAX} at most`)
    await this.#options.state.engine.ensureRoom(deferred.flatMap(sizedOf))
    for (const put of puts) this.expect(put)
    const [answer] = performed
    const executors = performed.flatMap((one) =>
      answer && one.outcomeCid.equals(answer.outcomeCid) ? [one.executor] : [],
    )
    const { state, late } = this.#options
    const given = new AbortController()
    const signal = this.signal ? AbortSignal.any([this.signal, given.signal]) : given.signal
    try {
      await Promise.race([Promise.all(cids.map((cid) => state.exchange.fetch(cid, executors, signal))), late])
      return true
    } catch (cause) {
      if (!(cause instanceof MeshError) || cause.code !== 'E_BLOCK_MISSING') throw cause
      this.#runsHere = true
      this.#ports.log.event('call.withheld', { task: answer?.item.task, code: cause.code, reason: cause.message })
      return false
    } finally {
      given.abort()
    }
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
      const transaction = await step.transaction(more.id, deferred, (put) => this.putBytes(put), {
        ...{ reads: more.reads, writes },
      })
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

/** What it writes, as far as its request says that. */
const sizedOf = ({ args, grant }: Deferred): SizedWrite[] => {
  if (!('state' in grant) || !('key' in args)) return []
  const bytes = 'blocks' in args ? args.bytes : 'value' in args ? encodeValue(args.value).length : undefined
  return [{ namespace: grant.state, key: args.key, bytes }]
}

/** The requests of a journal from `first` to `last`, in order. */
const requestsIn = (journal: readonly JournalEntry[], first: number, last: number): EffectRequest[] =>
  partsOf(journal).requests.filter(({ n }) => n >= first && n <= last)
