/** Jobs at many peers, level 2: each decision is that of peer/, on columns; beside an oracle, if that can be afforded. */
import { deriveSeed } from '../random.ts'
import { type Arrival, replay } from '../routing-oracle.ts'
import type { RttMatrix } from '../rtt-matrix.ts'
import { createAttempts, createJobs } from './attempts.ts'
import { type Chance, quickChance } from './chance.ts'
import { DEVICES, type DeviceClass } from './devices.ts'
import { Executors } from './executors.ts'
import { matrixGeography, modelGeography } from './geography.ts'
import { type AnsweredJob, Invokers } from './invokers.ts'
import { type Cut, Partition } from './partition.ts'
import { HOUR_MS, Population } from './population.ts'
import { DEGREE, Tables } from './tables.ts'
import { type Handler, msOf, ticksOf, Wheel } from './wheel.ts'
import {
  type Day,
  type Jobs,
  type TracedWorkload,
  throughDay,
  type Workload,
  type WorkloadName,
  workloadOf,
} from './workloads.ts'
import { EVENT, LargeWorld, type Link } from './world.ts'

export interface LargeRouting {
  /** 32 bits. */
  seed: number
  peers: number
  /** How many of them ask as well; these never leave. */
  invokers: number
  /** Of jobs that are drawn: at speed 1, on average. */
  jobMs: number
  /** Likewise, the work that arrives, in parts of what those do that are there in the beginning. */
  load: number
  workload: WorkloadName | TracedWorkload
  /** Counted, after those from which speeds are learnt. */
  jobs: number
  firstJobs: number
  /** Do peers come and go? */
  churn: boolean
  /** Invokers know from the first how fast each neighbour is, which they must learn else; what that costs is what differs. */
  speedsKnown?: boolean
  /** Invokers see the loads of their neighbours as they are; else as they were told, some of it a quarter of a second ago. */
  loadsSeen?: boolean
  /**
   * Keeps what arrived, so that one can be asked who sees everything, and may give each job to a neighbour of who asks, or, 'all', to any
   * peer as well; which costs neighbours × jobs, and peers × jobs.
   */
  oracle?: 'neighbours' | 'all'
  link?: Link
  devices?: readonly DeviceClass[]
  rtts?: RttMatrix | undefined
  /** Jobs that are drawn come in 24 windows, an hour from each other, and by night so many times as many as by day. Default: on end. */
  day?: Pick<Day, 'byNight'>
  /** Places that are cut off for a time. Default: none. */
  cut?: Cut
  /** Of those that do not ask, the share that says more of itself than there is (`LargeWorld.inflates`). Default: none. */
  inflators?: number
  /** Is shown what happens, and changes nothing. */
  watch?: RoutingWatch
}

export interface RoutingWatch {
  /** Before the first job, and once a second. */
  second(routing: LargeRoutingWorld): void
  /** Each counted job. */
  answered(job: AnsweredJob, routing: LargeRoutingWorld): void
}

const LINK: Link = { lossPpm: 1000, jobBytes: 1024 }

const BEGINS_MS = 60_000
export const DAY_HOURS = 24
/** As much again as all work takes, at least: whoever has no answer by then will have none. */
const PATIENCE_MS = 600_000

/** Room at first, in parts of the peers. */
const JOBS_SHARE = 0.4
const ATTEMPTS_SHARE = 0.65

const inflatorsOf = ({ peers, inflators }: LargeRouting, { invokers }: Tables, { below }: Chance) => {
  if (inflators === undefined) return undefined
  const inflates = Uint8Array.from({ length: peers }, () => (below(1_000_000) < inflators * 1_000_000 ? 1 : 0))
  for (const peer of invokers) inflates[peer] = 0
  return inflates
}

