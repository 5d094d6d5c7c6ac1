/** One durable invocation while it runs here: its journal is kept as it grows, and its end with what it wrote. */

import type { DurableRecord, JournalPart } from '../../protocol/durable.ts'
import { isDeferred, largePutIn } from '../../protocol/effects.ts'
import type { Envelope } from '../../protocol/envelope.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type Answer, awaitedIn, type EffectRequest, type JournalEntry } from '../../protocol/journal.ts'
import { STATE_BLOCK_BYTES } from '../../protocol/limits.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Clock, Ports } from '../../protocol/ports.ts'
import type { Checkpoint, Manifest } from '../../protocol/records.ts'
import { type Block, splitBytes } from '../../protocol/split.ts'
import type { CallSteps, Committed, Item, KeptRun } from '../calls.ts'
import { checkpointOf, isSameCheckpoint } from '../checkpoints.ts'
import { OwnWrites } from '../effects/own-writes.ts'
import { answerRead, type StateReads } from '../effects/state.ts'
import { GrantedRequests } from '../grants.ts'
import type { AnswerSink, Home } from '../home.ts'
import { Proven } from '../proven.ts'
import { sameBytes } from '../receipts.ts'
import type { Rehearsals } from '../rehearsals.ts'
import type { RunRequest } from '../runner.ts'
import { commitKnown } from '../state/commit.ts'
import type { Read, StateEngine, Transaction, Write } from '../state/engine.ts'
import { isAnswer } from './is-answer.ts'
import type { KeptCheckpoints } from './kept-checkpoints.ts'
import { JournalParts, type KeptJournal } from './kept-journal.ts'
import { codeName, INVOCATIONS, outcomeName, placeOf } from './names.ts'
import { piecesOf } from './pieces.ts'
import { readRecord, writeRecord } from './records.ts'

type Entries = JournalPart['entries']
type Ending = Pick<Transaction, 'id' | 'reads' | 'writes'>

export interface KeptRunOptions {
  id: string
  record: DurableRecord
  /** What it goes on with; undefined: it begins. */
  journal: KeptJournal | undefined
  checkpoints: KeptCheckpoints
  rehearsals: Rehearsals
  /** Another home has taken it over, or it was ended elsewhere; or what must be kept cannot be. */
  lost(cause: MeshError): void
}

const NOTHING: Committed = { steps: 0, requests: 0 }

export class StoredRun implements KeptRun {
  readonly #clock: Clock
  readonly #crypto: Ports['crypto']
  readonly #engine: StateEngine
  readonly #lost: (cause: MeshError) => void
  readonly #checkpoints: KeptCheckpoints
  readonly #rehearsals: Rehearsals
  readonly #begun = new WeakMap<Item, { attempt: number; from: { at: Checkpoint } | undefined }>()
  #executing: { item: Item; home: Home; sink: AnswerSink } | undefined
  readonly #place: string
  #record: DurableRecord
  #journal: JournalEntry[]
  readonly id: string
  delegation: Envelope | undefined
  readonly proven = new Proven()
  readonly #askedMs = new Map<number, number>()
  readonly #doubtful: Set<number>
  /** Requests whose answers need not be kept first: as of its step's revision they would be answered the same. */
  readonly #reads = new Set<number>()
  #parts: JournalParts
  #unkept: Entries = []
  /** Of answers: each is kept before the part that names it; of puts: before the checkpoint behind them. */
  #unkeptBlocks: Block[] = []
  /** Puts whose blocks are. */
  readonly #keptPuts = new Set<number>()
  /** The record is not kept as it is. */
  #isNew = false
  #keeping: Promise<void> | undefined
  /** Settles with the last answer that must be kept first. */
  #given = Promise.resolve(true)

