/** Durable invocations: begun once, kept in the state, gone on with by whatever runs, until they end or are cancelled. */
import { type CID, ensureCid } from '../../protocol/cid.ts'
import type { DurableRecord, DurableState } from '../../protocol/durable.ts'
import type { Envelope } from '../../protocol/envelope.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Ports } from '../../protocol/ports.ts'
import type { Manifest, TaskTemplate } from '../../protocol/records.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import { type CallRequest, type CallResult, type CallWish, type Item, requestOf } from '../calls.ts'
import type { LocalExecutor } from '../local.ts'
import { pause } from '../pause.ts'
import type { Rehearsals } from '../rehearsals.ts'
import type { Sends } from '../sends/sends.ts'
import { commitKnown } from '../state/commit.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import type { Homes } from '../state/homes.ts'
import { Adoption } from './adoption.ts'
import { codeWrites } from './code.ts'
import { Damaged } from './damaged.ts'
import { Delegations } from './delegations.ts'
import { drive } from './drive.ts'
import { discard, endAs } from './ending.ts'
import { Forgetting } from './forgetting.ts'
import { keptOf, outcomeOf } from './kept.ts'
import { KeptCheckpoints } from './kept-checkpoints.ts'
import type { KeptJournal } from './kept-journal.ts'
import { StoredRun } from './kept-run.ts'
import { INVOCATIONS, inputName, placeOf } from './names.ts'
import { commitNested, Nested } from './nested.ts'
import { piecesOf } from './pieces.ts'
import { recordedOf } from './recorded.ts'
import {
  allFound,
  allRecords,
  findRecord,
  grantsWrites,
  knownRecord,
  parentOf,
  withGrants,
  writeRecord,
} from './records.ts'
import { type DurableSummary, summaryOf } from './summary.ts'

/** Each holds its input and journal in memory. */
const RUNNING_MAX = 1000
/** How often it is looked whether one that another home runs has ended. */
const LOOK_MS = 500

/** How one ended: with an encoded Outcome, or with an error. */
export interface DurableEnd {
  state: Exclude<DurableState, 'running'>
  outcome: Uint8Array | undefined
  error: MeshError | undefined
}

export interface DurableParts {
  engine: StateEngine
  mesh: CID
  /** The others on the same state; undefined: there are none. */
  homes?: Homes | undefined
  store: BlockStore
  sends: Pick<Sends, 'open' | 'stop'>
  local: Pick<LocalExecutor, 'rehearsals'>
  call(wish: CallWish): Promise<CallResult>
  manifest(functionCid: CID): Promise<Manifest>
  /** An invocation that begins now. */
  prepare(request: CallRequest, manifest: Manifest, deadlineMs: number): Pick<Item, 'invocation' | 'template'>
}

type DurablePorts = Pick<Ports, 'clock' | 'crypto' | 'log' | 'network'>

/** Whose it is: that of an invocation which calls it, or of a caller that has signed for it; else this home's. */
interface BegunBy {
  parent?: string | undefined
  caller?: string
  signed?: Envelope
}

interface Running {
  readonly run: StoredRun
  readonly abort: AbortController
  /** Settles when it has ended, or is given up here. */
  readonly over: Promise<void>
  /** As it was when it began here. */
  readonly record: DurableRecord
}

export class Durable {
  readonly #ports: DurablePorts
  readonly #parts: DurableParts
  readonly #running = new Map<string, Running>()
  readonly #adoption: Adoption
  readonly #stopped = new AbortController()
  readonly #nested: Nested
  readonly #forgetting: Forgetting
  readonly delegations: Delegations

