/** What a backend gives back, as it travels on the control socket. */

import { isErrorCode } from '../../protocol/errors.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { BackendDispute, BackendMapItem, BackendResult } from '../../sdk/backend.ts'
import { ITEM_BYTES, PROOFS_BYTES_MAX, type WireItem, type WireResult } from './frames.ts'

/** Proofs travel as long as there is room for them; each convicts by itself. */
const disputesToWire = (disputes: readonly BackendDispute[]): WireResult['disputes'] => {
  let roomBytes = PROOFS_BYTES_MAX
  return disputes.map(({ proof = null, ...rest }) => {
    if (proof === null || proof.length > roomBytes) return { ...rest, proof: null }
    roomBytes -= proof.length
    return { ...rest, proof }
  })
}

const disputeFromWire = ({ proof, ...rest }: WireResult['disputes'][number]): BackendDispute => ({
  ...rest,
  ...(proof && { proof }),
})

export const resultToWire = ({ outcome, receiptFile, disputes, ...rest }: BackendResult): WireResult => ({
  ...rest,
  disputes: disputesToWire(disputes),
  outcome: Outcome.encode(outcome),
  receipt_file: receiptFile ?? null,
})

export const resultFromWire = ({ outcome, receipt_file, disputes, ...rest }: WireResult): BackendResult => ({
  ...rest,
  disputes: disputes.map(disputeFromWire),
  outcome: Outcome.decode(outcome),
  ...(receipt_file && { receiptFile: receipt_file }),
})

export const itemToWire = (item: BackendMapItem): WireItem => {
  if ('result' in item) return { index: item.index, result: resultToWire(item.result) }
  const { code, message } = item.error
  return { index: item.index, error: { code: isErrorCode(code) ? code : 'E_INTERNAL', message } }
}

export const itemFromWire = (item: WireItem): BackendMapItem =>
  'result' in item ? { index: item.index, result: resultFromWire(item.result) } : item

/** What an item counts for in the flow of its stream. */
export const wireBytes = (item: WireItem): number => {
  if (!('result' in item)) return ITEM_BYTES
  const { outcome, disputes } = item.result
  return disputes.reduce((sum, { proof }) => sum + (proof?.length ?? 0), ITEM_BYTES + outcome.length)
}
