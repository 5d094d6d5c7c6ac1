/** Long enough for whatever goes on in the same task: 2 µs. */
const MICROTASKS = 32
/** A microtask by a promise costs a tenth of one by `queueMicrotask`. */
const SETTLED = Promise.resolve()

/**
 * Calls `run` in this task, once what goes on in it has come so far: what is begun together comes together. What was given
 * first runs first. A task of its own would cost an agent a turn of its loop, and a page, which has to post it, more.
 */
export const soon = (run: () => void): void => after(MICROTASKS, run)

const after = (microtasks: number, run: () => void): void => {
  SETTLED.then(() => (microtasks > 1 ? after(microtasks - 1, run) : run()))
}
