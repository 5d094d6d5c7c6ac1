/** Receipts with all that is needed to check them offline, by re-execution. */
import type { CID } from '../protocol/cid.ts'
import { orderJournal } from '../protocol/journal.ts'
import { Manifest, ReceiptFile, Task } from '../protocol/records.ts'
import type { CallResult } from './calls.ts'

/** `block` finds the function's blocks. Encoded ReceiptFile; the receipt of the answer comes first. */
export const receiptFileOf = async (
  result: CallResult,
  block: (cid: CID) => Promise<Uint8Array | undefined>,
): Promise<Uint8Array> => {
  const [first] = result.performed
  if (!first) throw new TypeError('a result without an execution')
  const { request, template, manifest, journal } = first.item
  const manifestBytes = Manifest.encode(manifest)
  const task = Task.encode({ v: 1, ...template, input: first.item.input })
  const code = await Promise.all(manifest.code.map((cid) => block(cid)))
  const outcomes = result.performed.map((one) => one.outcomeBytes)
  return ReceiptFile.encode({
    v: 1,
    receipts: await Promise.all(result.performed.map((one) => one.receipt())),
    invocations: await Promise.all(result.performed.map((one) => one.invocation())),
    journal: orderJournal(journal),
    blocks: [task, request.input, manifestBytes, ...code.filter((bytes) => bytes !== undefined), ...outcomes],
  })
}
