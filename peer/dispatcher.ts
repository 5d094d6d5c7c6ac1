/** Sends items to executors, many in one signed frame, and hears what becomes of each. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { batchOf, type Envelope, signBatch } from '../protocol/envelope.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { Feature, FrameOf, PeerFrame } from '../protocol/frames.ts'
import { type Answer, type EffectRequest, type Guess, orderJournal } from '../protocol/journal.ts'
import { BATCH_ITEMS_MAX, FRAME_BYTES_MAX, KIB, TIMEOUT_MS_MAX } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { type Batcher, companyDelayMs, createBatcher } from './batcher.ts'
import type { Item } from './calls.ts'
import { type Neighbour, working } from './neighbours.ts'
import { type OwedReceipt, OwedReceipts, type Received } from './owed-receipts.ts'
import type { Execution } from './receipts.ts'
import { AROUND_BYTES, guessBytes, journalBytes } from './sizes.ts'

/** Frames stay short, so that answers and progress pass between them. */
const INVOKE_BYTES_MAX = 256 * KIB
/** One item in a frame of its own, with what the frame says once for all. */
const ITEM_BYTES_MAX = FRAME_BYTES_MAX - 16 * KIB

export type AttemptResult =
  | {
      kind: 'answered'
      outcome: Outcome
      outcomeBytes: Uint8Array
      outcomeCid: CID
      invocation: Envelope
      receipt: OwedReceipt
    }
  | { kind: 'refused'; code: ErrorCode; message: string; better: readonly string[] }
  | { kind: 'failed'; code: ErrorCode; message: string }

/** How an item is sent: which attempt it is, and who hears of what it comes to. */
export interface Sending {
  readonly attempt: number
  readonly epoch: number
  /** From sent to answered, as is to be expected, ms. */
  readonly predictedMs: number
  /** What was sent there before keeps all slots busy for so many ms, at the least. */
  readonly queueMs: number
  /** Others may have copies: ms for which it must not start. Undefined: it is not tied. */
  readonly holdMs: number | undefined
  /** Called once, when one that is tied is heard to have started. */
  readonly onStarted: (() => void) | undefined
  /** Undefined: the function may request nothing. */
  readonly onRequest: ((effect: EffectRequest) => void) | undefined
  /** The same of a read that was answered from the guess in this place. */
  readonly onGuessed: ((n: number, after: number, place: number) => void) | undefined
  /** Reads that travel with it. */
  readonly guesses: readonly Guess[]
  /** Nothing that was requested is being done. Undefined as `onRequest`. */
  readonly owesNothing: (() => boolean) | undefined
}

/** One item at one executor. */
export interface Attempt extends Sending {
  readonly id: number
  readonly item: Item
  readonly neighbour: Neighbour
  readonly sentMs: number
  /** Monotonic instant of the last word about it. */
  heardMs: number
  /** How often on end it has said that it waits for an answer, and there was none to come. */
  inVain: number
  /** It said last that it waits for an answer, which this home is to give. */
  waits: boolean
  /** Monotonic instant at which it was heard to have started, if it came tied. */
  startedMs: number | undefined
  /** As last reported. */
  fuel: number
  readonly result: Promise<AttemptResult>
}

interface Pending extends Attempt {
  /** As signed; undefined until it is sent. */
  invocation: Envelope | undefined
  settle(result: AttemptResult): void
}

/** What would wait there can as well wait here for company: so much of that time, that the queue there never runs out. */
const QUEUE_SHARE = 0.25

/** What an item adds to an invoke frame. */
const wireBytes = ({ request, invocationBytes, journal }: Item, guesses: readonly Guess[]): number =>
  request.input.length + invocationBytes.length + journalBytes(journal) + guessBytes(guesses) + AROUND_BYTES

/** Whether its caller cancelled, or its time is up, only this side knows. */
const told = (code: ErrorCode): ErrorCode => (code === 'E_CANCELLED' || code === 'E_TIMEOUT' ? 'E_INCONCLUSIVE' : code)

/** Of those that are sent together for one caller, the first's says enough: they are for one function, with equal limits. */
const actingFor = ({ request }: Item): Envelope | undefined => request.durable?.delegation

type DispatcherPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'log' | 'network'>

export class Dispatcher {
  readonly #ports: DispatcherPorts
  readonly #mesh: CID
  readonly #pending = new Map<number, Pending>()
  readonly #receipts: OwedReceipts
  /** By neighbour, then by what the items share. */
  readonly #outboxes = new Map<Neighbour, Map<string, Batcher<Pending>>>()
  #nextId = 1

  constructor(ports: DispatcherPorts, mesh: CID, received: Received) {
    this.#ports = ports
    this.#mesh = mesh
    this.#receipts = new OwedReceipts(ports, received)
  }

  /** Attempts under way. */
  attempts(): Iterable<Attempt> {
    return this.#pending.values()
  }

  send(neighbour: Neighbour, item: Item, sending: Sending): Attempt {
    let settle: (result: AttemptResult) => void = () => {}
    const result = new Promise<AttemptResult>((resolve) => {
      settle = resolve
    })
    const nowMs = this.#ports.clock.monotonic()
    const pending: Pending = {
      id: this.#nextId++,
      item,
      neighbour,
      ...sending,
      sentMs: nowMs,
      heardMs: nowMs,
      inVain: 0,
      waits: false,
      startedMs: undefined,
      fuel: 0,
      invocation: undefined,
      result,
      settle,
    }
    this.#pending.set(pending.id, pending)
    neighbour.inFlight++
    neighbour.inFlightBytes += item.request.input.length
    const bytes = wireBytes(item, sending.guesses)
    if (bytes <= ITEM_BYTES_MAX) this.#outboxOf(pending).add(pending, bytes)
    else {
      const message = `input and journal come to ${bytes} bytes; at most ${ITEM_BYTES_MAX} can be sent to an executor`
      this.#settle(pending.id, { kind: 'failed', code: 'E_MESSAGE_LIMIT', message })
    }
    return pending
  }

