/** Whom each invoker knows as neighbours: as housekeeping leaves them after some minutes (decision 16). */

import { placesOf } from '../../peer/places.ts'
import { NEIGHBOURS_MAX } from '../../protocol/limits.ts'
import type { Chance } from './chance.ts'
import type { Population } from './population.ts'

/** The nearest first, and then those drawn by lot; guests are left out. */
export const { near: NEAR, far: FAR } = placesOf(NEIGHBOURS_MAX)
export const DEGREE = NEAR + FAR
/** An invoker has met so many, of its place and those around it; the nearest of these are near neighbours. */
const MET = 4 * NEAR

/** The neighbours of one peer, drawn anew each time: those it can reach, and who suits. */
export class DrawnNeighbours {
  readonly peer = new Int32Array(DEGREE)
  readonly delayTicks = new Uint16Array(DEGREE)
  readonly #population: Population
  readonly #suits: (self: number, other: number) => boolean
  readonly #met = new Int32Array(MET)
  readonly #key = new Float64Array(MET)

  constructor(population: Population, suits: (self: number, other: number) => boolean = () => true) {
    this.#population = population
    this.#suits = suits
  }

  /** How many there are: the nearest of those met first, in order of delay, and then those by chance. */
  draw(self: number, random: Chance): number {
    const population = this.#population
    const known = this.#meet(self, random)
    // Sorted as numbers, which needs no comparison function: the delay, then which of those met.
    for (let i = 0; i < known; i++) this.#key[i] = population.delayTicks(self, this.#met[i] as number) * MET + i
    const keys = this.#key.subarray(0, known).sort()
    const count = Math.min(NEAR, known)
    for (let i = 0; i < count; i++) {
      const key = keys[i] as number
      this.peer[i] = this.#met[key % MET] as number
      this.delayTicks[i] = Math.floor(key / MET)
    }
    return count + this.#drawFar(self, count, random)
  }

  #mayBe(self: number, other: number): boolean {
    return other !== self && this.#population.canReach(self, other) && this.#suits(self, other)
  }

  /** Anybody else by chance. */
  #drawFar(self: number, from: number, random: Chance): number {
    const population = this.#population
    let filled = 0
    for (let draw = 0; draw < 4 * FAR && filled < FAR; draw++) {
      const other = random.below(population.size)
      if (!this.#mayBe(self, other) || this.peer.subarray(0, from + filled).includes(other)) continue
      this.peer[from + filled] = other
      this.delayTicks[from + filled] = population.delayTicks(self, other)
      filled++
    }
    return filled
  }

  /** Of its own place and then of the nearest, in each from a random one on. */
  #meet(self: number, random: Chance): number {
    const population = this.#population
    const { nearest, size } = population.geography
    const home = population.place[self] as number
    let known = 0
    for (let rank = 0; rank < size && known < MET; rank++) {
      const place = nearest[home * size + rank] as number
      const first = population.firstOf(place)
      const crowd = population.firstOf(place + 1) - first
      if (crowd === 0) continue
      const from = random.below(crowd)
      for (let step = 0; step < crowd && known < MET; step++) {
        const other = first + ((from + step) % crowd)
        if (this.#mayBe(self, other)) this.#met[known++] = other
      }
    }
    return known
  }
}

export class Tables {
  /** Peers that ask, by number of the invoker. */
  readonly invokers: Int32Array
  readonly count: Uint8Array
  /** Row by row, DEGREE for each. */
  readonly peer: Int32Array
  readonly delayTicks: Uint16Array
  readonly slowness: Float32Array
  readonly inFlight: Uint8Array
  readonly shunnedUntil: Uint32Array

  /** Peers that are invokers are spread evenly over all. */
  constructor(population: Population, invokers: number, random: Chance) {
    this.invokers = Int32Array.from({ length: invokers }, (_, k) => Math.floor((k * population.size) / invokers))
    this.count = new Uint8Array(invokers)
    this.peer = new Int32Array(invokers * DEGREE)
    this.delayTicks = new Uint16Array(invokers * DEGREE)
    this.slowness = new Float32Array(invokers * DEGREE).fill(1)
    this.inFlight = new Uint8Array(invokers * DEGREE)
    this.shunnedUntil = new Uint32Array(invokers * DEGREE)
    const drawn = new DrawnNeighbours(population)
    for (let k = 0; k < invokers; k++) {
      const from = k * DEGREE
      this.count[k] = drawn.draw(this.invokers[k] as number, random)
      this.peer.set(drawn.peer.subarray(0, this.count[k]), from)
      this.delayTicks.set(drawn.delayTicks.subarray(0, this.count[k]), from)
    }
  }

  /** Of each neighbour how slow it is beside the mean of its invoker's. */
  tellSpeeds(population: Population): void {
    for (const [k, count] of this.count.entries()) {
      const rows = Array.from({ length: count }, (_, i) => k * DEGREE + i)
      const speeds = rows.map((row) => population.deviceOf(this.peer[row] as number).speed)
      const mean = speeds.reduce((sum, speed) => sum + speed, 0) / count
      for (const [i, row] of rows.entries()) this.slowness[row] = mean / (speeds[i] as number)
    }
  }

  get bytes(): number {
    const rows = this.peer.length
    return 5 * this.invokers.length + (4 + 2 + 4 + 1 + 4) * rows
  }
}