  constructor(ports: DurablePorts, parts: DurableParts) {
    this.#ports = ports
    this.#parts = parts
    this.#adoption = new Adoption(ports, {
      homes: parts.homes,
      left: () => this.#left(),
      takeOver: (id) => this.#takeOver(id),
      fail: async (id, cause) => {
        await endAs(ports.clock, parts.engine, id, (record) => this.#isLeft(id, record), cause)
      },
    })
    this.delegations = new Delegations(ports, parts.engine, parts.mesh)
    this.#forgetting = new Forgetting(ports, parts.engine)
    this.#nested = new Nested(ports.clock, {
      engine: parts.engine,
      stopped: this.#stopped.signal,
      begin: (...begun) => this.#beginNested(...begun),
      wait: (id) => this.wait(id),
    })
  }

  /** Goes on with all that was running when this home ended, or another that is gone, in a new epoch, and with what was to be sent. */
  async open(): Promise<void> {
    await this.#adoption.open()
    await this.#forgetting.open()
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Resolves with its id once it is kept. Throws MeshError E_BUSY, E_USAGE, or what the state throws. */
  async start(wish: CallWish): Promise<string> {
    return (await this.#start(wish, {})).toString()
  }

  /** The same for a caller that has signed for it, as long as that holds. */
  startFor(caller: string, signed: Envelope, wish: CallWish): Promise<CID> {
    return this.#start(wish, { caller, signed })
  }

  /** What runs here by delegations, those of `caller` alone if it is given; the oldest first. */
  delegated(caller?: string): { id: string; record: DurableRecord }[] {
    const all = [...this.#running].map(([id, { record }]) => ({ id, record }))
    const found = all.filter(
      ({ record: { delegated } }) => delegated && (caller ?? delegated.caller) === delegated.caller,
    )
    return found.sort((a, b) => a.record.created_ms - b.record.created_ms)
  }

  /** Throws MeshError E_USAGE for one that is not known. */
  async record(id: string): Promise<DurableRecord> {
    const { engine } = this.#parts
    const found = await knownRecord(engine, id)
    return withGrants(engine, this.#placeOf(found.record), { id, ...found })
  }

  manifest(functionCid: CID): Promise<Manifest> {
    return this.#parts.manifest(functionCid)
  }

  async #start(wish: CallWish, more: BegunBy): Promise<CID> {
    if (this.#isStopped) throw new MeshError('E_STOPPING', 'this agent is shutting down')
    if (this.#running.size >= RUNNING_MAX)
      throw new MeshError('E_BUSY', `${RUNNING_MAX} durable invocations run here already; wait for some to end`)
    const { clock } = this.#ports
    const manifest = await this.#parts.manifest(wish.function)
    const request = requestOf(wish, manifest)
    const { invocation, template } = this.#parts.prepare(request, manifest, clock.monotonic() + wish.timeoutMs)
    await this.#begin(invocation.toString(), request, manifest, template, more)
    return invocation
  }

  /** What a call that `parent` makes comes to: Nested.outcomeOf. */
  nested(request: CallRequest, parent: string): Promise<Outcome> {
    return this.#nested.outcomeOf(request, parent)
  }

  async #beginNested(id: string, request: CallRequest, parent: string): Promise<void> {
    const manifest = await this.#parts.manifest(request.function)
    const { template } = this.#parts.prepare(request, manifest, this.#ports.clock.monotonic() + request.timeoutMs)
    await this.#begin(id, requestOf(request, manifest), manifest, template, { parent })
  }

  /** Keeps it and begins it, if nobody has, and its parent has not ended. */
  async #begin(
    id: string,
    request: CallRequest,
    manifest: Manifest,
    template: TaskTemplate,
    { parent, caller, signed }: BegunBy,
  ): Promise<void> {
    const { clock } = this.#ports
    const { engine } = this.#parts
    // What is called runs by the same word as its caller.
    const above = parent && (await findRecord(engine, parent)).record?.delegated
    const delegated = caller ? { caller, under: ensureCid(id) } : above
    const level = request.level.level === 'quorum' ? `quorum:${request.level.n}` : request.level.level
    const record: DurableRecord = {
      v: 1,
      function: request.function,
      export: request.export,
      engine: template.environment.engine,
      level,
      limits: request.limits ?? manifest.limits,
      ...(request.grants && { grants: { ...request.grants } }),
      remote: request.remote,
      ...(delegated && { delegated }),
      ...(parent && { parent: { invocation: ensureCid(parent), depth: request.depth } }),
      created_ms: clock.now(),
      deadline_ms: clock.now() + request.timeoutMs,
      state: 'running',
      home: this.#ports.network.peerId,
      epoch: 1,
      journal: 0,
    }
    const place = this.#placeOf(record)
    const pieces = [...grantsWrites(place, id, record), ...piecesOf(place, inputName(id), request.input)]
    const last = pieces.pop() as Write
    const { homes, store } = this.#parts
    if (homes) pieces.push(...(await codeWrites(store, { place, id }, request.function, manifest)))
    for (const [i, piece] of pieces.entries()) await this.#write(`${id}/start/${i}`, [piece])
    const writes = [last, writeRecord(id, record), ...(signed ? [this.delegations.writeOf(id, signed)] : [])]
    if (!parent) await this.#write(`${id}/start`, writes)
    else if (!(await commitNested(clock, engine, { id, parent, writes }))) return
    if (!this.#running.has(id)) this.#run(id, record, request.input)
  }

  /** All that are running, the oldest first; with `all` those that have ended too, and those that are damaged. */
  async list(all: boolean): Promise<DurableSummary[]> {
    const found: DurableSummary[] = []
    for await (const one of allFound(this.#parts.engine))
      if (all || ('record' in one && one.record.state === 'running')) found.push(summaryOf(one))
    return found.sort((a, b) => (a.createdMs ?? 0) - (b.createdMs ?? 0))
  }

  /** How it ended; undefined: it runs. Throws MeshError E_USAGE for one that is not known. */
  async end(id: string): Promise<DurableEnd | undefined> {
    try {
      const { record, revision } = await knownRecord(this.#parts.engine, id)
      const { state, error } = record
      if (state === 'running') return undefined
      const outcome = await outcomeOf(this.#kept, { id, record, revision })
      return { state, outcome, error: error && new MeshError(error.code, error.message) }
    } catch (cause) {
      if (!(cause instanceof Damaged)) throw cause
      return { state: 'failed', outcome: undefined, error: cause }
    }
  }

  /**
   * Encoded RecordedInvocation: one that runs as far as it has come. Throws MeshError E_USAGE for one that is not known,
   * E_BLOCK_MISSING if its function is nowhere any more, Damaged.
   */
  async recorded(id: string): Promise<Uint8Array> {
    await this.#running.get(id)?.run.intends()
    const { engine, store } = this.#parts
    const { record, revision } = await knownRecord(engine, id)
    const kept = await keptOf(this.#kept, { id, record, revision })
    return recordedOf(this.#ports.crypto, (cid) => store.get(cid), {
      record,
      manifest: await this.#parts.manifest(record.function),
      input: kept.input,
      journal: kept.journal.entries,
      outcome: await outcomeOf(this.#kept, { id, record, revision }),
    })
  }

  /** Waits for its end. Throws MeshError E_USAGE for one that is not known, E_STOPPING if this home ends before, E_CANCELLED. */
  async wait(id: string, signal?: AbortSignal): Promise<DurableEnd> {
    const given = aborted(signal)
    for (;;) {
      const end = await this.end(id)
      if (end) return end
      if (this.#isStopped)
        throw new MeshError('E_STOPPING', 'this agent is shutting down; the invocation goes on when it is up again')
      const over = this.#running.get(id)?.over
      await Promise.race([over ?? pause(this.#ports.clock, LOOK_MS, this.#stopped.signal), given])
      if (signal?.aborted) throw new MeshError('E_CANCELLED', 'the caller waits no more')
    }
  }

  /**
   * Ends it, and what it has called: nothing of it is committed afterwards. One whose record cannot be read is deleted, with all
   * that is kept of it. False: it had ended. Throws MeshError E_USAGE for one that is not known.
   */
  async cancel(id: string): Promise<boolean> {
    const { engine } = this.#parts
    const running = this.#running.get(id)
    const may = ({ state }: DurableRecord) => state === 'running'
    try {
      if (!(await endAs(this.#ports.clock, engine, id, may))) return false
      running?.abort.abort()
    } catch (cause) {
      if (!(cause instanceof Damaged)) throw cause
      running?.abort.abort()
      await running?.over
      await discard(this.#ports, engine, this.delegations, id)
    }
    await this.#cancelCalls(id)
    return true
  }

  async #cancelCalls(id: string): Promise<void> {
    for await (const one of allRecords(this.#parts.engine))
      if (one.record.state === 'running' && parentOf(one.record) === id) await this.cancel(one.id)
  }

  /** Whatever runs is left as it is, for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    const all = [...this.#running.values()]
    for (const { abort } of all) abort.abort()
    const others = [this.#parts.sends.stop(), this.#adoption.stop(), this.#forgetting.stop()]
    await Promise.all([...all.map(({ over }) => over), ...others])
  }

  async *#left(): AsyncGenerator<string | Damaged> {
    await this.#parts.sends.open()
    for await (const one of allFound(this.#parts.engine))
      if ('damaged' in one) yield one.damaged
      else if (this.#isLeft(one.id, one.record)) yield one.id
  }

  #isLeft(id: string, { state, home }: DurableRecord): boolean {
    return state === 'running' && !this.#running.has(id) && this.#adoption.isGone(home)
  }

  async #takeOver(id: string): Promise<void> {
    const { engine } = this.#parts
    const { record: found, revision } = await knownRecord(this.#parts.engine, id)
    // Another home may have been faster.
    if (!this.#isLeft(id, found)) return
    // Its parent was, and its home ended before it came to this one.
    const parent = parentOf(found)
    const above = parent && (await findRecord(engine, parent)).record
    if (above && above.state === 'cancelled') return void (await this.cancel(id))
    const record: DurableRecord = { ...found, home: this.#ports.network.peerId, epoch: found.epoch + 1 }
    const own = { namespace: INVOCATIONS, key: id }
    const writes = [writeRecord(id, record)]
    const transaction = { id: `${id}/${record.epoch}/${record.home}`, revision, reads: [own], ranges: [], writes }
    const committed = await commitKnown(this.#ports.clock, engine, transaction)
    if (committed.kind === 'conflict') return this.#takeOver(id)
    // From here on nobody else adds to what is kept of it.
    await this.#goOn(id, record, committed.revision)
  }

  async #goOn(id: string, record: DurableRecord, revision: number): Promise<void> {
    const { engine } = this.#parts
    const { input, journal } = await keptOf(this.#kept, { id, record, revision })
    const checkpoints = this.#checkpointsOf(id, record)
    await checkpoints.open(engine, revision)
    const whole = await withGrants(engine, this.#placeOf(record), { id, record, revision })
    this.#run(id, whole, input, journal, checkpoints)
  }

  get #kept() {
    const { engine, store } = this.#parts
    return { crypto: this.#ports.crypto, engine, store }
  }

  #placeOf(record: DurableRecord): string {
    return placeOf(this.#ports.crypto, record)
  }

  #checkpointsOf(id: string, record: DurableRecord): KeptCheckpoints {
    const parts = { crypto: this.#ports.crypto, store: this.#parts.store }
    return new KeptCheckpoints(parts, { place: this.#placeOf(record), id })
  }

  #run(
    id: string,
    record: DurableRecord,
    input: Uint8Array,
    journal?: KeptJournal,
    checkpoints = this.#checkpointsOf(id, record),
  ): void {
    const abort = new AbortController()
    const lost = (cause: MeshError) => abort.abort(cause)
    const rehearsals = this.#parts.local.rehearsals as Rehearsals
    const run = new StoredRun(this.#ports, this.#parts.engine, { id, record, journal, checkpoints, rehearsals, lost })
    const parts = { delegations: this.delegations, call: this.#parts.call, cancelCalls: () => this.#cancelCalls(id) }
    const driven = { durable: run, record, input, abort: abort.signal, ...parts }
    const over = drive(this.#ports, driven).finally(() => {
      this.#running.delete(id)
      checkpoints.close()
      this.#forgetting.ended()
      // What could not be kept for a while is gone on with, unless it has ended or is another home's.
      if (abort.signal.aborted && !this.#isStopped) this.#adoption.soon()
    })
    this.#running.set(id, { run, abort, over, record })
  }

  async #write(id: string, writes: readonly Write[]): Promise<void> {
    const { engine } = this.#parts
    const revision = await engine.revision()
    await commitKnown(this.#ports.clock, engine, { id, revision, reads: [], ranges: [], writes })
  }
}

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
