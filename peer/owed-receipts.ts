/** The receipts that executors owe this peer: each follows its answer within a time, and says what the answer calls for. */
import { batchOf, type Envelope, openBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { hasSlept } from '../protocol/late.ts'
import type { Ports } from '../protocol/ports.ts'
import { headBytes, signHeads } from './journal-heads.ts'
import { ANEW_AFTER_MS, type Neighbour } from './neighbours.ts'
import { type Execution, headOf, receiptFault, upTo } from './receipts.ts'

/** Receipts follow answers within 100 ms; many times that is a broken promise. */
const RECEIPT_MS_MAX = 5000
/** Whoever was silent for so long before that fell silent within two seconds, in which a journal may have been on its way to be signed, and its head on the way back. */
const SILENT_MS = 3000
/** A peer whose receipts do not come, or are wrong, makes every caller wait: it is left alone for so long. */
const RECEIPT_SHUN_MS = 60_000

/** One receipt, due or come. Nobody need wait for it. */
export class OwedReceipt {
  readonly neighbour: Neighbour
  readonly #dueMs: number
  /** Its journal is what the executor had at the end, once it has said how much that was. */
  execution: Execution
  /** Our signature under that journal; it is there before the receipt, where the function has requested anything. */
  head: Envelope | undefined
  #ended: { envelope: Envelope } | { error: MeshError } | undefined
  #asked: PromiseWithResolvers<Envelope> | undefined

  constructor(neighbour: Neighbour, execution: Execution, dueMs: number) {
    this.neighbour = neighbour
    this.execution = execution
    this.#dueMs = dueMs
  }

  /** Monotonic. Whoever was cut off has as long again as that takes to count, for what it had sent. */
  get dueMs(): number {
    return Math.max(this.#dueMs, this.neighbour.heardAnewMs + ANEW_AFTER_MS)
  }

  /** The executor's signed receipt. Rejects with MeshError E_RECEIPT, E_SIGNATURE or E_EXECUTOR_LOST. */
  envelope(): Promise<Envelope> {
    this.#asked ??= Promise.withResolvers()
    this.#tell()
    return this.#asked.promise
  }

  /** The same with the receipt. */
  async withHead(): Promise<Envelope | undefined> {
    await this.envelope()
    return this.head
  }

  end(ended: { envelope: Envelope } | { error: MeshError }): void {
    this.#ended = ended
    this.#tell()
  }

  #tell(): void {
    if (!this.#ended || !this.#asked) return
    if ('envelope' in this.#ended) this.#asked.resolve(this.#ended.envelope)
    else this.#asked.reject(this.#ended.error)
  }
}

type OwedPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'log'>

/** Told of each right receipt: whose it is, and for what. */
export type Received = (executor: string, execution: Execution) => void

export class OwedReceipts {
  readonly #ports: OwedPorts
  readonly #received: Received
  /** By attempt, the one due first in front. */
  readonly #owed = new Map<number, OwedReceipt>()
  /** Those whose journals have been signed, or are being. */
  readonly #signing = new WeakSet<OwedReceipt>()
  #isWatching = false

  constructor(ports: OwedPorts, received: Received) {
    this.#ports = ports
    this.#received = received
  }

  add(id: number, neighbour: Neighbour, execution: Execution): OwedReceipt {
    const owed = new OwedReceipt(neighbour, execution, this.#ports.clock.monotonic() + RECEIPT_MS_MAX)
    this.#owed.set(id, owed)
    this.#watch()
    return owed
  }

  async onReceipts(neighbour: Neighbour, { ids, signed }: FrameOf<'receipts'>): Promise<void> {
    if (ids.length !== signed.payloads.length) {
      throw new MeshError('E_MESSAGE', `${ids.length} ids but ${signed.payloads.length} receipts`)
    }
    // Whoever is owed nothing does not make us check a signature.
    if (!ids.some((id) => this.#owed.get(id)?.neighbour === neighbour)) return
    const envelopes = await openBatch(this.#ports.crypto, neighbour.peer, 'receipt', signed).catch((error) => {
      for (const id of ids) if (this.#owed.get(id)?.neighbour === neighbour) this.#end(id, { error })
      throw error
    })
    for (const [i, id] of ids.entries()) {
      const owed = this.#owed.get(id)
      if (owed?.neighbour === neighbour) this.#check(id, owed, envelopes[i] as Envelope)
    }
  }

  /** Signs the journals of answered items, each once: whoever was answered differently then has the proof. */
  async onJournals(neighbour: Neighbour, { items }: FrameOf<'journals'>): Promise<void> {
    const ended = items.filter(({ id, length }) => this.#endJournal(id, neighbour, length))
    if (ended.length === 0) return
    const owed = ended.map(({ id }) => this.#owed.get(id) as OwedReceipt)
    const payloads = owed.map(({ execution }) =>
      headBytes({ ...execution, journal: headOf(this.#ports.crypto, execution.invocation, execution.journal) }),
    )
    const heads = await signHeads(this.#ports, payloads)
    for (const [i, one] of owed.entries()) one.head = heads[i]
    neighbour.link.send({ t: 'heads', ids: ended.map(({ id }) => id), signed: batchOf(heads) })
  }

  onLeft(neighbour: Neighbour): void {
    const error = new MeshError('E_EXECUTOR_LOST', `${neighbour.peer} left before its receipt`)
    for (const [id, owed] of [...this.#owed]) if (owed.neighbour === neighbour) this.#end(id, { error })
  }

  /** False if there is nothing to sign: it was signed before, or is not as the executor says. */
  #endJournal(id: number, neighbour: Neighbour, length: number): boolean {
    const owed = this.#owed.get(id)
    if (owed?.neighbour !== neighbour || this.#signing.has(owed)) return false
    this.#signing.add(owed)
    const journal = upTo(owed.execution.journal, length)
    owed.execution = { ...owed.execution, journal }
    if (journal.length === length) return true
    const message = `${neighbour.peer} says that its journal has ${length} entries`
    this.#blame(id, neighbour, new MeshError('E_RECEIPT', { message, field: 'journal' }))
    return false
  }

  #check(id: number, { neighbour, execution, head }: OwedReceipt, envelope: Envelope): void {
    const isUnsigned = execution.journal.length > 0 && !head
    const field = isUnsigned ? 'journal' : receiptFault(this.#ports.crypto, execution, envelope.payload)
    if (field === undefined) {
      this.#received(neighbour.peer, execution)
      return this.#end(id, { envelope })
    }
    const message = `the receipt of ${neighbour.peer} has another ${field}`
    this.#blame(id, neighbour, new MeshError('E_RECEIPT', { message, field }))
  }

  #end(id: number, ended: Parameters<OwedReceipt['end']>[0]): void {
    this.#owed.get(id)?.end(ended)
    this.#owed.delete(id)
  }

  #blame(id: number, neighbour: Neighbour, error: MeshError): void {
    this.#ports.log.event('peer.misbehaved', { peer: neighbour.peer, code: error.code, reason: error.message })
    this.#lose(id, neighbour, error)
  }

  #lose(id: number, neighbour: Neighbour, error: MeshError): void {
    neighbour.shunnedUntilMs = this.#ports.clock.monotonic() + RECEIPT_SHUN_MS
    this.#end(id, { error })
  }

  /** One timer for all: they are due in the order in which they were added. */
  #watch(notBeforeMs = 0): void {
    const [first] = this.#owed.values()
    if (this.#isWatching || !first) return
    this.#isWatching = true
    const { clock } = this.#ports
    const dueMs = Math.max(notBeforeMs, first.dueMs)
    clock.after(dueMs - clock.monotonic(), () => {
      this.#isWatching = false
      const nowMs = clock.monotonic()
      if (hasSlept(nowMs, dueMs)) return this.#watch(nowMs + RECEIPT_MS_MAX)
      this.#expire()
      this.#watch()
    })
  }

  #expire(): void {
    const nowMs = this.#ports.clock.monotonic()
    for (const [id, { neighbour, dueMs }] of this.#owed) {
      if (dueMs > nowMs) return
      const late = `${neighbour.peer} answered but sent no receipt within ${RECEIPT_MS_MAX} ms`
      // Nothing has come since its receipt was to: it sleeps, or has moved, or the way is cut.
      const isSilent = neighbour.heardMs <= dueMs - SILENT_MS
      if (isSilent) this.#lose(id, neighbour, new MeshError('E_EXECUTOR_LOST', late))
      else this.#blame(id, neighbour, new MeshError('E_RECEIPT', late))
    }
  }
}
