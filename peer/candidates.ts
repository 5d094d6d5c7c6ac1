/** The neighbour table seen as candidates for one pursuit; one view serves all, so nothing is allocated per choice. */
import type { Experience } from './experience.ts'
import { leftAloneUntilMs, type Neighbour, type NeighbourTable, working } from './neighbours.ts'
import type { Pursuit } from './pursuit.ts'
import type { CandidateView } from './selection.ts'
import { runMs } from './tying.ts'
import { WINDOW_BYTES_MAX, WINDOW_MAX, windowOf } from './window.ts'

export class Candidates implements CandidateView {
  readonly #neighbours: NeighbourTable
  readonly #experience: Experience
  pursuit: Pursuit | undefined
  nowMs = 0

  constructor(neighbours: NeighbourTable, experience: Experience) {
    this.#neighbours = neighbours
    this.#experience = experience
  }

  get count(): number {
    return this.#neighbours.size
  }

  at(i: number): Neighbour {
    return this.#neighbours.all()[i] as Neighbour
  }

  /** Could it ever take the item, leaving aside how busy it is? */
  suits(i: number): boolean {
    const neighbour = this.at(i)
    const pursuit = this.pursuit as Pursuit
    const offer = neighbour.advertisement
    if (!offer || !neighbour.member || !neighbour.link.isOpen || offer.slots === 0) return false
    if (this.#neighbours.isSuspended(neighbour.peer) || !pursuit.mayAsk(neighbour)) return false
    const { engine, limits } = pursuit.item.template.environment
    if (limits.memory_bytes > offer.memory_bytes || !offer.engines.includes(engine)) return false
    return pursuit.item.manifest.effects.every((effect) => offer.effects.includes(effect))
  }

  eligible(i: number): boolean {
    return this.hasRoom(i) && this.suits(i)
  }

  /** Would it take one more item of this function and size now, whoever asks? */
  hasRoom(i: number): boolean {
    const neighbour = this.at(i)
    if (leftAloneUntilMs(neighbour) > this.nowMs) return false
    const { inFlight, inFlightBytes, roundTripMs } = neighbour
    const { item, needsNoPlace } = this.pursuit as Pursuit
    if (needsNoPlace) return true
    const { input } = item.request
    if (inFlight >= WINDOW_MAX || (inFlight > 0 && inFlightBytes + input.length > WINDOW_BYTES_MAX)) return false
    return working(neighbour) < windowOf(this.slots(i), this.serviceMs(i), roundTripMs)
  }

  roundTripMs(i: number): number {
    return this.at(i).roundTripMs
  }

  slots(i: number): number {
    return this.at(i).advertisement?.slots ?? 0
  }

  pending(i: number): number {
    const neighbour = this.at(i)
    const { peer, advertisement } = neighbour
    const there = working(neighbour)
    if (!advertisement || (this.pursuit as Pursuit).isBetter(peer)) return there
    return Math.max(there, advertisement.queued + advertisement.slots - advertisement.free)
  }

  /** Expected ms to run the item, at an executor as fast as the mean. */
  get usualServiceMs(): number {
    return this.#experience.serviceMs((this.pursuit as Pursuit).item.functionId)
  }

  /** The same as far as its fuel bears it out. */
  get usualRunMs(): number {
    return runMs(this.usualServiceMs, this.#experience.fuel((this.pursuit as Pursuit).item.functionId))
  }

  serviceMs(i: number): number {
    return this.usualServiceMs * this.at(i).slowness
  }
}
