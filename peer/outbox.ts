/** What waits to be sent to one invoker: items taken and started, their answers, journals to be signed, receipts. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { batchOf, type Envelope, openBatch, signBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { BATCH_ITEMS_MAX, KIB } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Trace } from '../protocol/records.ts'
import { type Batcher, COMPANY_MS, companyDelayMs, createBatcher } from './batcher.ts'
import { headBytes, readHead, type SignedHead } from './journal-heads.ts'
import type { Neighbour } from './neighbours.ts'
import { type Execution, headOf, receiptBytes, sameBytes } from './receipts.ts'
import type { WorkItem } from './work.ts'

/** An answer within it says as well that the item was taken; with the answer of another it leaves sooner, in one write. */
const ACCEPTED_DELAY_MS = 100
/** Whoever calls again and again does so sooner; a receipt that somebody waits for does not wait noticeably longer. */
const QUIET_MS = 3
/** Half of the 100 ms in which receipts follow: signed and checked once for all that ends meanwhile. */
const RECEIPTS_MS_MAX = 50
/** A home that has writes to commit waits for its journals to be signed. */
const JOURNALS_MS_MAX = 20
/** While more is under way here, the next ends in about the time that the last one ran; for once it may take twice as long. */
const RUNS_WAITED = 2
/** Frames stay short, so that answers and progress pass between them. */
const ANSWERS_BYTES_MAX = 256 * KIB
/** A receipt has some 450 bytes, and one with a trace some 50 more for each hash. */
const RECEIPT_BYTES = 512
const TRACE_POINT_BYTES = 52
const JOURNAL_BYTES = 32
/** Receipts that wait for their home's signature, some 1 KB each; a home that does not sign gets none. */
const UNSIGNED_MAX = 4096

export interface Finished {
  item: WorkItem
  /** Canonical bytes, and the same decoded. */
  outcomeBytes: Uint8Array
  outcome: Outcome
  trace: Trace | undefined
}

/** A receipt is made when it is sent, after the answers. */
interface Signable {
  id: number
  receipt(): Uint8Array
  /** How long it ran here. */
  ranMs: number
}

type OutboxPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'log' | 'network'>

export class Outbox {
  readonly #ports: OutboxPorts
  readonly #mesh: CID
  readonly #neighbour: Neighbour
  readonly #noted: (head: SignedHead) => void
  readonly #accepted: Batcher<WorkItem>
  readonly #started: Batcher<number>
  readonly #answers: Batcher<Finished>
  readonly #journals: Batcher<Finished>
  readonly #receipts: Batcher<Signable>
  /** By item: the receipt to sign, and the head that its home must have signed first. The one waiting longest is first. */
  readonly #unsigned = new Map<number, { receipt: Uint8Array; head: Uint8Array }>()

