/** Keeps the neighbour table to its places: says who sits where, and who is to go. */
import type { Clock } from '../protocol/ports.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import { assign, type Place, type Places, type PlaceView, whoGoes } from './places.ts'

/** Whoever has fewer neighbours needs each of them. */
export const FEW_NEIGHBOURS = 8
/** Receipts follow answers within 5 s, and what they lead to follows them. */
const WORK_ENDS_MS = 10_000

export interface Ties {
  /** The owner named it. */
  isNamed(peer: string): boolean
  /** Work is under way there, or here for it. */
  isBusy(neighbour: Neighbour): boolean
}

export class Housekeeping implements PlaceView {
  readonly #clock: Clock
  readonly #neighbours: NeighbourTable
  readonly #places: Places
  readonly #ties: Ties

  constructor(clock: Clock, neighbours: NeighbourTable, places: Places, ties: Ties) {
    this.#clock = clock
    this.#neighbours = neighbours
    this.#places = places
    this.#ties = ties
  }

  get isFull(): boolean {
    return this.count >= this.#places.most
  }

  /** Gives each neighbour its place. */
  assign(): void {
    assign(this, this.#places, (i, place) => {
      const neighbour = this.#at(i)
      neighbour.place = place
      if (place !== 'guest' && neighbour.roundTrips.length > 0) neighbour.isProbe = false
    })
  }

  /** A guest whose time is over; `isPressed`: somebody waits for its place. */
  leaver(isPressed: boolean): Neighbour | undefined {
    const i = whoGoes(this, isPressed)
    return i < 0 ? undefined : this.#at(i)
  }

  get count(): number {
    return this.#neighbours.size
  }

  roundTripMs(i: number): number {
    const { roundTrips, roundTripMs } = this.#at(i)
    return roundTrips.length > 0 ? roundTripMs : Number.POSITIVE_INFINITY
  }

  lot(i: number): number {
    return this.#at(i).lot
  }

  place(i: number): Place {
    return this.#at(i).place
  }

  ageMs(i: number): number {
    return this.#clock.monotonic() - this.#at(i).sinceMs
  }

  isKept(i: number): boolean {
    const neighbour = this.#at(i)
    const hasJustWorked = this.#clock.monotonic() - neighbour.workedMs < WORK_ENDS_MS
    return hasJustWorked || this.#ties.isBusy(neighbour) || this.#ties.isNamed(neighbour.peer)
  }

  isNeedy(i: number): boolean {
    return (this.#at(i).advertisement?.neighbours ?? 0) < FEW_NEIGHBOURS
  }

  isProbe(i: number): boolean {
    return this.#at(i).isProbe
  }

  #at(i: number): Neighbour {
    return this.#neighbours.all()[i] as Neighbour
  }
}
