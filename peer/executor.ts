/** The executor: performs what others ask, as far as its owner allows, and signs for it. */
import { type CID, rawCid, recordCid } from '../protocol/cid.ts'
import { batchOf, type Envelope, openBatch, signBatch } from '../protocol/envelope.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { BATCH_ITEMS_MAX, MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { Invocation, type TaskTemplate, taskIdOf } from '../protocol/records.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { QUEUE_BYTES_MAX } from './admission.ts'
import { type Batcher, companyDelayMs, createBatcher } from './batcher.ts'
import type { Neighbour } from './neighbours.ts'
import { receiptBytes } from './receipts.ts'
import type { LoadedFunction, Runner } from './runner.ts'
import { AROUND_BYTES, entryBytes, journalBytes } from './sizes.ts'

/** Signing once for all that ends within it costs 5 % of a core at worst, and nobody waits noticeably longer. */
const RECEIPT_DELAY_MS = 5
/** Where company is sure; still far within the 100 ms in which receipts follow (DESIGN.md, "How a call goes", 6). */
const RECEIPT_DELAY_BUSY_MS = 20
const ANSWER_BYTES_MAX = 256 * 1024

/** One item accepted and not yet answered. */
export interface WorkItem {
  readonly id: number
  readonly neighbour: Neighbour
  readonly invocation: CID
  readonly record: Invocation
  readonly task: CID
  readonly template: TaskTemplate
  readonly attempt: number
  readonly epoch: number
  readonly input: Uint8Array
  readonly journal: JournalEntry[]
  readonly acceptedMs: number
  /** What input and journal hold. */
  bytes: number
  /** Requests made and not answered. */
  readonly awaited: Set<number>
  run: SandboxRun | undefined
  ended: boolean
}

const heldBytes = ({ input, journal }: Pick<WorkItem, 'input' | 'journal'>): number =>
  AROUND_BYTES + input.length + journalBytes(journal)

const awaitedIn = (journal: readonly JournalEntry[]): Set<number> => {
  const awaited = new Set<number>()
  for (const { entry, n } of journal) if (entry === 'request') awaited.add(n)
  for (const { entry, n } of journal) if (entry === 'answer') awaited.delete(n)
  return awaited
}

interface Finished {
  id: number
  outcome: Uint8Array
  receipt: Uint8Array
}

/** What waits to be sent to one invoker. */
interface Outbox {
  answers: Batcher<Finished>
  receipts: Batcher<Finished>
}

export interface Admission {
  /** The reason for a no, or undefined. */
  decide(neighbour: Neighbour, template: TaskTemplate, items: number, bytes: number): ErrorCode | undefined
  /** What to tell the invoker with it. */
  explain(code: ErrorCode): string
  /** Neighbours that may have room. */
  better(invoker: string): string[]
}

export interface ExecutorEvents {
  /** Something was accepted or has ended. */
  changed(): void
  answered(item: WorkItem, outcome: Outcome): void
  refused(neighbour: Neighbour, code: ErrorCode, message: string): void
}

type ExecutorPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'log' | 'network'>

export class Executor {
  readonly #ports: ExecutorPorts
  readonly #mesh: CID
  readonly #runner: Runner
  readonly #admission: Admission
  readonly #events: ExecutorEvents
  /** By invoker, then by item id. */
  readonly #work = new Map<Neighbour, Map<number, WorkItem>>()
  readonly #outboxes = new Map<Neighbour, Outbox>()
  #queuedBytes = 0
  #count = 0

  constructor(ports: ExecutorPorts, mesh: CID, runner: Runner, admission: Admission, events: ExecutorEvents) {
    this.#ports = ports
    this.#mesh = mesh
    this.#runner = runner
    this.#admission = admission
    this.#events = events
  }

