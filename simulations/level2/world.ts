/** What all parts of one large world share. */
import { AT, type Attempts, type Jobs } from './attempts.ts'
import type { Chance } from './chance.ts'
import type { Partition } from './partition.ts'
import type { Population } from './population.ts'
import { DEGREE, type Tables } from './tables.ts'
import { TICKS_PER_MS, ticksOf, type Wheel } from './wheel.ts'

/** What an event is: the index is the number of an attempt's record, but for the last five. */
export const EVENT = {
  ...{ asked: 0, released: 1, ended: 2, started: 3, cancelled: 4, answered: 5, refused: 6 },
  /** Of a peer and its audience (twice its index, and 1 if that is far), an invoker, a peer; of nothing, twice. */
  ...{ news: 7, watch: 8, turn: 9, arrival: 10, cut: 11 },
} as const

export interface Link {
  /** Messages of which one packet is lost: TCP repeats it. */
  lossPpm: number
  /** Input and result of a job. */
  jobBytes: number
}

/** Linux waits at least so long before it repeats a packet. */
const REPEAT_MS_MIN = 200
/** A frame without an input or a result. */
const FRAME_BYTES = 64

export interface Counts {
  /** Messages between peers, and their bytes; words on load are counted once a neighbour. */
  messages: number
  bytes: number
  loadWords: number
  lostPackets: number
  refused: number
  executions: number
  hedges: number
  lost: number
  answered: number
  /** Of counted jobs: what all runs of them took at their executors, and those whose answer was the first; ticks. */
  spentTicks: number
  neededTicks: number
}

type Parts = 'wheel' | 'population' | 'tables' | 'jobs' | 'attempts' | 'random' | 'link' | 'partition' | 'inflates'

export class LargeWorld {
  readonly wheel: Wheel
  readonly population: Population
  readonly tables: Tables
  readonly jobs: Jobs
  readonly attempts: Attempts
  readonly random: Chance
  readonly link: Link
  /** Undefined: nobody is ever cut off. */
  readonly partition: Partition | undefined
  /** By peer, 1: it says that nothing is under way there, whatever is, and that it has twice the slots that it has. Undefined: nobody does. */
  readonly inflates: Uint8Array | undefined
  /** Messages by kind of event. */
  readonly sent = new Uint32Array(Object.keys(EVENT).length)
  readonly counts: Counts = {
    ...{ messages: 0, bytes: 0, loadWords: 0, lostPackets: 0, refused: 0, executions: 0, hedges: 0, lost: 0 },
    ...{ answered: 0, spentTicks: 0, neededTicks: 0 },
  }

  constructor(parts: Pick<LargeWorld, Parts>) {
    this.wheel = parts.wheel
    this.population = parts.population
    this.tables = parts.tables
    this.jobs = parts.jobs
    this.attempts = parts.attempts
    this.random = parts.random
    this.link = parts.link
    this.partition = parts.partition
    this.inflates = parts.inflates
  }

  /** Slots that `peer` says it has. */
  slotsSaid(peer: number): number {
    const { slots } = this.population.deviceOf(peer)
    return this.inflates?.[peer] === 1 ? 2 * slots : slots
  }

  /** A message on attempt `a`, to its executor or from it, with the bytes of an input or a result or without. */
  send(a: number, kind: number, toExecutor: boolean, withJob: boolean): void {
    const { columns } = this.attempts
    const row = columns.row[a] as number
    const bytes = withJob ? FRAME_BYTES + this.link.jobBytes : FRAME_BYTES
    const invoker = this.tables.invokers[Math.floor(row / DEGREE)] as number
    const executor = columns.peer[a] as number
    let delay = this.tables.delayTicks[row] as number
    delay += toExecutor ? this.#transferTicks(invoker, executor, bytes) : this.#transferTicks(executor, invoker, bytes)
    if (this.link.lossPpm > 0 && this.random.below(1_000_000) < this.link.lossPpm) {
      this.counts.lostPackets++
      delay += Math.max(ticksOf(REPEAT_MS_MIN), 2 * delay)
    }
    if (this.partition) delay += this.partition.waitTicks(invoker, executor, this.wheel.now)
    this.counts.messages++
    this.sent[kind] = (this.sent[kind] as number) + 1
    this.counts.bytes += bytes
    this.later(a, delay, kind)
  }

  /** One of its events has happened, or nobody waits for it any more: is its record of use? */
  settle(a: number): void {
    const { open, at, events } = this.attempts.columns
    if (open[a] === 0 && at[a] === AT.over && events[a] === 0) this.attempts.free(a)
  }

  #transferTicks(from: number, to: number, bytes: number): number {
    const up = this.population.deviceOf(from).upKbitPerS
    const down = this.population.deviceOf(to).downKbitPerS
    return Math.round(8 * bytes * TICKS_PER_MS * (1 / up + 1 / down))
  }

  /** An event on attempt `a`, whose record stays until it has happened. */
  later(a: number, delay: number, kind: number): void {
    const { columns, words } = this.attempts
    columns.events[a] = (columns.events[a] as number) + 1
    this.wheel.after(delay, kind, a / words)
  }
}
