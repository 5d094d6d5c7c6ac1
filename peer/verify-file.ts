/** Checks a receipt file by what it carries alone: who signed what, and what comes of it when it is run again. */
import { type CID, cidDigest, recordCid } from '../protocol/cid.ts'
import { type Envelope, verifyEnvelope } from '../protocol/envelope.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { Invocation, Receipt, ReceiptFile, Task, type TaskTemplate, type Trace } from '../protocol/records.ts'
import { runsTier } from '../protocol/tiers.ts'
import type { SandboxPool, SandboxRun } from '../sandbox/pool.ts'
import { headBytes, JournalHeads, openHead } from './journal-heads.ts'
import { type Execution, headOf, receiptFault, sameBytes, upTo } from './receipts.ts'
import { createRunner, type Runner } from './runner.ts'
import { isSameTrace, type Parting, partingOf } from './traces.ts'

/** The sandbox that receipts are checked in. */
export interface VerifySandbox {
  pool: SandboxPool
  /** The exact builds that `pool` runs. */
  engines: readonly string[]
  /** Wall clock of one run; its fuel and memory are bounded by the task. */
  timeoutMs: number
}

export type Judgement =
  | { verdict: 'right' }
  /**
   * A fraud proof: its signer put its name to an outcome that the task does not have. `diverged`: with this journal it
   * has none, in words.
   */
  | { verdict: 'wrong'; diverged?: string }
  /** It proves nothing, neither for its signer nor against anybody. */
  | { verdict: 'unusable'; code: ErrorCode; reason: string }

/** What one receipt says, as far as it could be read before it turned out to be unusable. */
export interface Statement {
  /** As the envelope names it; proven unless the receipt is unusable with E_SIGNATURE. */
  signer: string
  receipt?: Receipt
  invocation?: Invocation
  task?: Task
  functionName?: string
  /** The outcome that the receipt names, if the file carries it. */
  says?: Outcome
  /** The outcome of running it again here. */
  gives?: Outcome
  /** Where the memory of the run here parts from that which the receipt says, if it carries a trace. */
  parting?: Parting
}

export type CheckedReceipt = Statement & Judgement

/** A home that has signed two heads for one journal at one length. */
export interface TwoFacedHome {
  home: string
  invocation: CID
  epoch: number
  length: number
}

/** Two receipts of one task whose signers say that their memories differed: which, from 0, and when. */
export interface PartedReceipts extends Parting {
  receipts: readonly [number, number]
}

export interface Verification {
  /** One for each receipt of the file, in its order. */
  receipts: CheckedReceipt[]
  /** Each beside the first that carries a trace of its task. */
  parted: PartedReceipts[]
  twoFaced: TwoFacedHome[]
  /** What the home says of how it checked the answer; nobody signs for that. Undefined in a proof. */
  claimed: ReceiptFile['verification'][number] | undefined
}

interface Replayed {
  functionName: string
  inputBytes: number
  /** Undefined: the function does not do what the journal says. */
  ended: { outcomeBytes: Uint8Array; outcome: Outcome; trace: Trace | undefined } | undefined
  diverged: string
}

type VerifyPorts = Pick<Ports, 'clock' | 'crypto'>

/** In a pool that others use too, all checks together take one turn. */
const PARTY = 'receipt files'

/** A run that waits has no event; it is looked at so often. */
const LOOK_EVERY_MS = 100

const unfit = (message: string): MeshError => new MeshError('E_RECEIPT', message)

