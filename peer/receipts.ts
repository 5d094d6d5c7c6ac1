/** Receipts: what an executor states, and what its home expects it to state. */
import { CID, cidDigest } from '../protocol/cid.ts'
import { type JournalEntry, journalHead, orderJournal } from '../protocol/journal.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { Crypto } from '../protocol/ports.ts'
import { type Checkpoint, Receipt, type TaskTemplate, type Trace } from '../protocol/records.ts'
import { isSpaced } from './traces.ts'

/** One execution, as both its executor and its home know it. */
export interface Execution {
  mesh: CID
  invocation: CID
  task: CID
  template: TaskTemplate
  inputBytes: number
  attempt: number
  epoch: number
  executor: string
  home: string
  journal: readonly JournalEntry[]
  /** Canonical bytes, and the same decoded. */
  outcomeBytes: Uint8Array
  outcome: Outcome
  outcomeCid: CID
  /** The invocation asks for a trace, with a hash every so many ticks. */
  traceTicks: number | undefined
  /** As its executor has it. */
  trace?: Trace | undefined
  /** The checkpoint that its home let it go on from. */
  at?: Checkpoint | undefined
}

/** Head and length of a journal that begins at the invocation's CID. */
export const headOf = (
  crypto: Pick<Crypto, 'hash'>,
  invocation: CID,
  journal: readonly JournalEntry[],
): Receipt['journal'] => {
  let head = cidDigest(invocation)
  for (const entry of orderJournal(journal)) head = journalHead(crypto as Crypto, head, entry)
  return { head, length: journal.length }
}

/** The canonical bytes of the one receipt that is right for this execution. */
export const receiptBytes = (crypto: Pick<Crypto, 'hash'>, execution: Execution): Uint8Array =>
  Receipt.encode({
    v: 1,
    mesh: execution.mesh,
    invocation: execution.invocation,
    task: execution.task,
    attempt: execution.attempt,
    epoch: execution.epoch,
    executor: execution.executor,
    home: execution.home,
    engine: execution.template.environment.engine,
    limits: execution.template.environment.limits,
    journal: headOf(crypto, execution.invocation, execution.journal),
    outcome: execution.outcomeCid,
    usage: {
      fuel: execution.outcome.fuel,
      memory_bytes: execution.outcome.memory_bytes,
      bytes: execution.inputBytes + execution.outcomeBytes.length,
    },
    ...(execution.trace && { trace: execution.trace }),
    ...(execution.at && { at: execution.at }),
  })

/**
 * The journal as its executor had it at the end, when it names `length` entries: all requests, and the first answers.
 * Later ones were on their way then.
 */
export const upTo = (journal: readonly JournalEntry[], length: number): JournalEntry[] => {
  let answersLeft = length - journal.filter(({ entry }) => entry === 'request').length
  return journal.filter(({ entry }) => entry === 'request' || answersLeft-- > 0)
}

const readReceipt = (payload: Uint8Array): Receipt | undefined => {
  try {
    return Receipt.decode(payload)
  } catch {
    return undefined
  }
}

/** Not by `every`: this runs for each receipt. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Of its memory an executor has its own word; all else in a receipt follows from what its home knows. */
const saidTrace = ({ traceTicks }: Execution, payload: Uint8Array): Trace | undefined => {
  if (traceTicks === undefined) return undefined
  const said = readReceipt(payload)?.trace ?? []
  return isSpaced(said, traceTicks) ? said : []
}

/** The first field in which a receipt's bytes differ from what this execution calls for; undefined if none does. */
export const receiptFault = (
  crypto: Pick<Crypto, 'hash'>,
  execution: Execution,
  payload: Uint8Array,
): string | undefined => {
  const expected = receiptBytes(crypto, { ...execution, trace: saidTrace(execution, payload) })
  if (sameBytes(expected, payload)) return undefined
  const got = readReceipt(payload)
  if (!got) return 'encoding'
  const want = Receipt.decode(expected)
  const text = (x: unknown) => (x instanceof CID ? x.toString() : JSON.stringify(x))
  const keys = Object.keys({ ...got, ...want }) as (keyof Receipt)[]
  return keys.find((key) => text(want[key]) !== text(got[key])) ?? 'encoding'
}
