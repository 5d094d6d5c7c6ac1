/** How near the nearest is that a peer finds among those it only knows: coordinates, short list and probes of peer/. */
import { distanceMs, moved, unknownCoordinate } from '../../peer/coordinates.ts'
import { type AcquaintanceView, PROBES, shortList } from '../../peer/short-list.ts'
import type { Chance } from './chance.ts'
import type { Population } from './population.ts'
import { DrawnNeighbours } from './tables.ts'
import { msOf } from './wheel.ts'

/** Round trips to each neighbour that have been measured: a peer pings each four times a minute. */
const ROUNDS = 16
/** None is better yet: every acquaintance is worth a probe, and none for its lot. */
const WISH = { nearBelowMs: Number.POSITIVE_INFINITY, farBelowLot: 0 }

const neighboursOf = (population: Population, random: Chance): ReadonlySet<number>[] => {
  const drawn = new DrawnNeighbours(population)
  return Array.from({ length: population.size }, (_, self) => {
    const count = drawn.draw(self, random)
    return new Set(drawn.peer.subarray(0, count))
  })
}

const coordinatesOf = (population: Population, neighbours: readonly ReadonlySet<number>[], random: Chance) => {
  const coordinates = Array.from(neighbours, unknownCoordinate)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [self, theirs] of neighbours.entries()) {
      for (const other of theirs) {
        const roundTripMs = 2 * msOf(population.delayTicks(self, other))
        const [own, its] = [coordinates[self], coordinates[other]] as [ReturnType<typeof unknownCoordinate>, never]
        coordinates[self] = moved(own, its, roundTripMs, random.below)
      }
    }
  }
  return coordinates
}

/**
 * The mean of the round trip to the nearest that was probed, in parts of that to the nearest of all `known` acquaintances, drawn
 * at random, of random peers.
 */
export const nearestRatio = (population: Population, random: Chance, known = 20, trials = 2000): number => {
  const neighbours = neighboursOf(population, random)
  const coordinates = coordinatesOf(population, neighbours, random)
  let sum = 0
  for (let trial = 0; trial < trials; trial++) {
    const self = random.below(population.size)
    const others: number[] = []
    while (others.length < known) {
      const other = (self + 1 + random.below(population.size - 1)) % population.size
      if (!neighbours[self]?.has(other)) others.push(other)
    }
    const roundTrip = (other: number) => population.delayTicks(self, other)
    const at = (i: number) => coordinates[i] as ReturnType<typeof unknownCoordinate>
    const view: AcquaintanceView = {
      count: known,
      predictedMs: (i) => distanceMs(at(self), at(others[i] as number)),
      lot: () => 1,
      lends: () => true,
      tries: () => 0,
    }
    const probed = shortList(view, WISH, PROBES).map((i) => roundTrip(others[i] as number))
    sum += Math.min(...probed) / Math.min(...others.map(roundTrip))
  }
  return sum / trials
}
