/** When a silent or slow attempt gets a second one. Pure. */

/** An executor says every 500 ms that it lives (docs/ARCHITECTURE.md, "How a call goes", 5); three missed mean lost. */
export const PROGRESS_EVERY_MS = 500
export const SILENCE_MS_MAX = 3 * PROGRESS_EVERY_MS

export interface AttemptView {
  /** Ms since anything was heard about this attempt. */
  readonly silentMs: number
  /** Ms since it was sent. */
  readonly ageMs: number
  /** Median of the completion times of this function so far; 0: unknown. A few slow executors do not move it. */
  readonly usualMs: number
  /** No effects requested, so a second execution harms nothing. */
  readonly pure: boolean
  readonly hedges: number
}

/** Below this a second execution gains nothing that anybody would notice. */
const HEDGE_AFTER_MS_MIN = 1000
/** How far beyond the usual counts as slow; queues alone make some twice the median. */
const SLOW_FACTOR = 4

/** Is this age slow for a function of this usual time? Without experience of the function nothing is. */
export const isSlow = (ageMs: number, usualMs: number): boolean =>
  usualMs > 0 && ageMs > Math.max(HEDGE_AFTER_MS_MIN, SLOW_FACTOR * usualMs)

export const isLost = (view: AttemptView): boolean => view.silentMs > SILENCE_MS_MAX

/** One hedge an item. */
export const shouldHedge = (view: AttemptView): boolean =>
  view.pure && view.hedges === 0 && isSlow(view.ageMs, view.usualMs)
