/** Jobs and attempts under way, as columns. */
import { Records } from './records.ts'

/** Where an attempt is, as its executor sees it. */
export const AT = { travels: 0, held: 1, ready: 2, runs: 3, over: 4 } as const

export const NONE = -1

export const createJobs = (capacity: number) =>
  new Records({
    /** By number; of its record's list: the next open one of its invoker. */
    invoker: new Int32Array(capacity),
    link: new Int32Array(capacity),
    previous: new Int32Array(capacity),
    /** The next that waits for a place. */
    waits: new Int32Array(capacity),
    /** Of its open attempts. */
    first: new Int32Array(capacity),
    /** When it arrived, in ticks. */
    at: new Uint32Array(capacity),
    /** Ms at speed 1. */
    work: new Float32Array(capacity),
    /** What its answer is worth to the report: its number, if it is counted, else 0. */
    counts: new Uint32Array(capacity),
    hedges: new Uint8Array(capacity),
  })

export const createAttempts = (capacity: number) =>
  new Records({
    job: new Int32Array(capacity),
    /** Of its invoker's table. */
    row: new Int32Array(capacity),
    /** The next at its executor. */
    link: new Int32Array(capacity),
    /** The next open one of its job. */
    sibling: new Int32Array(capacity),
    sentAt: new Uint32Array(capacity),
    startedAt: new Uint32Array(capacity),
    /** When its invoker heard of that; 0: not yet. */
    heardAt: new Uint32Array(capacity),
    /** Until it comes: for how long it is to be held; then, since when it may run. */
    ready: new Uint32Array(capacity),
    predictedMs: new Float32Array(capacity),
    /** Of its job, which may be over before it: ms at speed 1, and whether it is counted. */
    work: new Float32Array(capacity),
    counted: new Uint8Array(capacity),
    at: new Uint8Array(capacity),
    /** Its invoker waits for it. */
    open: new Uint8Array(capacity),
    tied: new Uint8Array(capacity),
    /** Items at its executor when it was sent, this one included. */
    load: new Uint8Array(capacity),
    /** Events to come that name it. */
    events: new Uint8Array(capacity),
  })

export type Jobs = ReturnType<typeof createJobs>
export type Attempts = ReturnType<typeof createAttempts>
