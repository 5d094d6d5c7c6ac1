/** How near the nearest is that a peer finds among those it only knows: coordinates, short list and probes of peer/. */
import { distanceMs, moved, unknownCoordinate } from '../../peer/coordinates.ts'
import { type AcquaintanceView, PROBES, shortList } from '../../peer/short-list.ts'
import type { Chance } from './chance.ts'
import type { Population } from './population.ts'
import { msOf } from './wheel.ts'

/** Round trips that each has measured, each to another neighbour of these. */
const NEIGHBOURS = 16
const ROUNDS = 16
/** None is better yet: every acquaintance is worth a probe, and none for its lot. */
const WISH = { nearBelowMs: Number.POSITIVE_INFINITY, farBelowLot: 0 }

const coordinatesOf = (population: Population, random: Chance) => {
  const { size } = population
  const coordinates = Array.from({ length: size }, unknownCoordinate)
  const neighbours = Array.from({ length: size * NEIGHBOURS }, () => random.below(size))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, other] of neighbours.entries()) {
      const self = Math.floor(at / NEIGHBOURS)
      if (self === other) continue
      const roundTripMs = 2 * msOf(population.delayTicks(self, other))
      const [own, theirs] = [coordinates[self], coordinates[other]] as [ReturnType<typeof unknownCoordinate>, never]
      coordinates[self] = moved(own, theirs, roundTripMs, random.below)
    }
  }
  return coordinates
}

/**
 * The mean of the round trip to the nearest that was probed, in parts of that to the nearest of all `known` acquaintances, drawn
 * at random, of random peers.
 */
export const nearestRatio = (population: Population, random: Chance, known = 20, trials = 2000): number => {
  const coordinates = coordinatesOf(population, random)
  let sum = 0
  for (let trial = 0; trial < trials; trial++) {
    const self = random.below(population.size)
    const others = Array.from({ length: known }, () => (self + 1 + random.below(population.size - 1)) % population.size)
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
