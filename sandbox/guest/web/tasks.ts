/**
 * Timers and microtasks, after HTML ("Timers", "Microtask queuing"). A timer with a delay is an effect: the home waits,
 * and its answer is when the callback is called. One without is not: it is called when all jobs are done.
 */
import { evaluated, report, textOf, turn, wait } from './prelude-exports.ts'

type Callback = (...args: unknown[]) => unknown

/** HTML keeps delays in 32 bits; a longer one, like a negative, is none. */
const DELAY_MS_MAX = 2 ** 31 - 1

const delayOf = (delay: unknown): number => {
  const ms = Math.trunc(Number(delay))
  return ms > 0 && ms <= DELAY_MS_MAX ? ms : 0
}

const live = new Map<number, Callback>()
let last = 0

const callbackOf = (run: unknown, what: string): Callback => {
  if (typeof run !== 'function') throw new TypeError(`${what}: expected a function`)
  return run as Callback
}

/** Calls `run`, whose errors nobody can catch. */
const guarded = (run: Callback, args: unknown[] = []): void => {
  try {
    Reflect.apply(run, undefined, args)
  } catch (error) {
    report(error)
  }
}

/** Calls `run` after `ms`, at the earliest when all jobs are done. */
export const after = (ms: number, run: () => void): void => {
  if (ms <= 0) return turn(run)
  wait('sleep', textOf({ __proto__: null, ms }, 'sleep'), () => guarded(run), report)
  evaluated('effects')?.endStep()
}

export const setTimeout = (run: unknown, delay?: unknown, ...args: unknown[]): number => {
  const id = ++last
  live.set(id, callbackOf(run, 'setTimeout'))
  after(delayOf(delay), () => {
    const callback = live.get(id)
    if (callback && live.delete(id)) guarded(callback, args)
  })
  return id
}

/** Each round takes time, so that waiting for something in rounds does not use up the fuel: at least 1 ms, as in Node. */
export const setInterval = (run: unknown, delay?: unknown, ...args: unknown[]): number => {
  const id = ++last
  const ms = Math.max(1, delayOf(delay))
  live.set(id, callbackOf(run, 'setInterval'))
  const round = (): void => {
    const callback = live.get(id)
    if (!callback) return
    guarded(callback, args)
    if (live.has(id)) after(ms, round)
  }
  after(ms, round)
  return id
}

export const clearTimeout = (id?: unknown): void => {
  live.delete(Number(id))
}
export const clearInterval = (id?: unknown): void => clearTimeout(id)

export const queueMicrotask = (run: unknown): void => {
  const callback = callbackOf(run, 'queueMicrotask')
  Promise.resolve().then(() => guarded(callback))
}

export function reportError(error: unknown): void {
  if (arguments.length === 0) throw new TypeError('reportError: an argument is required')
  report(error)
}
