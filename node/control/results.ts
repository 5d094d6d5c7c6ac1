/** What a backend gives back, as it travels on the control socket. */

import { isErrorCode } from '../../protocol/errors.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { BackendMapItem, BackendResult } from '../../sdk/backend.ts'
import { ITEM_BYTES, type WireItem, type WireResult } from './frames.ts'

export const resultToWire = ({ outcome, receiptFile, ...rest }: BackendResult): WireResult => ({
  ...rest,
  outcome: Outcome.encode(outcome),
  receipt_file: receiptFile ?? null,
})

export const resultFromWire = ({ outcome, receipt_file: receiptFile, ...rest }: WireResult): BackendResult => ({
  ...rest,
  outcome: Outcome.decode(outcome),
  ...(receiptFile && { receiptFile }),
})

export const itemToWire = (item: BackendMapItem): WireItem => {
  if ('result' in item) return { index: item.index, result: resultToWire(item.result) }
  const { code, message } = item.error
  return { index: item.index, error: { code: isErrorCode(code) ? code : 'E_INTERNAL', message } }
}

export const itemFromWire = (item: WireItem): BackendMapItem =>
  'result' in item ? { index: item.index, result: resultFromWire(item.result) } : item

/** What an item counts for in the flow of its stream. */
export const wireBytes = (item: WireItem): number => ITEM_BYTES + ('result' in item ? item.result.outcome.length : 0)
