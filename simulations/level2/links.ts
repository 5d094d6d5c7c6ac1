/** Who is whose neighbour while a world stands still: drawn when it is asked for, so that a million peers need no tables. */
import { mixed, quickChance } from './chance.ts'
import type { Population } from './population.ts'
import { DrawnNeighbours } from './tables.ts'

export class Links {
  readonly #seed: number
  readonly #drawn: DrawnNeighbours
  readonly #known = new Map<number, readonly number[]>()
  #now = 0

  /** `isApart`: nothing passes between the two now. */
  constructor(population: Population, seed: number, isApart: (one: number, other: number) => boolean) {
    this.#seed = seed
    // Of one that has gone just now the others do not know it yet.
    const isLinked = (self: number, other: number) => population.seemsThere(other, this.#now) && !isApart(self, other)
    this.#drawn = new DrawnNeighbours(population, isLinked)
  }

  /** Always the same ones until the world goes on; whether they have that one among theirs as well is not looked at. */
  of(peer: number, now: number): readonly number[] {
    const known = this.#known.get(peer)
    if (known) return known
    this.#now = now
    const count = this.#drawn.draw(peer, quickChance(mixed(peer, this.#seed)))
    const neighbours = [...new Set(this.#drawn.peer.subarray(0, count))]
    this.#known.set(peer, neighbours)
    return neighbours
  }

  /** Peers have come and gone. */
  clear(): void {
    this.#known.clear()
  }
}