const templateOf = ({ function: functionCid, export: exportName, environment }: Task): TaskTemplate => ({
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
class Blocks {
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
    const message = `the file lacks the block ${cid}; ask whoever made it for a whole one`
    throw new MeshError('E_BLOCK_MISSING', { message, block: cid.toString() })
  }
}

class FileCheck {
  readonly #ports: VerifyPorts
  readonly #sandbox: VerifySandbox
  readonly #file: ReceiptFile
  readonly #blocks: Blocks
  readonly #runner: Runner
  /** Each read once, however many receipts name it. */
  readonly #outcomes = new Map<string, Outcome | undefined>()
  /** By task and length of the journal: receipts that agree are checked by one run. */
  readonly #replayed = new Map<string, Promise<Replayed>>()

  constructor(ports: VerifyPorts, sandbox: VerifySandbox, file: ReceiptFile) {
    this.#ports = ports
    this.#sandbox = sandbox
    this.#file = file
    this.#blocks = new Blocks(ports.crypto, file.blocks)
    this.#runner = createRunner({ fetch: async (cid) => this.#blocks.get(cid) }, sandbox.pool)
  }

  async check(signed: Envelope, i: number): Promise<CheckedReceipt> {
    const statement: Statement = { signer: signed.signer }
    try {
      const judgement = await this.#judge(signed, i, statement)
      return { ...statement, ...judgement }
    } catch (cause) {
      if (!(cause instanceof MeshError)) throw cause
      return { ...statement, verdict: 'unusable', code: cause.code, reason: cause.message }
    }
  }

  /** Fills in `statement` as it goes. Throws MeshError for whatever makes the receipt unusable. */
  async #judge(signed: Envelope, i: number, statement: Statement): Promise<Judgement> {
    const receipt = await this.#receipt(signed)
    statement.receipt = receipt
    const says = this.#outcome(receipt.outcome)
    if (says) statement.says = says
    statement.invocation = await this.#invocation(receipt, this.#file.invocations[i])
    const task = this.#task(receipt, statement.invocation)
    statement.task = task
    const journal = this.#journal(receipt)
    await this.#ensureHead(receipt)
    this.#ensureEngine(receipt)
    const { trace_ticks } = statement.invocation
    const replayed = await this.#replay(receipt, task, journal, trace_ticks)
    statement.functionName = replayed.functionName
    if (!replayed.ended) return { verdict: 'wrong', diverged: replayed.diverged }
    statement.gives = replayed.ended.outcome
    const { trace = [] } = replayed.ended
    if (receipt.trace) statement.parting = partingOf(receipt.trace, trace)
    const execution = { ...replayed, ...replayed.ended, journal, traceTicks: trace_ticks }
    return this.#compare(signed, receipt, task, execution)
  }

  async #receipt(signed: Envelope): Promise<Receipt> {
    await verifyEnvelope(this.#ports.crypto, 'receipt', signed)
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
    const { crypto } = this.#ports
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
    const { head, length } = headOf(this.#ports.crypto, receipt.invocation, journal)
    if (length === receipt.journal.length && sameBytes(head, receipt.journal.head)) return journal
    throw unfit('the receipt was signed over another journal than that in the file')
  }

  /** An answer is its home's word: only the home can say what it was. */
  async #ensureHead(receipt: Receipt): Promise<void> {
    if (receipt.journal.length === 0) return
    const wanted = headBytes(receipt)
    const head = this.#file.heads.find((one) => one.signer === receipt.home && sameBytes(one.payload, wanted))
    if (!head) throw unfit('its home has not signed the journal, as far as the file shows')
    await verifyEnvelope(this.#ports.crypto, 'journal-head', head)
  }

  #ensureEngine({ engine }: Receipt): void {
    if (this.#sandbox.engines.includes(engine)) return
    const message = `the task ran on ${engine}, and this version has ${this.#sandbox.engines.join(' and ')}; check it with the version that made it`
    throw new MeshError('E_ENGINE_UNAVAILABLE', { message, engine })
  }

  #replay(
    receipt: Receipt,
    task: Task,
    journal: readonly JournalEntry[],
    traceTicks: number | undefined,
  ): Promise<Replayed> {
    const key = `${receipt.task} ${journal.length} ${traceTicks}`
    const begun = this.#replayed.get(key) ?? this.#execute(receipt.task, task, journal, traceTicks)
    this.#replayed.set(key, begun)
    return begun
  }

  async #execute(
    taskId: CID,
    task: Task,
    journal: readonly JournalEntry[],
    traceTicks: number | undefined,
  ): Promise<Replayed> {
    const input = this.#blocks.get(task.input)
    const loaded = await this.#runner.load(task.function, [])
    const { tier } = loaded.manifest
    if (!runsTier(task.environment.engine, tier)) throw unfit(`its task names an engine that runs no ${tier}`)
    const { timeoutMs } = this.#sandbox
    let diverged = ''
    const diverge = (how: string) => {
      diverged = how
      run.kill(how)
    }
    const run: SandboxRun = this.#runner.run({
      ...{ party: PARTY, loaded, template: templateOf(task), task: taskId, input, journal, timeoutMs, traceTicks },
      onRequest: ({ n, kind }) => diverge(`it makes request ${n} (${kind}), which the journal has not got`),
    })
    const stopLooking = this.#watchForWaiting(run, () => diverge('it waits for an answer that the journal has not got'))
    const result = await run.result
    stopLooking()
    const about = { functionName: loaded.manifest.name, inputBytes: input.length }
    if (result.kind === 'diverged') diverged = `the journal has ${result.expected}, it has ${result.found}`
    if (diverged) return { ...about, ended: undefined, diverged }
    if (result.kind === 'outcome')
      return {
        ...about,
        ended: { outcomeBytes: result.outcome, outcome: result.decoded, trace: result.trace },
        diverged,
      }
    const why = result.kind === 'inconclusive' ? result.reason : ''
    throw new MeshError('E_INCONCLUSIVE', `running it again here came to no end: ${why}`)
  }

  #watchForWaiting(run: SandboxRun, waits: () => void): () => void {
    const look = () => {
      if (run.state() === 'waiting') waits()
      else cancel = this.#ports.clock.after(LOOK_EVERY_MS, look)
    }
    let cancel = this.#ports.clock.after(LOOK_EVERY_MS, look)
    return () => cancel()
  }

  #compare(
    { payload }: Envelope,
    receipt: Receipt,
    task: Task,
    replayed: Pick<Execution, 'inputBytes' | 'journal' | 'outcomeBytes' | 'outcome' | 'traceTicks' | 'trace'>,
  ): Judgement {
    const { crypto } = this.#ports
    const outcomeCid = recordCid(crypto, replayed.outcomeBytes)
    if (!receipt.outcome.equals(outcomeCid)) return { verdict: 'wrong' }
    const execution = { ...receipt, template: templateOf(task), ...replayed, outcomeCid }
    const field = receiptFault(crypto, execution, payload)
    if (field === undefined && receipt.trace && !isSameTrace(receipt.trace, replayed.trace ?? []))
      throw unfit('the outcome is right, and the receipt has another trace than the run has here')
    if (field === undefined) return { verdict: 'right' }
    throw unfit(`the outcome is right, and the receipt has another ${field} than goes with it`)
  }
}

