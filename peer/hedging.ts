/** When a silent or slow attempt gets a second one. Pure. */

/** An executor says every 500 ms that it lives (docs/ARCHITECTURE.md, "How a call goes", 5); three missed mean lost. */
export const PROGRESS_EVERY_MS = 500
export const SILENCE_MS_MAX = 3 * PROGRESS_EVERY_MS

/** How often attempts are looked at, unless one is lost before; a deadline is met within it. */
export const WATCH_EVERY_MS = 100
/** No sooner, however many are lost at instants of their own: each look is at all of them. */
export const WATCH_MS_MIN = 10

export interface AttemptView {
  /** Ms since anything was heard about this attempt. */
  readonly silentMs: number
  /** Ms since it was sent. */
  readonly ageMs: number
  /** From sent to answered, as was predicted for this executor when it was sent, ms. */
  readonly predictedMs: number
  /** Of 20 attempts at this function, 19 took at most so many times what was predicted; 0: unknown. */
  readonly lateness: number
  /** No effects requested, so a second execution harms nothing. */
  readonly pure: boolean
  readonly hedges: number
}

/** Below this a second execution gains nothing that anybody would notice. */
const HEDGE_AFTER_MS_MIN = 1000
/** Where times hardly vary the percentile says little: an attempt that is only just late ends before another would. */
const LATENESS_MIN = 1.5
/** How far beyond the usual counts as slow for a verifier that was drawn; queues alone make some twice the median. */
const SLOW_FACTOR = 4

/** Is this age slow for a function of this median time? Without experience of the function nothing is. */
export const isSlow = (ageMs: number, usualMs: number): boolean =>
  usualMs > 0 && ageMs > Math.max(HEDGE_AFTER_MS_MIN, SLOW_FACTOR * usualMs)

export const isLost = (view: AttemptView): boolean => view.silentMs >= SILENCE_MS_MAX

/** One hedge an item. */
export const shouldHedge = (view: AttemptView): boolean =>
  view.pure &&
  view.hedges === 0 &&
  view.lateness > 0 &&
  view.ageMs > Math.max(HEDGE_AFTER_MS_MIN, Math.max(LATENESS_MIN, view.lateness) * view.predictedMs)

/** Of the items begun, so many may be hedged: more doubled the work in vain, and made none faster (decision 91). */
const HEDGE_SHARE = 0.02
/** So many before anything has been begun: the first slow item is hedged as well. */
const HEDGES_AT_FIRST = 1
/** Saved up at most. */
const HEDGES_MAX = 100

/** What is left to hedge with. */
export class HedgeBudget {
  #left = HEDGES_AT_FIRST

  begun(): void {
    this.#left = Math.min(HEDGES_MAX, this.#left + HEDGE_SHARE)
  }

  get allows(): boolean {
    return this.#left >= 1
  }

  hedged(): void {
    this.#left--
  }
}
