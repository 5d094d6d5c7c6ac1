/** The effect `sleep`: the home of an item waits for its function. */
import type { Clock } from '../../protocol/ports.ts'

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