const partedIn = (receipts: readonly CheckedReceipt[]): PartedReceipts[] => {
  const firsts = new Map<string, number>()
  return receipts.flatMap(({ receipt }, i) => {
    if (!receipt?.trace) return []
    const task = receipt.task.toString()
    const first = firsts.get(task) ?? i
    firsts.set(task, first)
    const parting = partingOf(receipts[first]?.receipt?.trace ?? [], receipt.trace)
    return parting.differsTick === undefined ? [] : [{ receipts: [first, i] as const, ...parting }]
  })
}

/** Heads that are not what they seem prove nothing, and are passed over. */
const twoFacedIn = async (crypto: Ports['crypto'], heads: readonly Envelope[]): Promise<TwoFacedHome[]> => {
  const seen = new JournalHeads()
  const found: TwoFacedHome[] = []
  for (const signed of heads) {
    const head = await openHead(crypto, signed).catch(() => undefined)
    const two = head && seen.add(head)
    if (!two) continue
    const { invocation, epoch, journal } = two[0].says
    found.push({ home: signed.signer, invocation, epoch, length: journal.length })
  }
  return found
}

/**
 * Judges each receipt of an encoded ReceiptFile, and finds homes that contradict themselves. Whoever made the file is
 * not trusted: what is wrong in it makes a receipt unusable, and only what its signer signed can convict. Throws MeshError E_MESSAGE or E_MESSAGE_LIMIT if the bytes are no receipt file.
 */
export const verifyReceiptFile = async (
  ports: VerifyPorts,
  sandbox: VerifySandbox,
  bytes: Uint8Array,
): Promise<Verification> => {
  const file = ReceiptFile.decode(bytes)
  const twoFaced = await twoFacedIn(ports.crypto, file.heads)
  if (file.receipts.length === 0 && twoFaced.length === 0)
    throw new MeshError('E_MESSAGE', 'receipt file: it has no receipt, and no two heads that contradict each other')
  const check = new FileCheck(ports, sandbox, file)
  const receipts: CheckedReceipt[] = []
  // One after another: what a stranger's file asks for takes one sandbox, not all.
  for (const [i, signed] of file.receipts.entries()) receipts.push(await check.check(signed, i))
  return { receipts, parted: partedIn(receipts), twoFaced, claimed: file.verification[0] }
}
