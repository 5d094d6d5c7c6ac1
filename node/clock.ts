import type { Clock } from '../protocol/ports.ts'

/** Node keeps a delay in 32 bits and runs a longer one at once; a longer wait is made of several. */
const DELAY_MS_MAX = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    // A timer takes a millisecond at least; "as soon as possible" is after what has already happened.
    if (delayMs <= 0) {
      const immediate = setImmediate(run)
      return () => clearImmediate(immediate)
    }
    let timer: NodeJS.Timeout
    const wait = (restMs: number) => {
      const nextMs = Math.min(restMs, DELAY_MS_MAX)
      timer = setTimeout(() => (restMs > nextMs ? wait(restMs - nextMs) : run()), nextMs)
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}
