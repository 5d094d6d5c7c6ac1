/** Reads receipts of a file with all that they name. Whoever made the file is not trusted: all is held to what was signed. */
import { type CID, cidDigest, recordCid } from '../protocol/cid.ts'
import { type Envelope, verifyEnvelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import { type JournalEntry, journalFault } from '../protocol/journal.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { Invocation, Receipt, type ReceiptFile, Task, type TaskTemplate } from '../protocol/records.ts'
import { headBytes } from './journal-heads.ts'
import { headOf, sameBytes, upTo } from './receipts.ts'

export const unfit = (message: string): MeshError => new MeshError('E_RECEIPT', message)

export const templateOf = ({ function: functionCid, export: exportName, environment }: Task): TaskTemplate => ({
  function: functionCid,
  export: exportName,
  environment,
})

const readOutcome = (bytes: Uint8Array | undefined): Outcome | undefined => {
  try {
    return bytes && Outcome.decode(bytes)
  } catch {
    return undefined
  }
}

/** Blocks by their hashes: what is found matches its CID. */
export class Blocks {
  readonly #byDigest: ReadonlyMap<string, Uint8Array>

  constructor(crypto: Pick<Ports['crypto'], 'hash'>, blocks: readonly Uint8Array[]) {
    this.#byDigest = new Map(blocks.map((bytes) => [crypto.hash(bytes).join(), bytes]))
  }

  find(cid: CID): Uint8Array | undefined {
    return this.#byDigest.get(cidDigest(cid).join())
  }

  get(cid: CID): Uint8Array {
    const bytes = this.find(cid)
    if (bytes) return bytes
    const message = `the block ${cid} is missing in what was recorded; ask whoever made it for a whole one`
    throw new MeshError('E_BLOCK_MISSING', { message, block: cid.toString() })
  }
}

/** What one receipt says, as far as it could be read. */
export interface Read {
  receipt?: Receipt
  invocation?: Invocation
  task?: Task
  /** The outcome that the receipt names, if the file carries it. */
  says?: Outcome
}

/** `engines`: those that there are here. Throws MeshError E_ENGINE_UNAVAILABLE. */
export const ensureCarried = (engine: string, engines: readonly string[]): void => {
  if (engines.includes(engine)) return
  const message = `it ran on the engine ${engine}, and this version has ${engines.join(', ')}; take the version that made it, or one of the two after that`
  throw new MeshError('E_ENGINE_UNAVAILABLE', { message, engine })
}

export class ReceiptReader {
  readonly #crypto: Ports['crypto']
  readonly #file: ReceiptFile
  readonly #engines: readonly string[]
  readonly #blocks: Blocks
  /** Each read once, however many receipts name it. */
  readonly #outcomes = new Map<string, Outcome | undefined>()

  /** `engines`: those that there are here. */
  constructor(crypto: Ports['crypto'], file: ReceiptFile, engines: readonly string[]) {
    this.#crypto = crypto
    this.#file = file
    this.#engines = engines
    this.#blocks = new Blocks(crypto, file.blocks)
  }

  /** Throws MeshError E_BLOCK_MISSING. */
  block(cid: CID): Uint8Array {
    return this.#blocks.get(cid)
  }

  /**
   * The receipt at index `i` and what goes with it, which `statement` is filled with as it is read; the journal is that
   * which the receipt was signed over, in order. Throws MeshError for whatever makes it unusable: E_RECEIPT, E_SIGNATURE,
   * E_MESSAGE, E_BLOCK_MISSING, E_ENGINE_UNAVAILABLE.
   */
  async read(i: number, statement: Read): Promise<Required<Omit<Read, 'says'>> & { journal: JournalEntry[] }> {
    const receipt = await this.#receipt(this.#file.receipts[i] as Envelope)
    statement.receipt = receipt
    const says = this.#outcome(receipt.outcome)
    if (says) statement.says = says
    const invocation = await this.#invocation(receipt, this.#file.invocations[i])
    statement.invocation = invocation
    const task = this.#task(receipt, invocation)
    statement.task = task
    const journal = this.#journal(receipt)
    await this.#ensureHead(receipt)
    this.#ensureEngine(receipt)
    return { receipt, invocation, task, journal }
  }

  async #receipt(signed: Envelope): Promise<Receipt> {
    await verifyEnvelope(this.#crypto, 'receipt', signed)
    const receipt = Receipt.decode(signed.payload)
    if (receipt.executor === signed.signer) return receipt
    throw unfit(`the receipt names ${receipt.executor} as its executor, and ${signed.signer} signed it`)
  }

  /** An outcome that cannot be read is none: the receipt may name any bytes. */
  #outcome(cid: CID): Outcome | undefined {
    const name = cid.toString()
    if (!this.#outcomes.has(name)) this.#outcomes.set(name, readOutcome(this.#blocks.find(cid)))
    return this.#outcomes.get(name)
  }

  async #invocation(receipt: Receipt, signed: Envelope | undefined): Promise<Invocation> {
    const crypto = this.#crypto
    if (!signed || !recordCid(crypto, signed.payload).equals(receipt.invocation))
      throw unfit(`the receipt answers the invocation ${receipt.invocation}, which is not the one beside it`)
    await verifyEnvelope(crypto, 'invocation', signed)
    const invocation = Invocation.decode(signed.payload)
    if (invocation.invoker !== signed.signer)
      throw unfit(`the invocation names ${invocation.invoker} as its invoker, and ${signed.signer} signed it`)
    if (!receipt.mesh.equals(invocation.mesh)) throw unfit('the receipt is of another mesh than its invocation')
    if (receipt.home !== invocation.home) throw unfit('the receipt has another home than its invocation')
    return invocation
  }

  #task(receipt: Receipt, invocation: Invocation): Task {
    if (!receipt.task.equals(invocation.task)) throw unfit('the receipt is of another task than its invocation')
    const task = Task.decode(this.#blocks.get(receipt.task))
    const { engine, limits } = task.environment
    if (receipt.engine !== engine) throw unfit('the receipt has another engine than its task')
    const names = ['fuel', 'memory_bytes', 'output_bytes'] as const
    if (names.some((name) => receipt.limits[name] !== limits[name]))
      throw unfit('the receipt has other limits than its task')
    return task
  }

  /** The entries that the receipt was signed over. Each begins at its own invocation, so none fits another's receipt. */
  #journal(receipt: Receipt): JournalEntry[] {
    const journal = upTo(this.#file.journal, receipt.journal.length)
    const { head, length } = headOf(this.#crypto, receipt.invocation, journal)
    if (length === receipt.journal.length && sameBytes(head, receipt.journal.head)) return journal
    const fault = journalFault(this.#file.journal)
    if (fault !== undefined) throw unfit(`the journal of the file is not whole: ${fault}`)
    if (length < receipt.journal.length)
      throw unfit(
        `the journal of the file ends after ${length} entries, and the receipt was signed over ${receipt.journal.length}`,
      )
    throw unfit(
      'the receipt was signed over another journal than that in the file: an entry was changed, or it is that of another invocation',
    )
  }

  /** An answer is its home's word: only the home can say what it was. */
  async #ensureHead(receipt: Receipt): Promise<void> {
    if (receipt.journal.length === 0) return
    const wanted = headBytes(receipt)
    const head = this.#file.heads.find((one) => one.signer === receipt.home && sameBytes(one.payload, wanted))
    if (!head) throw unfit('its home has not signed the journal, as far as the file shows')
    await verifyEnvelope(this.#crypto, 'journal-head', head)
  }

  #ensureEngine({ engine }: Receipt): void {
    ensureCarried(engine, this.#engines)
  }
}
