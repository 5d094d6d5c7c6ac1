/** Jobs and attempts under way, as columns. */
import { Records } from './records.ts'

/** Where an attempt is, as its executor sees it. */
export const AT = { travels: 0, held: 1, ready: 2, runs: 3, over: 4 } as const

export const NONE = -1

export const createJobs = (capacity: number) =>
  new Records(
    {
      /** By number; of its record's list: the next open one of its invoker. */
      invoker: Int32Array,
      link: Int32Array,
      previous: Int32Array,
      /** The next that waits for a place. */
      waits: Int32Array,
      /** Of its open attempts. */
      first: Int32Array,
      /** When it arrived, in ticks. */
      at: Uint32Array,
      /** Ms at speed 1. */
      work: Float32Array,
      /** What its answer is worth to the report: its number, if it is counted, else 0. */
      counts: Uint32Array,
      hedges: Uint32Array,
    },
    capacity,
  )

export const createAttempts = (capacity: number) =>
  new Records(
    {
      job: Int32Array,
      /** Of its invoker's table, and the executor that is there. */
      row: Int32Array,
      peer: Int32Array,
      /** The next at its executor. */
      link: Int32Array,
      /** The next open one of its job. */
      sibling: Int32Array,
      sentAt: Uint32Array,
      /** When its invoker heard that it runs; 0: not yet. */
      heardAt: Uint32Array,
      /** Until it comes: for how long it is to be held; then, since when it may run, and at last since when it runs. */
      since: Uint32Array,
      predictedMs: Float32Array,
      /** Of its job, which may be over before it: ms at speed 1, and whether it is counted. */
      work: Float32Array,
      counted: Uint32Array,
      at: Uint32Array,
      /** Its invoker waits for it. */
      open: Uint32Array,
      tied: Uint32Array,
      /** Items at its executor when it was sent, this one included. */
      load: Uint32Array,
      /** Events to come that name it. */
      events: Uint32Array,
    },
    capacity,
  )

export type Jobs = ReturnType<typeof createJobs>
export type Attempts = ReturnType<typeof createAttempts>