export class LargeRoutingWorld {
  readonly world: LargeWorld
  readonly executors: Executors
  readonly invokers: Invokers
  /** Ticks from arrival to answer, of counted jobs by number, from 1 on; 0: not yet. */
  readonly tookTicks: Uint32Array
  /** What arrived, for the oracle; in the order of their numbers. */
  readonly arrivals: Arrival[] = []
  readonly options: LargeRouting
  readonly #workload: Workload
  readonly #next: Jobs = { gapMs: 0, workMs: 0, count: 0 }
  readonly #handlers: readonly Handler[]
  /** When the next ones arrive: gaps may be far shorter than a tick. */
  #nextMs = BEGINS_MS
  #begun = 0
  #answered = 0

  constructor(options: LargeRouting) {
    const { seed, peers, rtts, devices = DEVICES, link = LINK } = options
    const random = (name: string) => quickChance(deriveSeed(seed, name))
    const geography = rtts ? matrixGeography(rtts) : modelGeography(random('places'))
    const population = new Population(peers, geography, random('peers'), devices)
    const tables = new Tables(population, options.invokers, random('tables'))
    if (options.speedsKnown) tables.tellSpeeds(population)
    const [jobs, attempts] = [
      createJobs(Math.ceil(peers * JOBS_SHARE)),
      createAttempts(Math.ceil(peers * ATTEMPTS_SHARE)),
    ]
    const wheel = new Wheel(Math.ceil(peers * (options.churn ? 2 : 1)))
    // So that whoever is away in the beginning has been for long.
    wheel.now = ticksOf(BEGINS_MS)
    this.options = options
    const partition = options.cut && new Partition(options.cut, wheel.now, population, random('cut'))
    this.world = new LargeWorld({
      wheel,
      population,
      tables,
      jobs,
      attempts,
      link,
      random: random('events'),
      partition,
      inflates: inflatorsOf(options, tables, random('inflators')),
    })
    if (partition) wheel.at(partition.fromTicks, EVENT.cut, 0)
    this.executors = new Executors(this.world)
    this.tookTicks = new Uint32Array(options.jobs + 1)
    this.invokers = new Invokers(this.world, this.executors, options.loadsSeen ?? false, (job) => {
      this.tookTicks[job.number] = job.ticks
      this.#answered++
      options.watch?.answered(job, this)
    })
    if (options.churn) this.#populate(random('sessions'))
    const { workload } = options
    this.#workload = typeof workload === 'string' ? this.#drawn(workload, random('jobs')) : workload.jobs
    this.#handlers = this.#handle()
    if (this.#workload(this.#next)) this.#arrive()
  }

  get bytes(): number {
    const { wheel, population, tables, jobs, attempts } = this.world
    const parts = [wheel, population, tables, jobs, attempts, this.executors, this.invokers]
    return parts.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Of those that are there, in slots of speed 1. */
  capacity(): number {
    const { population } = this.world
    let sum = 0
    for (let i = 0; i < population.size; i++) {
      const { slots, speed } = population.deviceOf(i)
      if (population.online[i] === 1) sum += slots * speed
    }
    return sum
  }

  get isOver(): boolean {
    return this.#answered >= this.options.jobs
  }

  runMs(ms: number): void {
    this.world.wheel.run(this.world.wheel.now + ticksOf(ms), this.#handlers)
  }

  #populate(random: Chance): void {
    const { population, tables, wheel } = this.world
    const asks = new Uint8Array(population.size)
    for (const peer of tables.invokers) asks[peer] = 1
    for (let i = 0; i < population.size; i++) {
      if (asks[i] === 1) continue
      population.begin(i, random)
      // Long before: nobody believes that it is there.
      wheel.after(population.staysTicks(i, 0, random), EVENT.turn, i)
    }
  }

  #drawn(name: WorkloadName, random: Chance): Workload {
    const { load, jobMs, jobs, firstJobs, day } = this.options
    const perMs = (load * this.capacity()) / jobMs
    if (!day) return workloadOf(name, perMs, jobMs, random)
    const { population, tables } = this.world
    const isDayAt = (invoker: number, sinceMs: number) =>
      population.isDayAt(tables.invokers[invoker] as number, BEGINS_MS + sinceMs)
    const windowMs = (jobs + firstJobs) / perMs / DAY_HOURS
    // Half of them are left out by night.
    const drawn = workloadOf(name, (2 * perMs) / (1 + day.byNight), jobMs, random)
    return throughDay(drawn, { ...day, windowMs, invokers: tables.invokers.length, isDayAt }, random)
  }

  #handle(): Handler[] {
    const { executors, invokers, world } = this
    const { words } = world.attempts
    const ofAttempt =
      (handler: Handler): Handler =>
      (record) => {
        const a = record * words
        handler(a)
        const { events } = world.attempts.columns
        events[a] = (events[a] as number) - 1
        world.settle(a)
      }
    const handlers: Handler[] = []
    handlers[EVENT.asked] = ofAttempt((a) => executors.asked(a))
    handlers[EVENT.released] = ofAttempt((a) => executors.released(a))
    handlers[EVENT.ended] = ofAttempt((a) => executors.ended(a))
    handlers[EVENT.started] = ofAttempt((a) => invokers.started(a))
    handlers[EVENT.cancelled] = ofAttempt((a) => executors.cancelled(a))
    handlers[EVENT.answered] = ofAttempt((a) => invokers.answered(a))
    handlers[EVENT.refused] = ofAttempt((a) => invokers.refused(a))
    handlers[EVENT.news] = (at) => executors.news(at)
    handlers[EVENT.watch] = (invoker) => invokers.watch(invoker)
    handlers[EVENT.turn] = (peer) => this.#turn(peer)
    handlers[EVENT.arrival] = () => this.#arrive()
    handlers[EVENT.cut] = () => executors.remember()
    return handlers
  }

