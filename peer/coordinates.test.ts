import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COORDINATE_AXES, COORDINATE_US_MAX } from '../protocol/limits.ts'
import type { Random } from '../protocol/ports.ts'
import { type Coordinate, coordinate } from '../protocol/records.ts'
import { ensureShape } from '../protocol/schema.ts'
import { checkProperty, randomFor } from '../scripts/test/seed.ts'
import { CELL_MS, cellOf, distanceMs, moved, unknownCoordinate } from './coordinates.ts'

const SIZE = 100
const NEAR = 16
const FAR = 8
const KM_PER_MS = 100 / 1.4

interface Home {
  readonly latitude: number
  readonly longitude: number
  readonly wayMs: number
}

const share = (random: Random) => random.below(1_000_000) / 1_000_000
const normal = (random: Random) =>
  Math.sqrt(-2 * Math.log(share(random) + 1e-9)) * Math.cos(2 * Math.PI * share(random))

/** Peers in and around twenty cities on a globe of glass fibre, each some ms away from the core of the network. */
const homesFor = (random: Random): Home[] => {
  const cities = Array.from({ length: 20 }, () => [Math.asin(2 * share(random) - 1), 2 * Math.PI * share(random)])
  return Array.from({ length: SIZE }, () => {
    const [latitude, longitude] = cities[random.below(20)] as [number, number]
    const [north, east] = [0.02 * normal(random), 0.02 * normal(random)]
    return { latitude: latitude + north, longitude: longitude + east, wayMs: Math.exp(1 + 0.8 * normal(random)) }
  })
}

/** Great circle, there and back at two thirds of the speed of light, by ways 1.4 times as long. */
const roundTripMs = (a: Home, b: Home): number => {
  const cosine =
    Math.sin(a.latitude) * Math.sin(b.latitude) +
    Math.cos(a.latitude) * Math.cos(b.latitude) * Math.cos(a.longitude - b.longitude)
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 6371) / KM_PER_MS + a.wayMs + b.wayMs
}

/** The median relative error of all predictions between the honest, and how far they moved in the last rounds. */
const converge = (random: Random, rounds: number, lie?: (own: Coordinate) => Coordinate) => {
  const homes = homesFor(random)
  const liars = lie ? SIZE / 10 : 0
  const coordinates = homes.map(unknownCoordinate)
  const neighbours = homes.map((home, i) => {
    const others = homes.flatMap((_, j) => (j === i ? [] : [j]))
    others.sort((a, b) => roundTripMs(home, homes[a]!) - roundTripMs(home, homes[b]!))
    return [...others.slice(0, NEAR), ...Array.from({ length: FAR }, () => others[random.below(others.length)]!)]
  })
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < SIZE; i++)
      for (const j of neighbours[i]!) {
        const measured = roundTripMs(homes[i]!, homes[j]!) * (1 + 0.05 * Math.abs(normal(random)))
        const said = lie && j < liars ? lie(coordinates[i]!) : coordinates[j]!
        coordinates[i] = moved(coordinates[i]!, said, measured, (limit) => random.below(limit))
      }
  const errors: number[] = []
  for (let i = liars; i < SIZE; i++)
    for (let j = liars; j < i; j++) {
      const real = roundTripMs(homes[i]!, homes[j]!)
      errors.push(Math.abs(distanceMs(coordinates[i]!, coordinates[j]!) - real) / real)
    }
  return errors.sort((a, b) => a - b)[errors.length >> 1]!
}

const worlds = (name: string, lie?: (own: Coordinate) => Coordinate): number => {
  const errors = [0, 1, 2].map((i) => converge(randomFor(`${name} ${i}`), 32, lie))
  return errors.sort((a, b) => a - b)[1]!
}

describe('predicted round trips', () => {
  test('between peers that never met are right to about a tenth', () => {
    expect(worlds('honest')).toBeLessThan(0.16)
  })

  test.each<[string, (own: Coordinate) => Coordinate]>([
    ['all claim one far corner', () => ({ position_us: [1e6, -1e6, 1e6], height_us: 0, error_permille: 1 })],
    ['claim to stand where we do', (own) => ({ ...own, height_us: 0, error_permille: 1 })],
    ['claim the greatest height', (own) => ({ ...own, height_us: 1e6, error_permille: 1 })],
    [
      'claim the opposite',
      ({ position_us }) => ({ position_us: position_us.map((x) => -x + 0), height_us: 0, error_permille: 1 }),
    ],
  ])('and little worse where a tenth of the neighbours lie: they %s', (name, lie) => {
    expect(worlds(name, lie)).toBeLessThan(0.3)
  })
})

const anyCoordinate = fc.record({
  position_us: fc.array(fc.integer({ min: -COORDINATE_US_MAX, max: COORDINATE_US_MAX }), {
    minLength: COORDINATE_AXES,
    maxLength: COORDINATE_AXES,
  }),
  height_us: fc.integer({ min: 0, max: COORDINATE_US_MAX }),
  error_permille: fc.integer({ min: 1, max: 1000 }),
})

test('no sequence of claims and samples leads out of bounds, or far in one step', async () => {
  const random = randomFor('bounds')
  const sample = fc.tuple(anyCoordinate, fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(0)))
  const property = fc.property(anyCoordinate, fc.array(sample, { maxLength: 40 }), (start, samples) => {
    let own = start
    for (const [theirs, ms] of samples) {
      const next = moved(own, theirs, ms, (limit) => random.below(limit))
      expect(ensureShape('coordinate', coordinate(), next)).toEqual(next)
      const step = Math.hypot(...next.position_us.map((x, i) => x - own.position_us[i]!))
      // 10 ms by the sample; the origin pulls the outermost by 17 % of their distance.
      expect(step).toBeLessThan(10_000 + 0.18 * Math.hypot(...own.position_us) + 2)
      expect(Math.abs(next.height_us - own.height_us)).toBeLessThanOrEqual(10_000)
      own = next
    }
  })
  await checkProperty('bounds', property, { runs: 200 })
})

describe('cells', () => {
  const at = (...ms: number[]): Coordinate => ({
    position_us: ms.map((x) => x * 1000),
    height_us: 900_000,
    error_permille: 100,
  })

  test('are cubes around the origin, whatever the height', () => {
    expect(cellOf(unknownCoordinate())).toBe('0.0.0')
    expect(cellOf(at(-24, 24, 0))).toBe('0.0.0')
    expect(cellOf(at(-26, 26, 120))).toBe('-1.1.2')
  })

  test('are left only well past the edge', () => {
    expect(cellOf(at(34, -34, 0), '0.0.0')).toBe('0.0.0')
    expect(cellOf(at(36, -34, 0), '0.0.0')).toBe('1.0.0')
    expect(cellOf(at(16, -34, 0), '1.0.0')).toBe('1.0.0')
    expect(cellOf(at(14, -36, 0), '1.0.0')).toBe('0.-1.0')
  })

  test('change seldom while a coordinate trembles, and never by more than it has moved', async () => {
    const steps = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 50 })
    const property = fc.property(fc.integer({ min: -900, max: 900 }), steps, (start, trembles) => {
      const first = cellOf(at(start, 0, 0))
      let cell = first
      for (const by of trembles) cell = cellOf(at(start + by, 0, 0), cell)
      expect(cell).toBe(first)
      expect(Math.abs(Number(cell.split('.')[0]) * CELL_MS - start)).toBeLessThanOrEqual(CELL_MS / 2)
    })
    await checkProperty('cells', property, { runs: 200 })
  })
})
