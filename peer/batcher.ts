/** Collects items and hands them on together: what waits for one peer is signed once and sent in one frame. */
import type { Clock } from '../protocol/ports.ts'

export interface Batcher<T> {
  /** `bytes`: what the item adds to a frame. */
  add(item: T, bytes: number): void
  /** Hands on what has been collected, now. */
  flush(): void
}

export interface BatcherOptions<T> {
  /** How long an item waits for company, ms; asked when it comes. Undefined: it and those before it go at once. */
  delayMs(): number | undefined
  itemsMax: number
  bytesMax: number
  flush(items: T[]): void
}

/** Where so much is under way that company is sure to come, it is waited for: a signature costs more than the wait. */
export const companyDelayMs = (underWay: number): number => (underWay > COMPANY_SURE_FROM ? COMPANY_MS : 0)
const COMPANY_SURE_FROM = 32
const COMPANY_MS = 2

export const createBatcher = <T>(clock: Pick<Clock, 'after'>, options: BatcherOptions<T>): Batcher<T> => {
  let items: T[] = []
  let bytes = 0
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

  return {
    add: (item, itemBytes) => {
      if (items.length > 0 && bytes + itemBytes > options.bytesMax) flush()
      items.push(item)
      bytes += itemBytes
      const delayMs = options.delayMs()
      if (items.length >= options.itemsMax || delayMs === undefined) flush()
      else cancel ??= clock.after(delayMs, flush)
    },
    flush,
  }
}