  /** `underWay`: items that this executor has. `noted` is told of each head that the home signs. */
  constructor(
    ports: OutboxPorts,
    mesh: CID,
    neighbour: Neighbour,
    underWay: () => number,
    noted: (head: SignedHead) => void,
  ) {
    this.#noted = noted
    this.#ports = ports
    this.#mesh = mesh
    this.#neighbour = neighbour
    const bounds = { itemsMax: BATCH_ITEMS_MAX, bytesMax: ANSWERS_BYTES_MAX }
    this.#accepted = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => ACCEPTED_DELAY_MS,
      flush: (items) => this.#sendAccepted(items),
    })
    // At once, or with the answer whose run it followed: until the invoker has heard of it, another copy may start as well.
    this.#started = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => 'soon',
      flush: (ids) => this.#neighbour.link.send({ t: 'started', ids }),
    })
    this.#answers = createBatcher(ports.clock, {
      ...bounds,
      // No other is to come that could go with it: it is the last one, or took longer than company is waited for.
      delayMs: ({ item }) =>
        underWay() === 0 || (item.run?.ranMs() ?? 0) > COMPANY_MS ? undefined : companyDelayMs(underWay()),
      flush: (all) => {
        this.#accepted.flush()
        this.#started.flush()
        const items = all.map(({ item, outcomeBytes }) => ({ id: item.id, outcome: outcomeBytes }))
        this.#neighbour.link.send({ t: 'answers', items })
      },
    })
    this.#journals = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => QUIET_MS,
      inAllMs: JOURNALS_MS_MAX,
      flush: (all) => {
        this.#answers.flush()
        this.#sendJournals(all)
      },
    })
    this.#receipts = createBatcher(ports.clock, {
      ...bounds,
      delayMs: ({ ranMs }) => Math.max(QUIET_MS, underWay() === 0 ? 0 : RUNS_WAITED * ranMs),
      inAllMs: RECEIPTS_MS_MAX,
      flush: (all) => {
        this.#answers.flush()
        this.#sendReceipts(all).catch((cause) => {
          this.#ports.log.event('internal.error', { peer: this.#neighbour.peer, reason: String(cause) })
        })
      },
    })
  }

  accept(items: readonly WorkItem[]): void {
    for (const item of items) this.#accepted.add(item, 0)
  }

  started({ id }: WorkItem): void {
    this.#started.add(id, 0)
  }

  answer(finished: Finished): void {
    const { item, outcomeBytes } = finished
    this.#answers.add(finished, outcomeBytes.length + 64)
    if (item.journal.length > 0) this.#journals.add(finished, JOURNAL_BYTES)
    else
      this.#receipts.add(
        {
          id: item.id,
          receipt: () => receiptBytes(this.#ports.crypto, this.#executionOf(finished)),
          ranMs: item.run?.ranMs() ?? 0,
        },
        RECEIPT_BYTES + TRACE_POINT_BYTES * (finished.trace?.length ?? 0),
      )
  }

  /**
   * Receipts follow for the journals that the home has signed as this executor has them. Throws MeshError E_MESSAGE,
   * E_SIGNATURE, or E_RECEIPT for another journal.
   */
  async onHeads({ ids, signed }: FrameOf<'heads'>): Promise<void> {
    if (ids.length !== signed.payloads.length)
      throw new MeshError('E_MESSAGE', `${ids.length} ids but ${signed.payloads.length} heads`)
    const waiting = ids.map((id) => this.#unsigned.get(id))
    for (const id of ids) this.#unsigned.delete(id)
    if (waiting.every((one) => one === undefined)) return
    const envelopes = await openBatch(this.#ports.crypto, this.#neighbour.peer, 'journal-head', signed)
    for (const head of envelopes.map(readHead)) this.#noted(head)
    for (const [i, one] of waiting.entries()) this.#release(ids[i] as number, one, envelopes[i] as Envelope)
    // They have waited for each other already, as journals.
    this.#receipts.flush()
  }

  flush(): void {
    this.#accepted.flush()
    this.#started.flush()
    this.#answers.flush()
    this.#journals.flush()
    this.#receipts.flush()
  }

  #sendAccepted(items: readonly WorkItem[]): void {
    const ids = items.flatMap(({ id, ended }) => (ended ? [] : [id]))
    if (ids.length > 0) this.#neighbour.link.send({ t: 'accepted', ids })
  }

  #sendJournals(all: readonly Finished[]): void {
    const { crypto } = this.#ports
    for (const finished of all) {
      const execution = this.#executionOf(finished)
      const journal = headOf(crypto, execution.invocation, execution.journal)
      const unsigned = { receipt: receiptBytes(crypto, execution), head: headBytes({ ...execution, journal }) }
      this.#unsigned.set(finished.item.id, unsigned)
      if (this.#unsigned.size > UNSIGNED_MAX) this.#unsigned.delete(this.#unsigned.keys().next().value as number)
    }
    const items = all.map(({ item }) => ({ id: item.id, length: item.journal.length }))
    this.#neighbour.link.send({ t: 'journals', items })
  }

  #release(id: number, waiting: { receipt: Uint8Array; head: Uint8Array } | undefined, signed: Envelope): void {
    if (!waiting) return
    if (!sameBytes(waiting.head, signed.payload))
      throw new MeshError('E_RECEIPT', `the home signed another journal of item ${id} than it answered`)
    this.#receipts.add({ id, receipt: () => waiting.receipt, ranMs: 0 }, waiting.receipt.length)
  }

  async #sendReceipts(all: readonly Signable[]): Promise<void> {
    const { crypto, signer, network } = this.#ports
    const payloads = all.map((one) => one.receipt())
    const envelopes = await signBatch(crypto, signer, network.peerId, 'receipt', payloads)
    this.#neighbour.link.send({ t: 'receipts', ids: all.map(({ id }) => id), signed: batchOf(envelopes) })
  }

  #executionOf({ item, outcomeBytes, outcome, trace }: Finished): Execution {
    const { crypto, network } = this.#ports
    return {
      ...item,
      mesh: this.#mesh,
      invocation: recordCid(crypto, item.invocationBytes),
      inputBytes: item.input.length,
      executor: network.peerId,
      home: item.invocation.home,
      outcomeBytes,
      outcome,
      outcomeCid: recordCid(crypto, outcomeBytes),
      traceTicks: item.invocation.trace_ticks,
      trace,
    }
  }
}
