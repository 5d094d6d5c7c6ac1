/** Receipts, and proofs of wrong ones, with all that is needed to check them offline, by re-execution. */
import type { CID } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { type JournalEntry, orderJournal } from '../protocol/journal.ts'
import { Manifest, ReceiptFile, Task } from '../protocol/records.ts'
import type { CallResult, Dispute, Item, Performed } from './calls.ts'
import { blocksIn } from './large-answers.ts'

/** Finds a function's blocks. */
export type FindBlock = (cid: CID) => Promise<Uint8Array | undefined>

/** Task, input, manifest and code: what an execution begins with. */
export const blocksOf = async (
  {
    request,
    template,
    input,
    manifest,
  }: Pick<Item, 'template' | 'input' | 'manifest'> & { request: { input: Uint8Array } },
  block: FindBlock,
): Promise<Uint8Array[]> => {
  const code = await Promise.all(manifest.code.map((cid) => block(cid)))
  const task = Task.encode({ v: 1, ...template, input })
  return [task, request.input, Manifest.encode(manifest), ...code.filter((bytes) => bytes !== undefined)]
}

/** What its large answers are made of, as far as that is still there. */
export const answerBlocksOf = async (journal: readonly JournalEntry[], block: FindBlock): Promise<Uint8Array[]> => {
  const blocks = new Map(blocksIn(journal).map((cid) => [cid.toString(), cid]))
  const found = await Promise.all([...blocks.values()].map(block))
  return found.filter((bytes) => bytes !== undefined)
}

/** Of each outcome once, however many executions gave it. */
const outcomesOf = (performed: readonly Performed[]): Uint8Array[] => [
  ...new Map(performed.map((one) => [one.outcomeCid.toString(), one.outcomeBytes])).values(),
]

/** A home that repeats an execution has the journal in the item of the first one. */
const journalOf = (performed: readonly Performed[]): JournalEntry[] =>
  orderJournal(performed.map(({ item }) => item.journal).find(({ length }) => length > 0) ?? [])

const headsOf = async (performed: readonly Performed[]): Promise<Envelope[]> =>
  (await Promise.all(performed.map((one) => one.head()))).filter((head) => head !== undefined)

/** Encoded ReceiptFile of every execution of the call; the receipt of the answer comes first. */
export const receiptFileOf = async (
  { performed, verification, executions }: CallResult,
  block: FindBlock,
): Promise<Uint8Array> => {
  const [first] = performed
  if (!first) throw new TypeError('a result without an execution')
  const journal = journalOf(performed)
  const began = [...(await blocksOf(first.item, block)), ...(await answerBlocksOf(journal, block))]
  return ReceiptFile.encode({
    v: 1,
    receipts: await Promise.all(performed.map((one) => one.receipt())),
    invocations: await Promise.all(performed.map((one) => one.invocation())),
    heads: await headsOf(performed),
    journal,
    blocks: [...began, ...outcomesOf(performed)],
    verification: [{ ...verification, executions }],
  })
}

/** Encoded ReceiptFile of one receipt: whoever runs it again sees whether its signer lied. */
export const proofOf = async (receipt: Envelope, execution: Performed, block: FindBlock): Promise<Uint8Array> =>
  ReceiptFile.encode({
    v: 1,
    receipts: [receipt],
    invocations: [await execution.invocation()],
    heads: await headsOf([execution]),
    journal: orderJournal(execution.item.journal),
    blocks: [
      ...(await blocksOf(execution.item, block)),
      ...(await answerBlocksOf(execution.item.journal, block)),
      execution.outcomeBytes,
    ],
    verification: [],
  })

/** That of the disputed receipt. */
export const fraudProofOf = ({ receipts, execution }: Dispute, block: FindBlock): Promise<Uint8Array> =>
  proofOf(receipts[0], execution, block)

/** Encoded ReceiptFile of two heads that convict their signer. */
export const contradictionOf = (heads: Envelope[]): Uint8Array =>
  ReceiptFile.encode({ v: 1, receipts: [], invocations: [], heads, journal: [], blocks: [], verification: [] })
