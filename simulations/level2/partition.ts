/** A share of all places that is cut off from the others for a time: nothing passes until it heals, and then what was sent. */
import type { Chance } from './chance.ts'
import type { Population } from './population.ts'
import { ticksOf } from './wheel.ts'

export interface Cut {
  /** Of all places, those that are cut off. */
  share: number
  /** Since the first job came. */
  fromMs: number
  /** Less than `LINK_MS_MAX`: links outlast it. */
  forMs: number
}

/** After so long without a word a link ends; what was sent on it would be lost, which is not in this model. */
export const LINK_MS_MAX = 45_000

/** Cut off, or in one part. */
export class Partition {
  readonly fromTicks: number
  readonly #untilTicks: number
  readonly #population: Population
  readonly #isAway: Uint8Array

  constructor({ share, fromMs, forMs }: Cut, beginsTicks: number, population: Population, random: Chance) {
    const { size } = population.geography
    this.fromTicks = beginsTicks + ticksOf(fromMs)
    this.#untilTicks = this.fromTicks + ticksOf(forMs)
    this.#population = population
    this.#isAway = new Uint8Array(size)
    for (let left = Math.round(share * size); left > 0; ) {
      const place = random.below(size)
      if (this.#isAway[place] === 1) continue
      this.#isAway[place] = 1
      left--
    }
  }

  /** Ticks from now until something can pass between two peers; 0: it can. */
  waitTicks(one: number, other: number, now: number): number {
    if (now < this.fromTicks || now >= this.#untilTicks) return 0
    const { place } = this.#population
    const [a, b] = [place[one] as number, place[other] as number]
    return this.#isAway[a] === this.#isAway[b] ? 0 : this.#untilTicks - now
  }
}
