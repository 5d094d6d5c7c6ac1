/** What comes after one attempt to deliver what was sent. Pure. */
import type { ErrorCode } from '../../protocol/errors.ts'

/** Mail servers try for days; whoever sends through a home is there to look at its log tomorrow. */
const TRY_MS_MAX = 24 * 60 * 60_000

export type Next = { kind: 'delivered' | 'again' } | { kind: 'failed'; reason: string }

/** Statuses by which a server says that it has not done it, and may later (RFC 9110, 15.6; RFC 6585, 4). */
const LATER = new Set([429, 502, 503, 504])

const againOr = (reason: string, triedMs: number): Next =>
  triedMs < TRY_MS_MAX ? { kind: 'again' } : { kind: 'failed', reason }

/** An answer with `status` came, `triedMs` after the commit. */
export const afterAnswer = (status: number, onUnknown: 'retry' | 'fail', triedMs: number): Next => {
  if (status < 400) return { kind: 'delivered' }
  const reason = `it was answered with status ${status}`
  return onUnknown === 'retry' && LATER.has(status) ? againOr(reason, triedMs) : { kind: 'failed', reason }
}

/** No answer came: E_FETCH, nothing unsafe was sent; E_EFFECT_OUTCOME_UNKNOWN, it was, and may have been performed. */
export const afterFailure = (
  { code, message }: { code: ErrorCode; message: string },
  onUnknown: 'retry' | 'fail',
  triedMs: number,
): Next => {
  const mayGoOn = code === 'E_FETCH' || (code === 'E_EFFECT_OUTCOME_UNKNOWN' && onUnknown === 'retry')
  return mayGoOn ? againOr(message, triedMs) : { kind: 'failed', reason: message }
}
