/** The executor: performs what others ask, as far as its owner allows, and signs for it. */
import type { CID } from '../protocol/cid.ts'
import type { Delegation } from '../protocol/delegation.ts'
import { isDeferred } from '../protocol/effects.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { BATCH_ITEMS_MAX, MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import type { SandboxResult } from '../sandbox/pool.ts'
import { QUEUE_BYTES_MAX } from './admission.ts'
import { AnswerNotes } from './answer-notes.ts'
import type { Acting, Admission, ExecutorEvents, No } from './executor-parts.ts'
import { endsGuessing, placeOfGuess } from './guesses.ts'
import { Holdings } from './holdings.ts'
import { JournalHeads, type SignedHead } from './journal-heads.ts'
import type { Neighbour } from './neighbours.ts'
import { Outbox } from './outbox.ts'
import type { Resuming } from './resuming.ts'
import type { LoadedFunction, Runner } from './runner.ts'
import { entryBytes } from './sizes.ts'
import { type FrameSignature, heldBytes, openItem, progressOf, verifyItems, type WorkItem } from './work.ts'

type InvokeFrame = FrameOf<'invoke'> | FrameOf<'tied'>

type Ended = Extract<SandboxResult, { kind: 'outcome' }>

type ExecutorPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'log' | 'network'>

export class Executor {
  readonly #ports: ExecutorPorts
  readonly #mesh: CID
  readonly #runner: Runner
  readonly #admission: Admission
  readonly #events: ExecutorEvents
  readonly #resuming: Resuming | undefined
  /** By invoker, then by item id. */
  readonly #work = new Map<Neighbour, Map<number, WorkItem>>()
  readonly #outboxes = new Map<Neighbour, Outbox>()
  readonly #heads = new JournalHeads()
  readonly #holdings = new Holdings()
  readonly #notes: AnswerNotes
  #count = 0
  #held = 0

  constructor(
    ports: ExecutorPorts,
    mesh: CID,
    runner: Runner,
    admission: Admission,
    resuming: Resuming | undefined,
    events: ExecutorEvents,
  ) {
    this.#ports = ports
    this.#mesh = mesh
    this.#runner = runner
    this.#admission = admission
    this.#events = events
    this.#notes = new AnswerNotes(ports, events)
    this.#resuming = resuming
  }

  /** Items under way, and the bytes of their inputs and journals. */
  get count(): number {
    return this.#count
  }

  get queuedBytes(): number {
    return this.#holdings.bytes
  }

  /** Of these, how many are held back, since another executor is to have them first. */
  get held(): number {
    return this.#held
  }

  /** What one party has under way. */
  heldBy(party: string): { readonly items: number; readonly bytes: number } {
    return this.#holdings.of(party)
  }

  isBusyFor(neighbour: Neighbour): boolean {
    return this.#work.has(neighbour)
  }