  /** Passes an answer on. Until the item is sent there is no need: the answer is in the journal that goes with it. */
  answer(attempt: Attempt, n: number, answer: Answer): void {
    if (!this.#pending.get(attempt.id)?.invocation) return
    attempt.neighbour.link.send({ t: 'answer', id: attempt.id, n, answer })
  }

  /** Ends an attempt from our side: `code` says why; the executor is told to stop. */
  cancel(attempt: Attempt, code: ErrorCode, message: string): void {
    const isSent = this.#pending.get(attempt.id)?.invocation !== undefined
    if (!this.#settle(attempt.id, { kind: 'failed', code, message }) || !isSent) return
    attempt.neighbour.link.send({ t: 'cancel', ids: [attempt.id] })
  }

  onLeft(neighbour: Neighbour, reason: string): void {
    this.#outboxes.delete(neighbour)
    for (const pending of [...this.#pending.values()]) {
      if (pending.neighbour !== neighbour) continue
      this.#settle(pending.id, {
        kind: 'failed',
        code: 'E_EXECUTOR_LOST',
        message: `${neighbour.peer} left: ${reason}`,
      })
    }
    this.#receipts.onLeft(neighbour)
  }

  /** Handles what executors send; other frames are none of its business. */
  onFrame(neighbour: Neighbour, frame: PeerFrame): void | Promise<void> {
    switch (frame.t) {
      case 'accepted':
        return this.#heard(neighbour, frame.ids)
      case 'started':
        return this.#onStarted(neighbour, frame.ids)
      case 'progress':
        return this.#onProgress(neighbour, frame)
      case 'refused':
        for (const id of frame.ids) this.#settleOf(neighbour, id, { kind: 'refused', ...frame, code: told(frame.code) })
        return
      case 'failed':
        for (const id of frame.ids) this.#settleOf(neighbour, id, { kind: 'failed', ...frame, code: told(frame.code) })
        return
      case 'answers':
        for (const { id, outcome } of frame.items) this.#onAnswer(neighbour, id, outcome)
        return
      case 'journals':
        return this.#receipts.onJournals(neighbour, frame)
      case 'receipts':
        return this.#receipts.onReceipts(neighbour, frame)
      case 'rested':
      case 'request':
      case 'guessed':
        return this.#onRequest(neighbour, frame)
    }
  }

  #outboxOf({ neighbour, item, holdMs }: Pending): Batcher<Pending> {
    const outboxes = this.#outboxes.get(neighbour) ?? new Map<string, Batcher<Pending>>()
    this.#outboxes.set(neighbour, outboxes)
    const { fuel, memory_bytes, output_bytes } = item.template.environment.limits
    const kind = holdMs === undefined ? 'invoke' : 'tied'
    const key = `${actingFor(item)?.signer} ${kind} ${item.functionId}#${item.template.export}/${fuel}/${memory_bytes}/${output_bytes}`
    let outbox = outboxes.get(key)
    if (!outbox) {
      const forget = (batch: Pending[]) => {
        outboxes.delete(key)
        this.#sendBatch(neighbour, batch).catch((cause: Error) => {
          this.#ports.log.event('internal.error', { peer: neighbour.peer, reason: String(cause.stack) })
          for (const { id } of batch)
            this.#settle(id, { kind: 'failed', code: 'E_INTERNAL', message: 'it was not sent' })
        })
      }
      outbox = createBatcher<Pending>(this.#ports.clock, {
        // At an idle neighbour nothing ends meanwhile, so that no other is to come but what was called together with it.
        delayMs: ({ queueMs }) =>
          working(neighbour) === 1 ? 'soon' : Math.max(companyDelayMs(working(neighbour)), queueMs * QUEUE_SHARE),
        itemsMax: BATCH_ITEMS_MAX,
        bytesMax: INVOKE_BYTES_MAX,
        flush: forget,
      })
      outboxes.set(key, outbox)
    }
    return outbox
  }

  async #sendBatch(neighbour: Neighbour, batch: readonly Pending[]): Promise<void> {
    const { crypto, signer, network, clock } = this.#ports
    const open = batch.filter((pending) => this.#pending.has(pending.id))
    const [first] = open
    if (!first) return
    const delegation = actingFor(first.item)
    const payloads = open.map((pending) => pending.item.invocationBytes)
    const envelopes = await signBatch(crypto, signer, network.peerId, 'invocation', payloads)
    for (const [i, pending] of open.entries()) pending.invocation = envelopes[i]
    const deadlineMs = Math.max(...open.map(({ item }) => item.deadlineMs))
    const invoke = {
      task: first.item.template,
      timeout_ms: Math.min(TIMEOUT_MS_MAX, Math.max(1, Math.ceil(deadlineMs - clock.monotonic()))),
      items: open.map(({ id, attempt, epoch, item, guesses }) => ({
        id,
        attempt,
        epoch,
        input: item.request.input,
        journal: orderJournal(item.journal),
        ...(guesses.length > 0 && { guesses: [...guesses] }),
        ...item.request.durable?.begins(item, attempt),
      })),
      signed: batchOf(envelopes),
      ...(delegation && neighbour.features.includes('delegations' satisfies Feature) && { delegation }),
    }
    if (first.holdMs === undefined) neighbour.link.send({ t: 'invoke', ...invoke })
    else neighbour.link.send({ t: 'tied', ...invoke, holds: open.map(({ holdMs }) => holdMs as number) })
    // Cancelled while they were signed.
    const gone = open.flatMap(({ id }) => (this.#pending.has(id) ? [] : [id]))
    if (gone.length > 0) neighbour.link.send({ t: 'cancel', ids: gone })
  }

  #settle(id: number, result: AttemptResult): boolean {
    const pending = this.#pending.get(id)
    if (!pending) return false
    this.#pending.delete(id)
    this.#note(pending, false)
    pending.neighbour.inFlight--
    pending.neighbour.workedMs = this.#ports.clock.monotonic()
    pending.neighbour.inFlightBytes -= pending.item.request.input.length
    pending.settle(result)
    this.#hasten(pending.neighbour)
    return true
  }

  /** Once as many are under way there as it has slots, or fewer, nothing waits here for company. */
  #hasten(neighbour: Neighbour): void {
    const outboxes = this.#outboxes.get(neighbour)
    if (!outboxes || outboxes.size === 0) return
    let there = working(neighbour)
    for (const { size } of outboxes.values()) there -= size
    if (there > (neighbour.advertisement?.slots ?? 0)) return
    for (const outbox of [...outboxes.values()]) outbox.flush()
  }

  #settleOf(neighbour: Neighbour, id: number, result: AttemptResult): void {
    if (this.#pending.get(id)?.neighbour === neighbour) this.#settle(id, result)
  }

  #heard(neighbour: Neighbour, ids: readonly number[]): void {
    const nowMs = this.#ports.clock.monotonic()
    for (const id of ids) {
      const pending = this.#pending.get(id)
      if (pending?.neighbour === neighbour) pending.heardMs = nowMs
    }
  }

  #onStarted(neighbour: Neighbour, ids: readonly number[]): void {
    const nowMs = this.#ports.clock.monotonic()
    for (const id of ids) {
      const pending = this.#pending.get(id)
      if (pending?.neighbour !== neighbour || pending.holdMs === undefined) continue
      pending.heardMs = nowMs
      if (pending.startedMs !== undefined) continue
      pending.startedMs = nowMs
      pending.onStarted?.()
    }
  }

  /** An item whose sandbox has died is not kept alive by its agent's word, nor one that waits for what nobody does. */
  #onProgress(neighbour: Neighbour, frame: FrameOf<'progress'>): void {
    const nowMs = this.#ports.clock.monotonic()
    for (const { id, alive, fuel, state } of frame.items) {
      const pending = this.#pending.get(id)
      if (pending?.neighbour !== neighbour) continue
      pending.fuel = fuel
      const owesNothing = state === 'waiting' ? pending.owesNothing?.() : undefined
      pending.inVain = owesNothing === true ? pending.inVain + 1 : 0
      this.#note(pending, owesNothing === false)
      if (alive && pending.inVain === 0) pending.heardMs = nowMs
    }
  }

  /** Whether it waits for an answer. */
  #note(pending: Pending, waits: boolean): void {
    if (pending.waits === waits) return
    pending.waits = waits
    pending.neighbour.waiting += waits ? 1 : -1
  }

  #onAnswer(neighbour: Neighbour, id: number, outcomeBytes: Uint8Array): void {
    const pending = this.#pending.get(id)
    const invocation = pending?.invocation
    if (pending?.neighbour !== neighbour || !invocation) return
    const outcome = Outcome.decode(outcomeBytes)
    const execution: Execution = {
      mesh: this.#mesh,
      invocation: pending.item.invocation,
      task: pending.item.task,
      template: pending.item.template,
      inputBytes: pending.item.request.input.length,
      attempt: pending.attempt,
      epoch: pending.epoch,
      executor: neighbour.peer,
      home: this.#ports.network.peerId,
      journal: [...pending.item.journal],
      outcomeBytes,
      outcome,
      outcomeCid: recordCid(this.#ports.crypto, outcomeBytes),
      traceTicks: pending.item.request.traceTicks,
      ...pending.item.request.durable?.begins(pending.item, pending.attempt),
    }
    const { outcomeCid } = execution
    const receipt = this.#receipts.add(id, neighbour, execution)
    this.#settle(id, { kind: 'answered', outcome, outcomeBytes, outcomeCid, invocation, receipt })
  }

  #onRequest(neighbour: Neighbour, frame: FrameOf<'request'> | FrameOf<'guessed'> | FrameOf<'rested'>): void {
    const pending = this.#pending.get(frame.id)
    if (pending?.neighbour !== neighbour) return
    pending.heardMs = this.#ports.clock.monotonic()
    if (frame.t === 'rested') return void pending.item.kept?.onRested(frame.checkpoint)
    const { n, after } = frame
    if (frame.t === 'guessed') return pending.onGuessed?.(n, after, frame.guess)
    const { kind } = frame
    if (!pending.onRequest) throw new MeshError('E_MESSAGE', 'a request from a function that declares none')
    pending.onRequest({ n, after, kind, arguments: frame.arguments })
  }
}