  /** Items under way, and the bytes of their inputs and journals. */
  get count(): number {
    return this.#count
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  *items(): Iterable<WorkItem> {
    for (const items of this.#work.values()) yield* items.values()
  }

  /** Admit, check, accept, then load and run: the request path in reading order. */
  async onInvoke(neighbour: Neighbour, frame: FrameOf<'invoke'>): Promise<void> {
    const ids = frame.items.map((item) => item.id)
    const bytes = frame.items.reduce((sum, item) => sum + heldBytes(item), 0)
    const no = this.#admission.decide(neighbour, frame.task, ids.length, bytes)
    if (no) return this.#refuse(neighbour, ids, no)
    const items = await this.#open(neighbour, frame)
    // While the signature was checked the invoker may have left, others filled the queue, the owner stopped.
    if (!neighbour.link.isOpen) return
    const late = this.#admission.decide(neighbour, frame.task, ids.length, bytes)
    if (late) return this.#refuse(neighbour, ids, late)
    this.#accept(neighbour, items)
    neighbour.link.send({ t: 'accepted', ids })
    this.#loadAndStart(neighbour, frame, items)
  }

  onCancel(neighbour: Neighbour, frame: FrameOf<'cancel'>): void {
    for (const id of frame.ids) {
      const item = this.#work.get(neighbour)?.get(id)
      if (!item) continue
      this.#end(item)
      item.run?.kill('cancelled')
      this.#ports.log.event('task.cancelled', { task: item.task.toString(), peer: neighbour.peer })
    }
  }

  onAnswer(neighbour: Neighbour, frame: FrameOf<'answer'>): void {
    const item = this.#work.get(neighbour)?.get(frame.id)
    if (!item) return
    if (!item.awaited.delete(frame.n)) {
      throw new MeshError('E_MESSAGE', `an answer to request ${frame.n} of item ${frame.id}, which awaits none`)
    }
    if (!this.#record(item, { entry: 'answer', n: frame.n, answer: frame.answer })) return
    // Before it runs, the journal that it begins with is enough.
    item.run?.answer(frame.n, frame.answer)
  }

  /** The invoker is gone: its work is of no use. */
  onLeft(neighbour: Neighbour): void {
    for (const item of [...(this.#work.get(neighbour)?.values() ?? [])]) {
      this.#end(item)
      item.run?.kill('its invoker left')
    }
    this.#outboxes.delete(neighbour)
  }

  /** Tells every invoker how its items stand; called every 500 ms by the peer, never by a guest. */
  reportProgress(): void {
    for (const [neighbour, items] of this.#work) {
      const reports = [...items.values()].map(({ id, run }) => {
        const state = run?.state() ?? 'queued'
        const known = state === 'done' ? 'running' : state
        return { id, state: known, fuel: run?.fuel() ?? 0, alive: run?.alive() ?? true } as const
      })
      for (let i = 0; i < reports.length; i += BATCH_ITEMS_MAX) {
        neighbour.link.send({ t: 'progress', items: reports.slice(i, i + BATCH_ITEMS_MAX) })
      }
    }
  }

  /** Gives everything under way back to its invokers, and sends what has been answered. */
  handBack(code: ErrorCode): void {
    for (const items of [...this.#work.values()]) this.#fail([...items.values()], code, this.#admission.explain(code))
    for (const outbox of this.#outboxes.values()) {
      outbox.answers.flush()
      outbox.receipts.flush()
    }
  }

  #refuse(neighbour: Neighbour, ids: number[], code: ErrorCode): void {
    const message = this.#admission.explain(code)
    neighbour.link.send({ t: 'refused', ids, code, message, better: this.#admission.better(neighbour.peer) })
    this.#events.refused(neighbour, code, message)
    this.#ports.log.event('task.refused', { peer: neighbour.peer, code, count: ids.length })
  }

  async #open(neighbour: Neighbour, frame: FrameOf<'invoke'>): Promise<WorkItem[]> {
    if (frame.items.length !== frame.signed.payloads.length) {
      throw new MeshError('E_MESSAGE', `${frame.items.length} items but ${frame.signed.payloads.length} invocations`)
    }
    const envelopes = await openBatch(this.#ports.crypto, neighbour.peer, 'invocation', frame.signed)
    return frame.items.map((item, i) => this.#openItem(neighbour, frame.task, item, envelopes[i] as Envelope))
  }

  #openItem(
    neighbour: Neighbour,
    template: TaskTemplate,
    item: FrameOf<'invoke'>['items'][number],
    envelope: Envelope,
  ): WorkItem {
    const { crypto, clock } = this.#ports
    const record = Invocation.decode(envelope.payload)
    const task = taskIdOf(crypto, { v: 1, ...template, input: rawCid(crypto, item.input) })
    if (!record.mesh.equals(this.#mesh)) throw new MeshError('E_MESH_MISMATCH', 'an invocation of another mesh')
    if (!record.task.equals(task)) throw new MeshError('E_MESSAGE', 'an invocation that does not name its task')
    if (record.invoker !== neighbour.peer) throw new MeshError('E_MESSAGE', 'an invocation of another invoker')
    if (record.home !== neighbour.peer) throw new MeshError('E_MESSAGE', 'an invocation with another home')
    return {
      ...item,
      neighbour,
      invocation: recordCid(crypto, envelope.payload),
      record,
      task,
      template,
      acceptedMs: clock.monotonic(),
      bytes: heldBytes(item),
      awaited: awaitedIn(item.journal),
      run: undefined,
      ended: false,
    }
  }

  #accept(neighbour: Neighbour, items: readonly WorkItem[]): void {
    const mine = this.#work.get(neighbour) ?? new Map<number, WorkItem>()
    this.#work.set(neighbour, mine)
    for (const item of items) {
      if (mine.has(item.id)) throw new MeshError('E_MESSAGE', `item ${item.id} is already under way`)
      mine.set(item.id, item)
      this.#queuedBytes += item.bytes
      this.#count++
    }
    this.#events.changed()
  }

  #loadAndStart(neighbour: Neighbour, frame: FrameOf<'invoke'>, items: readonly WorkItem[]): void {
    const sources = [neighbour.peer, ...this.#admission.better(neighbour.peer)]
    this.#runner
      .load(frame.task.function, sources)
      .then((loaded) => {
        for (const item of items) this.#start(item, loaded, frame.timeout_ms)
      })
      .catch((cause) => this.#failed(items, cause))
  }

  #start(item: WorkItem, loaded: LoadedFunction, timeoutMs: number): void {
    if (item.ended) return
    item.run = this.#runner.run({
      loaded,
      template: item.template,
      task: item.task,
      input: item.input,
      journal: [...item.journal],
      timeoutMs,
      onRequest: (effect) => this.#request(item, effect),
    })
    item.run.result.then((result) => this.#finish(item, result)).catch((cause) => this.#failed([item], cause))
  }

  #request(item: WorkItem, effect: EffectRequest): void {
    if (item.ended || !this.#record(item, { entry: 'request', ...effect })) return
    item.awaited.add(effect.n)
    item.neighbour.link.send({ t: 'request', id: item.id, ...effect })
  }

  /** False: there is no room for the entry, and the item was given up. */
  #record(item: WorkItem, entry: JournalEntry): boolean {
    item.journal.push(entry)
    item.bytes += entryBytes(entry)
    this.#queuedBytes += entryBytes(entry)
    if (this.#queuedBytes <= QUEUE_BYTES_MAX) return true
    this.#fail([item], 'E_BUSY', this.#admission.explain('E_BUSY'))
    return false
  }

  #failed(items: readonly WorkItem[], cause: unknown): void {
    if (cause instanceof MeshError) return this.#fail(items, cause.code, cause.message)
    this.#ports.log.event('internal.error', { task: items[0]?.task.toString(), reason: String((cause as Error).stack) })
    this.#fail(items, 'E_INTERNAL', 'the executor failed')
  }

  #finish(item: WorkItem, result: SandboxResult): void {
    if (item.ended) return
    if (result.kind === 'outcome') return this.#answer(item, result.outcome)
    if (result.kind === 'inconclusive') return this.#fail([item], 'E_INCONCLUSIVE', result.reason)
    const message = `request ${result.n}: the journal has ${result.expected}, the function made ${result.found}`
    this.#fail([item], 'E_REPLAY_DIVERGED', message)
  }

  #answer(item: WorkItem, outcomeBytes: Uint8Array): void {
    const outcome = Outcome.decode(outcomeBytes)
    const receipt = receiptBytes(this.#ports.crypto, {
      ...item,
      mesh: this.#mesh,
      inputBytes: item.input.length,
      executor: this.#ports.network.peerId,
      home: item.record.home,
      outcomeBytes,
      outcome,
    })
    const outbox = this.#outboxOf(item.neighbour)
    const finished = { id: item.id, outcome: outcomeBytes, receipt }
    outbox.answers.add(finished, outcomeBytes.length + 64)
    outbox.receipts.add(finished, receipt.length)
    this.#events.answered(item, outcome)
    this.#ports.log.event('task.answered', {
      task: item.task.toString(),
      peer: item.neighbour.peer,
      function: item.template.function.toString(),
      duration_ms: Math.round(this.#ports.clock.monotonic() - item.acceptedMs),
      fuel: outcome.fuel,
    })
    this.#end(item)
  }

  #outboxOf(neighbour: Neighbour): Outbox {
    const known = this.#outboxes.get(neighbour)
    if (known) return known
    const bounds = { itemsMax: BATCH_ITEMS_MAX, bytesMax: ANSWER_BYTES_MAX }
    const outbox: Outbox = {
      answers: createBatcher(this.#ports.clock, {
        ...bounds,
        delayMs: () => companyDelayMs(this.#count),
        flush: (all) => neighbour.link.send({ t: 'answers', items: all.map(({ id, outcome }) => ({ id, outcome })) }),
      }),
      receipts: createBatcher(this.#ports.clock, {
        ...bounds,
        delayMs: () => (companyDelayMs(this.#count) > 0 ? RECEIPT_DELAY_BUSY_MS : RECEIPT_DELAY_MS),
        flush: (all) => {
          outbox.answers.flush()
          this.#sendReceipts(neighbour, all).catch((cause) => {
            this.#ports.log.event('internal.error', { peer: neighbour.peer, reason: String(cause) })
          })
        },
      }),
    }
    this.#outboxes.set(neighbour, outbox)
    return outbox
  }

  async #sendReceipts(neighbour: Neighbour, finished: readonly Finished[]): Promise<void> {
    const { crypto, signer, network } = this.#ports
    const payloads = finished.map((one) => one.receipt)
    const envelopes = await signBatch(crypto, signer, network.peerId, 'receipt', payloads)
    neighbour.link.send({ t: 'receipts', ids: finished.map((one) => one.id), signed: batchOf(envelopes) })
  }

  #fail(items: readonly WorkItem[], code: ErrorCode, message: string): void {
    const open = items.filter((item) => !item.ended)
    const [first] = open
    if (!first) return
    for (const item of open) {
      this.#end(item)
      item.run?.kill(message)
      this.#ports.log.event('task.failed', {
        task: item.task.toString(),
        peer: item.neighbour.peer,
        code,
        reason: message,
      })
    }
    const said = { t: 'failed', code, message: message.slice(0, MESSAGE_CHARS_MAX) } as const
    for (let i = 0; i < open.length; i += BATCH_ITEMS_MAX) {
      first.neighbour.link.send({ ...said, ids: open.slice(i, i + BATCH_ITEMS_MAX).map(({ id }) => id) })
    }
  }

  #end(item: WorkItem): void {
    if (item.ended) return
    item.ended = true
    this.#queuedBytes -= item.bytes
    this.#count--
    const mine = this.#work.get(item.neighbour)
    mine?.delete(item.id)
    if (mine?.size === 0) this.#work.delete(item.neighbour)
    this.#events.changed()
  }
}
