/** The asking side of all peers of a large world: chooses, ties, hedges and learns by the rules of peer/. */
import { servedMs, slownessAfter } from '../../peer/experience.ts'
import { type AttemptView, HedgeBudget, isLost, shouldHedge, WATCH_EVERY_MS } from '../../peer/hedging.ts'
import { shunMs } from '../../peer/pursuit.ts'
import { choose, predictedMs } from '../../peer/selection.ts'
import { copiesOf, holdMs, keepWorthwhile, TIED_FROM_MS } from '../../peer/tying.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import { FUEL_PER_MS } from '../cost-model.ts'
import { AT, NONE } from './attempts.ts'
import { FUNCTION, LargeCandidates } from './candidates.ts'
import type { Executors } from './executors.ts'
import { msOf, ticksOf } from './wheel.ts'
import { EVENT, type LargeWorld } from './world.ts'

const WATCH_TICKS = ticksOf(WATCH_EVERY_MS)

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface AnsweredJob {
  number: number
  /** Since it arrived. */
  ticks: number
  /** The peer that asked, and the one whose answer was the first. */
  asks: number
  executor: number
}

export class Invokers {
  readonly #world: LargeWorld
  readonly candidates: LargeCandidates
  readonly #below: (limit: number) => number
  /** Of open jobs, and of those that wait for a place, by invoker. */
  readonly #open: Int32Array
  readonly #waiting: Int32Array
  readonly #isWatching: Uint8Array
  readonly #budgets: HedgeBudget[]
  readonly #chosen: number[] = []
  readonly #attempt: Writable<AttemptView> = {
    ...{ silentMs: 0, ageMs: 0, predictedMs: 0, lateness: 0, pure: true, hedges: 0 },
  }
  /** Called with each counted job that is answered. */
  readonly #answered: (job: AnsweredJob) => void

  constructor(world: LargeWorld, executors: Executors, loadsSeen: boolean, answered: (job: AnsweredJob) => void) {
    const { length } = world.tables.invokers
    this.#world = world
    this.candidates = new LargeCandidates(world, executors, loadsSeen)
    this.#below = (limit) => world.random.below(limit)
    this.#open = new Int32Array(length).fill(NONE)
    this.#waiting = new Int32Array(length).fill(NONE)
    this.#isWatching = new Uint8Array(length)
    this.#budgets = Array.from({ length }, () => new HedgeBudget())
    this.#answered = answered
  }

  get bytes(): number {
    return 9 * this.#open.length
  }

  /** `number`: of a counted job; else 0. */
  begin(invoker: number, workMs: number, number: number): void {
    const { jobs, wheel } = this.#world
    const job = jobs.take()
    const columns = jobs.columns
    const next = this.#open[invoker] as number
    columns.invoker[job] = invoker
    columns.link[job] = next
    columns.previous[job] = NONE
    if (next !== NONE) columns.previous[next] = job
    this.#open[invoker] = job
    columns.waits[job] = NONE
    columns.first[job] = NONE
    columns.at[job] = wheel.now
    columns.work[job] = workMs
    columns.counts[job] = number
    columns.hedges[job] = 0
    this.#budgets[invoker]?.begun()
    this.#wait(invoker, job, false)
    if (this.#isWatching[invoker] === 1) return
    this.#isWatching[invoker] = 1
    wheel.after(WATCH_TICKS, EVENT.watch, invoker)
  }

  started(a: number): void {
    const { attempts, jobs, wheel } = this.#world
    const { open, heardAt, sibling, job, tied } = attempts.columns
    if (open[a] === 0) return
    heardAt[a] = wheel.now
    for (let other = jobs.columns.first[job[a] as number] as number; other !== NONE; ) {
      const next = sibling[other] as number
      if (other !== a && tied[other] === 1 && heardAt[other] === 0) this.#takeBack(other)
      other = next
    }
  }

  answered(a: number): void {
    const { attempts, jobs, tables, counts, wheel } = this.#world
    const { open, job, sibling } = attempts.columns
    if (open[a] === 0) return
    const its = job[a] as number
    const invoker = jobs.columns.invoker[its] as number
    this.#learn(a)
    counts.answered++
    const number = jobs.columns.counts[its] as number
    if (number !== 0) {
      counts.neededTicks += this.#runTicks(a)
      const executor = attempts.columns.peer[a] as number
      const ticks = wheel.now - (jobs.columns.at[its] as number)
      this.#answered({ number, ticks, asks: tables.invokers[invoker] as number, executor })
    }
    this.close(a)
    for (let other = jobs.columns.first[its] as number; other !== NONE; ) {
      const next = sibling[other] as number
      this.#takeBack(other)
      other = next
    }
    this.#end(invoker, its)
    this.#serve(invoker)
  }

  refused(a: number): void {
    if (this.#world.attempts.columns.open[a] === 1) this.#failed(a, 'E_BUSY', 0)
  }

  watch(invoker: number): void {
    const { jobs, attempts, wheel } = this.#world
    if (this.#open[invoker] === NONE) {
      this.#isWatching[invoker] = 0
      return
    }
    wheel.after(WATCH_TICKS, EVENT.watch, invoker)
    this.#attempt.lateness = this.candidates.experience.lateness(FUNCTION)
    for (let job = this.#open[invoker] as number; job !== NONE; ) {
      const next = jobs.columns.link[job] as number
      for (let a = jobs.columns.first[job] as number; a !== NONE; ) {
        const other = attempts.columns.sibling[a] as number
        this.#inspect(invoker, job, a)
        a = other
      }
      job = next
    }
    this.#serve(invoker)
  }

  /** Nobody waits for it any more. */
  close(a: number): void {
    const { attempts, jobs, tables } = this.#world
    const { open, row, sibling, job } = attempts.columns
    open[a] = 0
    tables.inFlight[row[a] as number] = (tables.inFlight[row[a] as number] as number) - 1
    const its = job[a] as number
    if (jobs.columns.first[its] === a) jobs.columns.first[its] = sibling[a] as number
    else {
      let before = jobs.columns.first[its] as number
      while (sibling[before] !== a) before = sibling[before] as number
      sibling[before] = sibling[a] as number
    }
    this.#world.settle(a)
  }

  #takeBack(a: number): void {
    this.#world.send(a, EVENT.cancelled, true, false)
    this.close(a)
  }

  #failed(a: number, code: ErrorCode, silentMs: number): void {
    const { attempts, jobs, tables, wheel } = this.#world
    const row = attempts.columns.row[a] as number
    const job = attempts.columns.job[a] as number
    const shun = shunMs({ inFlight: tables.inFlight[row] as number }, code, silentMs)
    tables.shunnedUntil[row] = Math.max(tables.shunnedUntil[row] as number, wheel.now + ticksOf(shun))
    this.close(a)
    if (jobs.columns.first[job] === NONE) this.#wait(jobs.columns.invoker[job] as number, job, true)
  }

  #inspect(invoker: number, job: number, a: number): void {
    const { attempts, jobs, population, counts, wheel } = this.#world
    const { open, at, events, peer: executor, sentAt } = attempts.columns
    if (open[a] === 0) return
    const peer = executor[a] as number
    const isGone = population.online[peer] === 0 || (at[a] === AT.over && events[a] === 0)
    const view = this.#attempt
    const since = isGone ? (population.turnedAt[peer] as number) : this.#cutSince(invoker, peer)
    view.silentMs = since === undefined ? 0 : msOf(wheel.now - Math.max(sentAt[a] as number, since))
    view.ageMs = msOf(wheel.now - (sentAt[a] as number))
    view.predictedMs = attempts.columns.predictedMs[a] as number
    view.hedges = jobs.columns.hedges[job] as number
    if (isLost(view)) {
      counts.lost++
      // Whoever was only cut off hears of it when that heals.
      if (!isGone) this.#world.send(a, EVENT.cancelled, true, false)
      this.#failed(a, 'E_EXECUTOR_LOST', since === undefined ? 0 : msOf(wheel.now - since))
    } else if (shouldHedge(view) && this.#budgets[invoker]?.allows && this.#launch(invoker, job, true)) {
      this.#budgets[invoker]?.hedged()
      counts.hedges++
    }
  }

  /** Since when it cannot hear the peer; undefined: it can. */
  #cutSince(invoker: number, peer: number): number | undefined {
    const { partition, tables, wheel } = this.#world
    if (!partition) return undefined
    const wait = partition.waitTicks(tables.invokers[invoker] as number, peer, wheel.now)
    return wait === 0 ? undefined : partition.fromTicks
  }

  /** `first`: before those that have not been placed yet. */
  #wait(invoker: number, job: number, first: boolean): void {
    const { waits } = this.#world.jobs.columns
    const head = this.#waiting[invoker] as number
    if (first || head === NONE) {
      waits[job] = head
      this.#waiting[invoker] = job
    } else {
      let last = head
      while (waits[last] !== NONE) last = waits[last] as number
      waits[last] = job
      waits[job] = NONE
    }
    this.#serve(invoker)
  }

  #serve(invoker: number): void {
    const { waits } = this.#world.jobs.columns
    for (let job = this.#waiting[invoker] as number; job !== NONE; job = this.#waiting[invoker] as number) {
      if (!this.#launch(invoker, job, false)) return
      this.#waiting[invoker] = waits[job] as number
      waits[job] = NONE
    }
  }

  /** False: nobody has room. */
  #launch(invoker: number, job: number, hedge: boolean): boolean {
    const view = this.candidates.look(invoker, job)
    const { usualRunMs } = view
    const head = this.#waiting[invoker] as number
    const isAlone = head === NONE || (this.#world.jobs.columns.waits[head] as number) === NONE
    const chosen = this.#chosen
    choose(view, isAlone && !hedge ? copiesOf(usualRunMs) : 1, this.#below, chosen)
    if (chosen.length === 0) return false
    if (chosen.length > 1) keepWorthwhile(view, chosen)
    const isTied = usualRunMs >= TIED_FROM_MS
    for (let k = 0; k < chosen.length; k++) {
      const held = isTied ? holdMs(view, chosen, k) : 0
      this.#send(job, chosen[k] as number, held, isTied)
    }
    const { hedges } = this.#world.jobs.columns
    if (hedge) hedges[job] = (hedges[job] as number) + 1
    return true
  }

  #send(job: number, i: number, held: number, isTied: boolean): void {
    const { attempts, jobs, tables, counts, wheel } = this.#world
    const view = this.candidates
    const row = view.row(i)
    const a = attempts.take()
    const columns = attempts.columns
    columns.job[a] = job
    columns.row[a] = row
    columns.peer[a] = tables.peer[row] as number
    columns.sibling[a] = jobs.columns.first[job] as number
    jobs.columns.first[job] = a
    columns.sentAt[a] = wheel.now
    columns.heardAt[a] = 0
    columns.since[a] = ticksOf(held)
    columns.predictedMs[a] = view.serviceMs(i) === 0 ? 0 : predictedMs(view, i) + held
    columns.work[a] = jobs.columns.work[job] as number
    columns.counted[a] = jobs.columns.counts[job] === 0 ? 0 : 1
    columns.at[a] = AT.travels
    columns.open[a] = 1
    columns.tied[a] = isTied ? 1 : 0
    columns.events[a] = 0
    tables.inFlight[row] = (tables.inFlight[row] as number) + 1
    columns.load[a] = tables.inFlight[row] as number
    counts.executions++
    this.#world.send(a, EVENT.asked, true, true)
  }

  #learn(a: number): void {
    const { attempts, tables, wheel } = this.#world
    const { row, peer, sentAt, heardAt, load, predictedMs: predicted, work } = attempts.columns
    const { experience } = this.candidates
    const its = row[a] as number
    const completionMs = msOf(wheel.now - (sentAt[a] as number))
    const roundTripMs = msOf(2 * (tables.delayTicks[its] as number))
    const slots = this.#world.slotsSaid(peer[a] as number)
    const heard = heardAt[a] as number
    const ranMs =
      heard === 0 ? servedMs({ completionMs, roundTripMs, slots, load: load[a] as number }) : msOf(wheel.now - heard)
    const serviceMs = Math.max(0.001, ranMs)
    tables.slowness[its] = slownessAfter(tables.slowness[its] as number, serviceMs, experience.serviceMs(FUNCTION))
    const fuel = (work[a] as number) * FUEL_PER_MS
    experience.record(FUNCTION, { serviceMs, fuel, completionMs, predictedMs: predicted[a] as number })
  }

  #runTicks(a: number): number {
    const { attempts, population } = this.#world
    const { peer, work } = attempts.columns
    return Math.max(1, ticksOf((work[a] as number) / population.deviceOf(peer[a] as number).speed))
  }

  #end(invoker: number, job: number): void {
    const { link, previous } = this.#world.jobs.columns
    const [before, next] = [previous[job] as number, link[job] as number]
    if (before === NONE) this.#open[invoker] = next
    else link[before] = next
    if (next !== NONE) previous[next] = before
    this.#world.jobs.free(job)
  }
}