  constructor(
    { clock, crypto }: Pick<Ports, 'clock' | 'crypto'>,
    engine: StateEngine,
    { id, record, journal, checkpoints, rehearsals, lost }: KeptRunOptions,
  ) {
    this.#clock = clock
    this.#crypto = crypto
    this.#engine = engine
    this.id = id
    this.#lost = lost
    this.#checkpoints = checkpoints
    this.#rehearsals = rehearsals
    this.#place = placeOf(crypto, record)
    this.#record = record
    const { entries, parts } = journal ?? { entries: [], parts: this.#noParts() }
    this.#parts = parts
    this.#journal = entries.map(({ entry }) => entry)
    this.proven.add(this.#journal, this.committed.requests)
    // Nothing is sent before its step is committed.
    this.#doubtful = new Set([...awaitedIn(this.#journal)].filter((n) => n < this.committed.requests))
    for (const { at_ms, entry } of entries) if (entry.entry === 'request') this.#noteRequest(entry, at_ms)
  }

  get committed(): Committed {
    return this.#record.committed ?? NOTHING
  }

  get journal(): readonly JournalEntry[] {
    return this.#journal
  }

  requested(effect: EffectRequest): void {
    const at_ms = this.#clock.now()
    this.#noteRequest(effect, at_ms)
    this.#add({ entry: 'request', ...effect }, at_ms)
  }

  keepBlocks(blocks: readonly Block[]): void {
    this.#unkeptBlocks.push(...blocks)
  }

  isDoubtful(n: number): boolean {
    return this.#doubtful.has(n)
  }

  intends(): Promise<boolean> {
    return this.#isKept()
  }

  /** In the order in which they are kept: whoever goes on with the journal is given them so. */
  answered(entry: Extract<JournalEntry, { entry: 'answer' }>): Promise<boolean> {
    this.#add(entry, this.#clock.now())
    if (!this.#reads.has(entry.n)) this.#given = this.#isKept()
    return this.#given
  }

  #isKept(): Promise<boolean> {
    return this.#keep().then(
      () => true,
      () => false,
    )
  }

  askedMs(n: number): number | undefined {
    return this.#askedMs.get(n)
  }

  begins(item: Item, attempt: number): { at: Checkpoint } | undefined {
    const before = this.#begun.get(item)
    if (before?.attempt === attempt) return before.from
    const found = this.#checkpoints.find(item.journal)
    const from = found && { at: found.checkpoint }
    this.#begun.set(item, { attempt, from })
    return from
  }

  attached(item: Item, home: Home, sink: AnswerSink): void {
    this.#executing = { item, home, sink }
  }

  async onRested(checkpoint: Checkpoint): Promise<void> {
    const executing = this.#executing
    if (!executing) return
    const { item, home, sink } = executing
    const own = async () => {
      const rehearsal = await this.#rehearsals.of(item, checkpoint.answers)
      return rehearsal.checkpointAt(item.journal, checkpoint.answers)
    }
    const isOwn = await this.#rested(checkpoint, item, own)
    if (isOwn || this.#executing !== executing) return
    home.startOver()
    sink.refuse(`its checkpoint after ${checkpoint.answers} answers is none that its function comes to`)
  }

  resuming(item: Item, journal: readonly JournalEntry[]): Pick<RunRequest, 'from' | 'onRest'> {
    return {
      // The head of a checkpoint is taken of large answers by their names, and the run has them whole.
      from: (begun) => (this.#checkpoints.find(begun) ?? this.#checkpoints.find(journal))?.bytes,
      onRest: (answers, bytes) => {
        if (item.kept !== this) return
        this.#rested(checkpointOf(this.#crypto, answers, bytes), item, async () => bytes)
      },
    }
  }

  /** False: the function does not come to it, as its own bytes there show. */
  async #rested(checkpoint: Checkpoint, item: Item, own: () => Promise<Uint8Array | undefined>): Promise<boolean> {
    const { answers } = checkpoint
    const { journal } = item
    const head = this.#checkpoints.headAt(journal, answers)
    const known = this.#checkpoints.isKnown(checkpoint, head)
    if (known !== undefined || this.#checkpoints.isPassed(checkpoint, journal)) return known !== false
    // What could not be found out is nobody's fault.
    const bytes = await own().catch(() => undefined)
    // The journal may have begun anew meanwhile.
    if (!bytes || !sameBytes(head, this.#checkpoints.headAt(journal, answers))) return true
    if (!isSameCheckpoint(checkpoint, checkpointOf(this.#crypto, answers, bytes))) return false
    this.proven.add(journal, journal.filter((one) => one.entry === 'request' && one.after <= answers).length)
    // Who goes on from there makes nothing of what was put before: without it, it is of no use.
    if (await this.#takePuts(item, answers)) await this.#keepCheckpoint(checkpoint, head, bytes)
    return true
  }

  /** False: not all that was put in blocks before so many answers is here. */
  async #takePuts({ journal, request }: Item, answers: number): Promise<boolean> {
    for (const one of journal) {
      if (one.entry === 'answer' || one.after > answers || one.n < this.committed.requests) continue
      const put = this.#keptPuts.has(one.n) ? undefined : largePutIn(one.kind, one.arguments)
      if (!put) continue
      const value = await request.steps?.putBytes(put).catch(() => undefined)
      if (!value) return false
      this.keepBlocks(splitBytes(this.#crypto, value, STATE_BLOCK_BYTES))
      this.#keptPuts.add(one.n)
    }
    return true
  }

  /** Behind its journal. One that cannot be kept is none. */
  #keepCheckpoint(checkpoint: Checkpoint, head: Uint8Array, bytes: Uint8Array): Promise<void> {
    const keep = async () => {
      const { kept, commits } = this.#checkpoints.writesFor(checkpoint, head, bytes)
      for (const [i, writes] of commits.entries())
        await this.#commit(`${this.id}/${this.#record.epoch}/checkpoint/${kept.number}/${i}`, writes)
      await this.#checkpoints.add(kept)
    }
    // Nothing is kept behind a part of the journal that was not.
    this.#keeping = this.#keep().then(() => keep().catch(() => {}))
    return this.#keeping.catch(() => {})
  }

  startOver(journal: readonly JournalEntry[] = []): void {
    const askedMs = new Map(this.#askedMs)
    this.#record = { ...this.#record, journal: this.#record.journal + 1 }
    this.#isNew = true
    this.#journal = []
    this.#unkept = []
    this.#parts = this.#noParts()
    this.#keptPuts.clear()
    this.#askedMs.clear()
    this.#reads.clear()
    for (const n of [...this.#doubtful]) if (!journal.some((entry) => entry.n === n)) this.#doubtful.delete(n)
    for (const entry of journal) {
      const at_ms = askedMs.get(entry.n) ?? this.#clock.now()
      if (entry.entry === 'request') this.#noteRequest(entry, at_ms)
      this.#add(entry, at_ms)
    }
  }

  /** Reads again what was read: a journal of which something has changed is of no use, since it would not be committed. */
  async stands(reads: StateReads, { env }: Manifest, steps: Pick<CallSteps, 'putBytes'>): Promise<boolean> {
    const { grants } = this.#record
    const from = this.committed.requests
    const granted = new GrantedRequests(env, grants)
    const own = new OwnWrites(this.#journal, { grants, steps })
    const answers = new Map<number, Answer>()
    for (const one of this.#journal) if (one.entry === 'answer') answers.set(one.n, one.answer)
    for (const one of this.#journal) {
      const answer = answers.get(one.n)
      if (one.entry === 'answer' || !answer || one.n < from) continue
      const { kind, n } = one
      if (kind !== 'get' && kind !== 'list') continue
      const now = await answerRead(own.over(reads, from, n), granted.admit(kind, one)).catch((cause: unknown) => cause)
      if (!isAnswer(this.#crypto, now, answer)) return false
    }
    return true
  }

  async stepping(requests: number): Promise<Ending> {
    await this.#keep()
    const record = { ...this.#record, committed: this.#after(requests) }
    return { id: `${this.id}/step/${record.committed.steps}`, reads: [this.#own], writes: [this.#recordOf(record)] }
  }

  stepped(requests: number): void {
    this.#record = { ...this.#record, committed: this.#after(requests) }
  }

  #after(requests: number): Committed {
    return { steps: this.committed.steps + 1, requests }
  }

  async ending(outcome: Uint8Array): Promise<Ending> {
    await this.#keep()
    const pieces = piecesOf(this.#place, outcomeName(this.id), outcome)
    const last = pieces.pop() as Write
    for (const [i, piece] of pieces.entries()) await this.#commit(`${this.id}/outcome/${i}`, [piece])
    const { result } = Outcome.decode(outcome)
    return this.#ending({ state: 'done', ...(!result.ok && { threw: true }) }, [last])
  }

  /** It ends without an outcome. */
  async fail(state: 'failed' | 'cancelled', cause?: MeshError): Promise<void> {
    const error = cause && { code: cause.code, message: cause.message.slice(0, 4096) }
    const { id, writes } = this.#ending({ state, ...(error && { error }) }, [])
    await this.#commit(id, writes)
  }

  #ending(changes: Partial<DurableRecord>, writes: Write[]): Ending {
    const record = { ...this.#record, ...changes, ended_ms: this.#clock.now() }
    const all = [...writes, ...this.#checkpoints.ends, this.#recordOf(record)]
    return { id: `${this.id}/end`, reads: [this.#own], writes: all }
  }

  get #own(): Read {
    return { namespace: INVOCATIONS, key: this.id }
  }

  #recordOf(record: DurableRecord): Write {
    return writeRecord(this.id, record)
  }

  #noteRequest({ n, kind }: EffectRequest, at_ms: number): void {
    this.#askedMs.set(n, at_ms)
    if (kind === 'get' || kind === 'list' || isDeferred(kind)) this.#reads.add(n)
  }

  #noParts(): JournalParts {
    return new JournalParts(this.#crypto, { place: this.#place, id: this.id }, this.#record.journal)
  }

  #add(entry: JournalEntry, at_ms: number): void {
    this.#journal.push(entry)
    this.#unkept.push({ at_ms, entry })
  }

  /** Resolves once all that has been added by now is kept: of many at a time in one commit. */
  #keep(): Promise<void> {
    const keep = async () => {
      if (this.#unkept.length === 0 && this.#unkeptBlocks.length === 0 && !this.#isNew) return
      const entries = this.#unkept
      this.#unkept = []
      const writes = this.#isNew ? [this.#recordOf(this.#record)] : []
      this.#isNew = false
      const { journal, epoch } = this.#record
      // A part has entries: whoever goes on numbers the next by those that there are.
      if (entries.length > 0) writes.push(...this.#parts.next(entries))
      const { count } = this.#parts
      for (const { cid, bytes } of this.#unkeptBlocks.splice(0))
        await this.#commit(`${this.id}/${cid}`, [
          { namespace: this.#place, key: `${codeName(this.id)}/${cid}`, put: bytes },
        ])
      if (writes.length > 0) await this.#commit(`${this.id}/${epoch}/${journal}/${count}`, writes)
    }
    const kept = (this.#keeping ?? Promise.resolve()).then(keep)
    this.#keeping = kept
    kept.catch((cause) => this.#lost(cause as MeshError))
    return kept
  }

  /** As long as the record is this run's: else another home goes on with it, or it has ended. */
  async #commit(id: string, writes: readonly Write[]): Promise<void> {
    for (;;) {
      const revision = await this.#engine.revision()
      await this.#ensureOwn(revision)
      const committed = await commitKnown(this.#clock, this.#engine, {
        id,
        revision,
        reads: [this.#own],
        ranges: [],
        writes,
      })
      if (committed.kind === 'committed') return
    }
  }

  async #ensureOwn(revision: number): Promise<void> {
    const [entry] = await this.#engine.read(INVOCATIONS, [this.id], revision)
    const record = entry?.value && readRecord(this.id, entry.value)
    if (record?.state === 'running' && record.epoch === this.#record.epoch) return
    throw new MeshError(
      'E_CANCELLED',
      `invocation ${this.id} is ${record?.state ?? 'forgotten'}, or run by another home`,
    )
  }
}
