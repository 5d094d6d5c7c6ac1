/** What waits to be sent to one invoker: which items were taken, their answers, the signed receipts. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { batchOf, signBatch } from '../protocol/envelope.ts'
import { BATCH_ITEMS_MAX, KIB } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { type Batcher, companyDelayMs, createBatcher } from './batcher.ts'
import type { Neighbour } from './neighbours.ts'
import { receiptBytes } from './receipts.ts'
import type { WorkItem } from './work.ts'

/** An answer within it says as well that the item was taken. */
const ACCEPTED_DELAY_MS = 10
/** Signing once for all that ends within it costs 5 % of a core at worst, and nobody waits noticeably longer. */
const RECEIPT_DELAY_MS = 5
/** Where company is sure; still far within the 100 ms in which receipts follow. */
const RECEIPT_DELAY_BUSY_MS = 20
/** Frames stay short, so that answers and progress pass between them. */
const ANSWERS_BYTES_MAX = 256 * KIB
/** A receipt has some 450 bytes. */
const RECEIPT_BYTES = 512

export interface Finished {
  item: WorkItem
  /** Canonical bytes, and the same decoded. */
  outcomeBytes: Uint8Array
  outcome: Outcome
}

type OutboxPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'log' | 'network'>

export class Outbox {
  readonly #ports: OutboxPorts
  readonly #mesh: CID
  readonly #neighbour: Neighbour
  readonly #accepted: Batcher<WorkItem>
  readonly #answers: Batcher<Finished>
  readonly #receipts: Batcher<Finished>

  /** `underWay`: items that this executor has. */
  constructor(ports: OutboxPorts, mesh: CID, neighbour: Neighbour, underWay: () => number) {
    this.#ports = ports
    this.#mesh = mesh
    this.#neighbour = neighbour
    const bounds = { itemsMax: BATCH_ITEMS_MAX, bytesMax: ANSWERS_BYTES_MAX }
    this.#accepted = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => ACCEPTED_DELAY_MS,
      flush: (items) => this.#sendAccepted(items),
    })
    this.#answers = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => companyDelayMs(underWay()),
      flush: (all) => {
        const items = all.map(({ item, outcomeBytes }) => ({ id: item.id, outcome: outcomeBytes }))
        this.#neighbour.link.send({ t: 'answers', items })
      },
    })
    this.#receipts = createBatcher(ports.clock, {
      ...bounds,
      delayMs: () => (companyDelayMs(underWay()) > 0 ? RECEIPT_DELAY_BUSY_MS : RECEIPT_DELAY_MS),
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

  answer(finished: Finished): void {
    this.#answers.add(finished, finished.outcomeBytes.length + 64)
    this.#receipts.add(finished, RECEIPT_BYTES)
  }

  flush(): void {
    this.#accepted.flush()
    this.#answers.flush()
    this.#receipts.flush()
  }

  #sendAccepted(items: readonly WorkItem[]): void {
    const ids = items.flatMap(({ id, ended }) => (ended ? [] : [id]))
    if (ids.length > 0) this.#neighbour.link.send({ t: 'accepted', ids })
  }

  async #sendReceipts(all: readonly Finished[]): Promise<void> {
    const { crypto, signer, network } = this.#ports
    const payloads = all.map((finished) => this.#receiptOf(finished))
    const envelopes = await signBatch(crypto, signer, network.peerId, 'receipt', payloads)
    this.#neighbour.link.send({ t: 'receipts', ids: all.map(({ item }) => item.id), signed: batchOf(envelopes) })
  }

  #receiptOf({ item, outcomeBytes, outcome }: Finished): Uint8Array {
    const { crypto, network } = this.#ports
    return receiptBytes(crypto, {
      ...item,
      mesh: this.#mesh,
      invocation: recordCid(crypto, item.invocationBytes),
      inputBytes: item.input.length,
      executor: network.peerId,
      home: item.invocation.home,
      outcomeBytes,
      outcome,
      outcomeCid: recordCid(crypto, outcomeBytes),
    })
  }
}
