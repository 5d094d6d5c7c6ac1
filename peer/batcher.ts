/** Collects items and hands them on together: what waits for one peer is signed once and sent in one frame. */
import type { Clock } from '../protocol/ports.ts'
import { soon } from './soon.ts'

export interface Batcher<T> {
  /** `bytes`: what the item adds to a frame. */
  add(item: T, bytes: number): void
  /** Hands on what has been collected, now. */
  flush(): void
  /** Collected and not handed on. */
  readonly size: number
}

export interface BatcherOptions<T> {
  /**
   * How long an item waits for company, ms; asked when it comes. 0: for that of the same turn; 'soon': of the same task.
   * Undefined: it and those before it go at once.
   */
  delayMs(item: T): number | 'soon' | undefined
  /**
   * With company that comes the wait begins anew, up to so many ms in all, and ends up to twice as late as without. Undefined:
   * it does not.
   */
  inAllMs?: number
  itemsMax: number
  bytesMax: number
  flush(items: T[]): void
}

/** Where so much is under way that company is sure to come, it is waited for: a signature costs more than the wait. */
export const companyDelayMs = (underWay: number): number => (underWay > COMPANY_SURE_FROM ? COMPANY_MS : 0)
const COMPANY_SURE_FROM = 32
export const COMPANY_MS = 2

/** Timers of a page may be so much too early: looking once more would cost more than what comes meanwhile saves. */
const EARLY_MS = 1

export const createBatcher = <T>(clock: Pick<Clock, 'after' | 'monotonic'>, options: BatcherOptions<T>): Batcher<T> => {
  const { inAllMs = 0 } = options
  let items: T[] = []
  let bytes = 0
  /** Monotonic instants: until when the first may wait, and all do. */
  let lastMs = 0
  let dueMs = 0
  let cancel: (() => void) | undefined

  const flush = () => {
    cancel?.()
    cancel = undefined
    if (items.length === 0) return
    const batch = items
    items = []
    bytes = 0
    options.flush(batch)
  }

  /**
   * One timer for all that come: setting one costs more than looking once too often. Where company goes on coming, each look
   * is twice as late as the one before.
   */
  const waitFor = (delayMs: number, seldomerMs = 0) => {
    cancel = clock.after(Math.max(delayMs, seldomerMs), () => {
      const nowMs = clock.monotonic()
      if (inAllMs === 0 || dueMs - nowMs < EARLY_MS) return flush()
      waitFor(dueMs - nowMs, Math.min(lastMs - nowMs, 2 * seldomerMs || delayMs))
    })
  }

  const waitForTask = () => {
    let isOff = false
    cancel = () => {
      isOff = true
    }
    soon(() => !isOff && flush())
  }

  const wait = (delayMs: number) => {
    if (inAllMs > 0) {
      const nowMs = clock.monotonic()
      if (!cancel) lastMs = nowMs + inAllMs
      dueMs = Math.min(lastMs, nowMs + delayMs)
    }
    if (!cancel) waitFor(inAllMs > 0 ? Math.min(delayMs, inAllMs) : delayMs)
  }

  return {
    add: (item, itemBytes) => {
      if (items.length > 0 && bytes + itemBytes > options.bytesMax) flush()
      items.push(item)
      bytes += itemBytes
      const delayMs = options.delayMs(item)
      if (items.length >= options.itemsMax || delayMs === undefined) flush()
      else if (delayMs !== 'soon') wait(delayMs)
      else if (!cancel) waitForTask()
    },
    flush,
    get size() {
      return items.length
    },
  }
}