  #turn(peer: number): void {
    const { population, wheel, random } = this.world
    population.turn(peer, wheel.now)
    if (population.online[peer] === 1) this.executors.come(peer)
    else this.executors.leave(peer)
    wheel.after(population.staysTicks(peer, msOf(wheel.now), random), EVENT.turn, peer)
  }

  #arrive(): void {
    const { wheel } = this.world
    while (ticksOf(this.#nextMs) <= wheel.now) {
      this.#begin(this.#next)
      if (!this.#workload(this.#next)) return
      this.#nextMs += this.#next.gapMs
    }
    wheel.at(ticksOf(this.#nextMs), EVENT.arrival, 0)
  }

  #begin({ workMs, count, invoker: named }: Jobs): void {
    const { random, tables } = this.world
    const { jobs, firstJobs, oracle } = this.options
    const { length } = tables.invokers
    const invoker = named === undefined ? random.below(length) : named % length
    const asks = tables.invokers[invoker] as number
    for (let i = 0; i < count; i++) {
      const number = this.#begun++ - firstJobs + 1
      const counted = number > 0 && number <= jobs ? number : 0
      if (oracle) this.arrivals.push({ id: this.#begun, atMs: this.#nextMs, invoker: asks, ms: workMs })
      this.invokers.begin(invoker, workMs, counted)
    }
  }
}

export interface LargeRoutingReport {
  meanMs: number
  p99Ms: number
  /** Of one who sees everything, with the same arrivals (`routing-oracle.ts`), all peers being there. NaN, here and below: not asked for. */
  oracleMeanMs: number
  oracleP99Ms: number
  /** Work done in vain, in parts of that which was not. */
  duplicateShare: number
  executionsPerJob: number
  hedges: number
  /** Attempts whose executor was silent for too long. */
  lost: number
  bytesPerJob: number
  /** Of all who were there in the beginning, in slots of speed 1. */
  capacity: number
  events: number
  hash: number
  /** Counted jobs that nobody has answered. */
  unanswered: number
  /** What each took the one who sees everything; empty: not asked for. */
  oracleMs: readonly number[]
  /** Of one who sees as much, and gives each job to a neighbour of who asks. */
  neighboursOracleMeanMs: number
  neighboursOracleP99Ms: number
}

export const meanOf = (figures: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < figures.length; i++) sum += figures[i] as number
  return sum / figures.length
}

/** Nearest rank; NaN of none. */
export const p99Of = (figures: ArrayLike<number>): number => {
  const sorted = Float64Array.from(figures).sort()
  return sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN
}

/** Each slot is a machine to the oracle. Of those that may be given any job, and of neighbours alone. */
const oraclesOf = ({ world, arrivals, options }: LargeRoutingWorld) => {
  const { population, tables } = world
  const { firstJobs, jobs } = options
  const slots: number[] = []
  const firstOf = new Map<number, number>()
  for (let i = 0; i < population.size; i++) {
    firstOf.set(i, slots.length)
    for (let slot = 0; slot < population.deviceOf(i).slots; slot++) slots.push(i)
  }
  const machines = {
    speeds: slots.map((i) => population.deviceOf(i).speed),
    delayMs: (from: number, to: number) => msOf(population.delayTicks(slots[from] as number, slots[to] as number)),
  }
  const asked = arrivals.map((job) => ({ ...job, invoker: firstOf.get(job.invoker) as number }))
  const known = new Map<number, number[]>()
  for (const [k, invoker] of tables.invokers.entries()) {
    const peers = tables.peer.subarray(k * DEGREE, k * DEGREE + (tables.count[k] as number))
    const theirs = Array.from(new Set(peers)).flatMap((peer) => {
      const first = firstOf.get(peer) as number
      return Array.from({ length: population.deviceOf(peer).slots }, (_, slot) => first + slot)
    })
    known.set(firstOf.get(invoker) as number, theirs)
  }
  const counted = (all: number[]) => all.slice(firstJobs, firstJobs + jobs)
  return {
    all: options.oracle === 'all' ? counted(replay(machines, asked)) : [],
    neighbours: counted(replay(machines, asked, 0, (invoker) => known.get(invoker) as number[])),
  }
}

/** Runs until all counted jobs are answered, or none can be expected any more. */
export const untilAnswered = (routing: LargeRoutingWorld): void => {
  const { firstJobs, jobs, jobMs, load, workload, day } = routing.options
  const { wheel } = routing.world
  const takesMs =
    typeof workload === 'string'
      ? ((firstJobs + jobs) * jobMs) / (load * routing.capacity())
      : workload.spanMs + workload.workMs / routing.capacity()
  const endMs = msOf(wheel.now) + PATIENCE_MS + 4 * takesMs + (day ? DAY_HOURS * HOUR_MS : 0)
  const { watch } = routing.options
  watch?.second(routing)
  while (!routing.isOver && msOf(wheel.now) < endMs) {
    routing.runMs(1000)
    watch?.second(routing)
  }
}

/** The same report for the same options. */
export const runLargeRouting = (options: LargeRouting): LargeRoutingReport => {
  const routing = new LargeRoutingWorld(options)
  const { world, tookTicks } = routing
  const capacity = routing.capacity()
  untilAnswered(routing)
  const { counts, wheel } = world
  const took = Float64Array.from(
    tookTicks.subarray(1).filter((ticks) => ticks > 0),
    msOf,
  )
  const { all: oracleMs, neighbours } = options.oracle ? oraclesOf(routing) : { all: [], neighbours: [] }
  return {
    ...{ meanMs: meanOf(took), p99Ms: p99Of(took) },
    ...{ oracleMs, oracleMeanMs: meanOf(oracleMs), oracleP99Ms: p99Of(oracleMs) },
    ...{ neighboursOracleMeanMs: meanOf(neighbours), neighboursOracleP99Ms: p99Of(neighbours) },
    duplicateShare: counts.spentTicks / counts.neededTicks - 1,
    executionsPerJob: counts.executions / counts.answered,
    ...{ hedges: counts.hedges, lost: counts.lost, bytesPerJob: counts.bytes / counts.answered },
    ...{ capacity, events: wheel.happened, hash: wheel.hash >>> 0, unanswered: options.jobs - took.length },
  }
}
