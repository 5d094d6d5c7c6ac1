/** The effect `sleep`: the home of an item waits for its function. */
import { MeshError } from '../protocol/errors.ts'
import type { Clock } from '../protocol/ports.ts'
import { decodeValue, type Value } from '../protocol/values.ts'

/** One number in a map: more would be no request to sleep. */
const ARGUMENTS_ITEMS_MAX = 2

/** How long a function asks to wait. Throws MeshError E_USAGE. */
export const ensureSleepMs = (encoded: Uint8Array): number => {
  const value = decodeValue(encoded, ARGUMENTS_ITEMS_MAX)
  const ms = typeof value === 'object' && value !== null ? (value as Record<string, Value>).ms : undefined
  if (!Number.isSafeInteger(ms) || (ms as number) < 1)
    throw new MeshError('E_USAGE', 'sleep: ms must be a whole number of milliseconds, at least 1')
  return ms as number
}

export class Sleeps {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #deadlineMs: number
  readonly #cancels = new Set<() => void>()

  /** `deadlineMs`: when the item ends at the latest, by the monotonic clock. */
  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, deadlineMs: number) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
  }

  /** Resolves after `ms`; never, if the item ends before that. */
  sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#clock.monotonic() + ms > this.#deadlineMs) return promise
    const cancel = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel)
      resolve()
    })
    this.#cancels.add(cancel)
    return promise
  }

  /** The item has ended: nobody waits any more. */
  close(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
