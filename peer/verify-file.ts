/** Checks a receipt file by what it carries alone: who signed what, and what comes of it when it is run again. */
import { type CID, recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { type ErrorCode, MeshError } from '../protocol/errors.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Ports } from '../protocol/ports.ts'
import { type Receipt, ReceiptFile, type Task, type Trace } from '../protocol/records.ts'
import { runsTier } from '../protocol/tiers.ts'
import type { SandboxPool } from '../sandbox/pool.ts'
import { JournalHeads, openHead } from './journal-heads.ts'
import { type Read, ReceiptReader, templateOf, unfit } from './receipt-reading.ts'
import { type Execution, receiptFault } from './receipts.ts'
import { type Rerun, runAgain } from './rerun.ts'
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
export interface Statement extends Read {
  /** As the envelope names it; proven unless the receipt is unusable with E_SIGNATURE. */
  signer: string
  functionName?: string
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

type VerifyPorts = Pick<Ports, 'crypto'>

/** What it does that the journal does not say, in words. */
const divergenceWords = (rerun: Exclude<Rerun, { kind: 'outcome' | 'stopped' }>): string => {
  if (rerun.kind === 'waits') return 'it waits for an answer that the journal has not got'
  if (rerun.kind === 'diverged') return `the journal has ${rerun.expected}, it has ${rerun.found}`
  const { n, kind } = rerun.request
  return `it makes request ${n} (${kind}), which the journal has not got`
}

class FileCheck {
  readonly #ports: VerifyPorts
  readonly #sandbox: VerifySandbox
  readonly #reader: ReceiptReader
  readonly #runner: Runner
  /** By task and length of the journal: receipts that agree are checked by one run. */
  readonly #replayed = new Map<string, Promise<Replayed>>()

  constructor(ports: VerifyPorts, sandbox: VerifySandbox, file: ReceiptFile) {
    this.#ports = ports
    this.#sandbox = sandbox
    this.#reader = new ReceiptReader(ports.crypto, file, sandbox.engines)
    this.#runner = createRunner({ fetch: async (cid) => this.#reader.block(cid) }, sandbox.pool)
  }

  async check(signed: Envelope, i: number): Promise<CheckedReceipt> {
    const statement: Statement = { signer: signed.signer }
    try {
      const judgement = await this.#judge(signed, i, statement)
      // What lies before a checkpoint is its home's word.
      if (judgement.verdict === 'wrong' && statement.receipt?.at) throw unfit('it has a checkpoint')
      return { ...statement, ...judgement }
    } catch (cause) {
      if (!(cause instanceof MeshError)) throw cause
      return { ...statement, verdict: 'unusable', code: cause.code, reason: cause.message }
    }
  }

  /** Fills in `statement` as it goes. Throws MeshError for whatever makes the receipt unusable. */
  async #judge(signed: Envelope, i: number, statement: Statement): Promise<Judgement> {
    const { receipt, invocation, task, journal } = await this.#reader.read(i, statement)
    const { trace_ticks } = invocation
    const replayed = await this.#replay(receipt, task, journal, trace_ticks)
    statement.functionName = replayed.functionName
    if (!replayed.ended) return { verdict: 'wrong', diverged: replayed.diverged }
    statement.gives = replayed.ended.outcome
    const { trace = [] } = replayed.ended
    if (receipt.trace) statement.parting = partingOf(receipt.trace, trace)
    const execution = { ...replayed, ...replayed.ended, journal, traceTicks: trace_ticks }
    return this.#compare(signed, receipt, task, execution)
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
    const input = this.#reader.block(task.input)
    const loaded = await this.#runner.load(task.function, [])
    const { tier, name } = loaded.manifest
    if (!runsTier(task.environment.engine, tier)) throw unfit(`its task names an engine that runs no ${tier}`)
    const { timeoutMs } = this.#sandbox
    const recorded = { loaded, template: templateOf(task), task: taskId, input, journal, timeoutMs, traceTicks }
    const rerun = await runAgain(this.#runner, recorded)
    const about = { functionName: name, inputBytes: input.length }
    if (rerun.kind === 'outcome') return { ...about, ended: rerun, diverged: '' }
    if (rerun.kind === 'stopped') throw new TypeError('it was not to stop')
    return { ...about, ended: undefined, diverged: divergenceWords(rerun) }
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