  *items(): Iterable<WorkItem> {
    for (const items of this.#work.values()) yield* items.values()
  }

  /** Admit, accept, run, check: the request path in reading order. */
  async onInvoke(neighbour: Neighbour, frame: InvokeFrame): Promise<void> {
    const ids = frame.items.map((item) => item.id)
    const bytes = frame.items.reduce((sum, item) => sum + heldBytes(item), 0)
    const acting: Acting = frame.delegation
      ? await this.#admission.acting(neighbour, frame.delegation, frame.task)
      : { asking: neighbour, party: neighbour.peer }
    // It may have left while the delegation was checked.
    if (!neighbour.link.isOpen) return
    const { party } = acting
    const no = acting.no ?? this.#admission.decide(acting, frame.task, ids.length, bytes)
    if (no) return this.#refuse(neighbour, party, ids, no)
    const signature: FrameSignature = { isVerified: false, verified: Promise.resolve() }
    const items = this.#open(neighbour, party, frame, signature)
    this.#accept(neighbour, items)
    this.#start(neighbour, frame, items, acting.delegation)
    signature.verified = this.#verify(neighbour, frame, items, signature)
    await signature.verified.catch((cause) => {
      for (const item of items) this.#drop(item, 'its invocation was not signed, or is of another task')
      throw cause
    })
  }

  onCancel(neighbour: Neighbour, frame: FrameOf<'cancel'>): void {
    for (const id of frame.ids) {
      const item = this.#work.get(neighbour)?.get(id)
      if (!item) continue
      this.#cancel(item, 'cancelled')
      this.#ports.log.event('task.cancelled', { task: item.task, peer: neighbour.peer })
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

  /** The home has signed what it answered. Two heads that differ are a proof against it. */
  onHeads(neighbour: Neighbour, frame: FrameOf<'heads'>): Promise<void> | undefined {
    return this.#outboxes.get(neighbour)?.onHeads(frame)
  }

  /** The invoker is gone: its work is of no use. */
  onLeft(neighbour: Neighbour): void {
    for (const item of [...(this.#work.get(neighbour)?.values() ?? [])]) this.#cancel(item, 'its invoker left')
    this.#outboxes.delete(neighbour)
  }

  /** Tells every invoker how its items stand; called every 500 ms by the peer, never by a guest. */
  reportProgress(): void {
    for (const [neighbour, items] of this.#work) {
      const reports = [...items.values()].map(progressOf)
      for (let i = 0; i < reports.length; i += BATCH_ITEMS_MAX) {
        neighbour.link.send({ t: 'progress', items: reports.slice(i, i + BATCH_ITEMS_MAX) })
      }
    }
  }

  /** Gives everything under way back to its invokers, and sends what has been answered. */
  handBack(code: ErrorCode): void {
    for (const items of [...this.#work.values()]) this.#fail([...items.values()], code, this.#admission.explain(code))
    for (const outbox of this.#outboxes.values()) outbox.flush()
  }

  #refuse(neighbour: Neighbour, party: string, ids: number[], { code, message }: No): void {
    neighbour.link.send({ t: 'refused', ids, code, message, better: this.#admission.better(neighbour.peer) })
    this.#events.refused(party, code, message)
    this.#ports.log.event('task.refused', { peer: party, code, count: ids.length })
  }

  #open(neighbour: Neighbour, party: string, frame: InvokeFrame, signature: FrameSignature): WorkItem[] {
    const { payloads } = frame.signed
    if (frame.items.length !== payloads.length) {
      throw new MeshError('E_MESSAGE', `${frame.items.length} items but ${payloads.length} invocations`)
    }
    const holds = frame.t === 'tied' ? frame.holds : undefined
    if (holds && frame.items.length !== holds.length) {
      throw new MeshError('E_MESSAGE', `${frame.items.length} items but ${holds.length} holds`)
    }
    const { clock } = this.#ports
    const work = { neighbour, party, mesh: this.#mesh, template: frame.task, signature, acceptedMs: clock.monotonic() }
    return frame.items.map((item, i) => openItem(work, item, payloads[i] as Uint8Array, holds?.[i]))
  }

  #accept(neighbour: Neighbour, items: readonly WorkItem[]): void {
    const mine = this.#work.get(neighbour) ?? new Map<number, WorkItem>()
    this.#work.set(neighbour, mine)
    for (const item of items) {
      if (mine.has(item.id)) throw new MeshError('E_MESSAGE', `item ${item.id} is already under way`)
      mine.set(item.id, item)
      this.#holdings.add(item.party, 1, item.bytes)
      this.#count++
      if (item.holdMs) this.#holdBack(item)
    }
  }

  /** While the sandbox works: what was started is sent to it before anything else keeps the thread. */
  async #verify(
    neighbour: Neighbour,
    { signed }: InvokeFrame,
    items: readonly WorkItem[],
    signature: FrameSignature,
  ): Promise<void> {
    await undefined
    const verified = verifyItems(this.#ports.crypto, signed, items, signature)
    if (neighbour.link.isOpen) this.#outboxOf(neighbour).accept(items)
    this.#events.changed()
    return verified
  }

  /** What is held back is loaded at once all the same. */
  #start(neighbour: Neighbour, frame: InvokeFrame, items: readonly WorkItem[], delegation?: Delegation): void {
    const run = (loaded: LoadedFunction) => {
      const no = this.#admission.suits(frame.task, loaded.manifest, delegation)
      if (no) return this.#fail(items, no.code, no.message)
      for (const item of items) {
        const begin = () => this.#runInTime(item, loaded, frame.timeout_ms)
        if (!this.#resuming?.begins(item, begin)) begin()
      }
    }
    const known = this.#runner.known(frame.task.function)
    if (known) return run(known)
    const sources = [neighbour.peer, ...this.#admission.better(neighbour.peer)]
    this.#runner
      .load(frame.task.function, sources)
      .then(run)
      .catch((cause) => this.#failed(items, cause))
  }

  #runInTime(item: WorkItem, loaded: LoadedFunction, timeoutMs: number): void {
    const { release } = item
    if (!release) return this.#run(item, loaded, timeoutMs)
    const { clock } = this.#ports
    const start = () => {
      item.release?.()
      this.#run(item, loaded, timeoutMs)
      this.#events.changed()
    }
    const leftMs = item.acceptedMs + (item.holdMs ?? 0) - clock.monotonic()
    if (leftMs <= 0) return start()
    const cancel = clock.after(leftMs, start)
    item.release = () => {
      cancel()
      release()
    }
  }

  /** From when it comes: nobody is told of it as of a load. */
  #holdBack(item: WorkItem): void {
    this.#held++
    item.release = () => {
      item.release = undefined
      this.#held--
    }
  }

  #run(item: WorkItem, loaded: LoadedFunction, timeoutMs: number): void {
    if (item.ended) return
    item.run = this.#runner.run({
      loaded,
      party: item.party,
      weight: this.#admission.weight(item),
      template: item.template,
      task: item.task,
      input: item.input,
      journal: [...item.journal],
      sources: [item.neighbour.peer],
      timeoutMs,
      traceTicks: item.invocation.trace_ticks,
      ...this.#resuming?.of(item),
      onStart: item.holdMs === undefined ? undefined : () => this.#outboxOf(item.neighbour).started(item),
      onRequest: (effect) => this.#request(item, effect),
    })
    item.run.result.then((result) => this.#finish(item, result)).catch((cause) => this.#failed([item], cause))
  }

  #request(item: WorkItem, effect: EffectRequest): void {
    if (item.ended || !this.#record(item, { entry: 'request', ...effect })) return
    if (this.#answersItself(item, effect)) return
    if (!isDeferred(effect.kind)) item.awaited.add(effect.n)
    item.neighbour.link.send({ t: 'request', id: item.id, ...effect })
  }

  /** From what came with the item. While its home answers something else, nobody here knows which answer is the first. */
  #answersItself(item: WorkItem, effect: EffectRequest): boolean {
    const { guesses, neighbour, id } = item
    if (endsGuessing(effect.kind)) guesses.length = 0
    const guess = item.awaited.size > 0 ? -1 : placeOfGuess(guesses, effect)
    const value = guesses[guess]?.value
    if (!value) return false
    guesses[guess] = undefined
    const { n, after } = effect
    neighbour.link.send({ t: 'guessed', id, n, after, guess })
    const answer: Answer = { ok: true, value }
    if (this.#record(item, { entry: 'answer', n, answer })) item.run?.answer(n, answer)
    return true
  }

  /** False: there is no room for the entry, and the item was given up. */
  #record(item: WorkItem, entry: JournalEntry): boolean {
    item.journal.push(entry)
    item.bytes += entryBytes(entry)
    this.#holdings.add(item.party, 0, entryBytes(entry))
    if (this.#holdings.bytes <= QUEUE_BYTES_MAX) return true
    this.#fail([item], 'E_BUSY', this.#admission.explain('E_BUSY'))
    return false
  }

  #failed(items: readonly WorkItem[], cause: unknown): void {
    if (cause instanceof MeshError) return this.#fail(items, cause.code, cause.message)
    this.#ports.log.event('internal.error', {
      ...(items[0] && { task: items[0].task }),
      reason: String((cause as Error).stack),
    })
    this.#fail(items, 'E_INTERNAL', 'the executor failed')
  }

  #finish(item: WorkItem, result: SandboxResult): void {
    if (item.ended) return
    const { isVerified, verified } = item.signature
    if (!isVerified) {
      verified.then(
        () => this.#finish(item, result),
        () => {},
      )
      return
    }
    if (result.kind === 'outcome') return this.#answer(item, result)
    if (result.kind === 'inconclusive') return this.#fail([item], 'E_INCONCLUSIVE', result.reason)
    const message = `request ${result.n}: the journal has ${result.expected}, the function made ${result.found}`
    this.#fail([item], 'E_REPLAY_DIVERGED', message)
  }

  /** What there is to note of it is noted once it is on its way. */
  #answer(item: WorkItem, { outcome: outcomeBytes, decoded: outcome, trace }: Ended): void {
    this.#release(item)
    const finished = { item, outcomeBytes, outcome, trace }
    this.#outboxOf(item.neighbour).answer(finished)
    // If that is news by now, it goes in one message with the answer.
    this.#events.changed()
    this.#notes.add(finished)
  }

  #outboxOf(neighbour: Neighbour): Outbox {
    let outbox = this.#outboxes.get(neighbour)
    if (!outbox) {
      const noted = (head: SignedHead) => {
        const two = this.#heads.add(head)
        if (two) this.#events.twoHeads(two)
      }
      outbox = new Outbox(this.#ports, this.#mesh, neighbour, () => this.#count, noted)
      this.#outboxes.set(neighbour, outbox)
    }
    return outbox
  }

  #fail(items: readonly WorkItem[], code: ErrorCode, message: string): void {
    const open = items.filter((item) => !item.ended)
    const [first] = open
    if (!first) return
    for (const item of open) {
      this.#drop(item, message)
      this.#ports.log.event('task.failed', {
        task: item.task,
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

  #cancel(item: WorkItem, reason: string): void {
    if (item.run && item.run.state() !== 'queued') this.#events.cancelled(item)
    this.#drop(item, reason)
  }

  #drop(item: WorkItem, reason: string): void {
    if (!item.ended) this.#events.dropped(item)
    this.#end(item)
    item.run?.kill(reason)
  }

  #end(item: WorkItem): void {
    if (item.ended) return
    this.#release(item)
    this.#events.changed()
  }

  /** Neither it nor its place is held any more. */
  #release(item: WorkItem): void {
    item.ended = true
    item.release?.()
    item.neighbour.workedMs = this.#ports.clock.monotonic()
    this.#holdings.add(item.party, -1, -item.bytes)
    this.#count--
    const mine = this.#work.get(item.neighbour)
    mine?.delete(item.id)
    if (mine?.size === 0) this.#work.delete(item.neighbour)
  }
}
