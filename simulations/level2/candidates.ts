/** An invoker's table as candidates for one job: what `peer/candidates.ts` is to the table of one peer. */
import { createExperience, type Experience } from '../../peer/experience.ts'
import type { CandidateView } from '../../peer/selection.ts'
import { runMs } from '../../peer/tying.ts'
import { windowOf } from '../../peer/window.ts'
import { NONE } from './attempts.ts'
import type { Executors } from './executors.ts'
import { DEGREE, NEAR } from './tables.ts'
import { msOf } from './wheel.ts'
import type { LargeWorld } from './world.ts'

/** The one function that all jobs are of. */
export const FUNCTION = 'job'

export class LargeCandidates implements CandidateView {
  readonly #world: LargeWorld
  readonly #executors: Executors
  readonly #loadsSeen: boolean
  /** What all invokers have seen: as if each had seen as much. */
  readonly experience: Experience = createExperience()
  #invoker = 0
  #job = 0
  #usualMs = 0

  constructor(world: LargeWorld, executors: Executors, loadsSeen: boolean) {
    this.#world = world
    this.#executors = executors
    this.#loadsSeen = loadsSeen
  }

  look(invoker: number, job: number): this {
    this.#invoker = invoker
    this.#job = job
    this.#usualMs = this.experience.serviceMs(FUNCTION)
    return this
  }

  get count(): number {
    return this.#world.tables.count[this.#invoker] as number
  }

  row(i: number): number {
    return this.#invoker * DEGREE + i
  }

  eligible(i: number): boolean {
    const { tables, wheel, population } = this.#world
    const row = this.row(i)
    if ((tables.shunnedUntil[row] as number) > wheel.now) return false
    if (!population.seemsThere(tables.peer[row] as number, wheel.now)) return false
    const inFlight = tables.inFlight[row] as number
    // Whoever has none of ours has room, and has not been asked.
    if (inFlight === 0) return true
    return inFlight < windowOf(this.slots(i), this.serviceMs(i), this.roundTripMs(i)) && !this.#isAsked(row)
  }

  #isAsked(row: number): boolean {
    const { jobs, attempts } = this.#world
    const { sibling, row: rows } = attempts.columns
    let a = jobs.columns.first[this.#job] as number
    while (a !== NONE && rows[a] !== row) a = sibling[a] as number
    return a !== NONE
  }

  roundTripMs(i: number): number {
    return msOf(2 * (this.#world.tables.delayTicks[this.row(i)] as number))
  }

  slots(i: number): number {
    return this.#world.slotsSaid(this.#world.tables.peer[this.row(i)] as number)
  }

  pending(i: number): number {
    const { tables, partition, wheel } = this.#world
    const row = this.row(i)
    const [peer, audience] = [tables.peer[row] as number, i < NEAR ? 0 : 1]
    if (this.#loadsSeen) return Math.max(tables.inFlight[row] as number, this.#executors.itemsAt(peer))
    const isCut = partition && partition.waitTicks(tables.invokers[this.#invoker] as number, peer, wheel.now) > 0
    const told = isCut
      ? this.#executors.seenBefore(peer, audience)
      : this.#executors.seen(peer, audience, tables.delayTicks[row] as number)
    return Math.max(tables.inFlight[row] as number, told)
  }

  serviceMs(i: number): number {
    return this.#usualMs * (this.#world.tables.slowness[this.row(i)] as number)
  }

  get usualRunMs(): number {
    return runMs(this.#usualMs, this.experience.fuel(FUNCTION))
  }
}
