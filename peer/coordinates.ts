/**
 * Network coordinates: what the round trip between two peers would be, though neither has measured it. Each peer moves
 * its own a little after each round trip that it measured itself, as if a spring of that length joined the two.
 * Source: Dabek, Cox, Kaashoek, Morris, "Vivaldi: a decentralized network coordinate system", 2004, with the adaptive
 * timestep (3.3) and heights (5.4). Pure, in integers of the wire: no sequence of claims and samples leads out of bounds.
 */
import { COORDINATE_AXES, COORDINATE_US_MAX } from '../protocol/limits.ts'
import type { Coordinate } from '../protocol/records.ts'

/** How far one sample moves a coordinate, and its error, in the best case. Source: the paper, 3.4. */
const MOVE_SHARE = 0.25
const ERROR_SHARE = 0.25
/** The most that one sample moves a coordinate: a neighbour that lies counts no more than one that errs. */
const STEP_US_MAX = 10_000
/** Nobody is taken to be surer than this: a claim costs nothing. */
const ERROR_PERMILLE_TRUSTED = 50
/** Between machines of one network the clock errs by more than their distance. */
const ROUND_TRIP_US_MIN = 500
const ROUND_TRIP_US_MAX = 2 * COORDINATE_US_MAX
/** Heights grow by shares of themselves: from nothing they would never. */
const HEIGHT_US_FIRST = 3000
const HEIGHT_US_MIN = 100
/** Pulls towards the origin, by the square of the distance as a part of this: the space stays where it is. */
const GRAVITY_US = 10_000_000

/** Of a peer that has measured nothing. */
export const unknownCoordinate = (): Coordinate => ({
  position_us: new Array<number>(COORDINATE_AXES).fill(0),
  height_us: HEIGHT_US_FIRST,
  error_permille: 1000,
})

/** As an integer, and never -0. */
const clamp = (x: number, min: number, max: number): number => Math.round(Math.min(max, Math.max(min, x))) + 0

/** Not Math.hypot, which is another number on another engine: worlds have to be the same on all. */
const lengthOf = (vector: readonly number[]): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))

const apartUs = (one: Coordinate, other: Coordinate): number =>
  lengthOf(one.position_us.map((x, i) => x - (other.position_us[i] as number)))

/** The predicted round trip between two peers, in ms. */
export const distanceMs = (one: Coordinate, other: Coordinate): number =>
  (apartUs(one, other) + one.height_us + other.height_us) / 1000

/** Unit vector out of `theirs`; in one and the same place, any. */
const awayFrom = (own: Coordinate, theirs: Coordinate, apart: number, below: (limit: number) => number): number[] => {
  if (apart > 0) return own.position_us.map((x, i) => (x - (theirs.position_us[i] as number)) / apart)
  const drawn = own.position_us.map(() => below(2000) - 999.5)
  const length = lengthOf(drawn)
  return drawn.map((x) => x / length)
}

/**
 * `own` after a round trip of `roundTripMs` to a peer that says it is at `theirs`. `below` draws the way out of one and
 * the same place.
 */
export const moved = (
  own: Coordinate,
  theirs: Coordinate,
  roundTripMs: number,
  below: (limit: number) => number,
): Coordinate => {
  const measuredUs = Math.min(ROUND_TRIP_US_MAX, Math.max(ROUND_TRIP_US_MIN, roundTripMs * 1000))
  const apart = apartUs(own, theirs)
  const heightsUs = own.height_us + theirs.height_us
  const offUs = measuredUs - (apart + heightsUs)
  const weight = own.error_permille / (own.error_permille + Math.max(ERROR_PERMILLE_TRUSTED, theirs.error_permille))
  const errorShare = ERROR_SHARE * weight
  const sampleError = 1000 * Math.min(1, Math.abs(offUs) / measuredUs)
  const stepUs = clamp(MOVE_SHARE * weight * offUs, -STEP_US_MAX, STEP_US_MAX)
  const upwards = apart + heightsUs > 0 ? heightsUs / (apart + heightsUs) : 0
  const away = awayFrom(own, theirs, apart, below)
  const pull = lengthOf(own.position_us) / GRAVITY_US
  return {
    position_us: own.position_us.map((x, i) =>
      clamp(x + stepUs * (away[i] as number) - x * pull, -COORDINATE_US_MAX, COORDINATE_US_MAX),
    ),
    height_us: clamp(own.height_us + stepUs * upwards, HEIGHT_US_MIN, COORDINATE_US_MAX),
    error_permille: clamp(own.error_permille * (1 - errorShare) + sampleError * errorShare, 1, 1000),
  }
}

/** Edge of a cell: most of a continent's peers share a few, most of the world's do not. */
export const CELL_MS = 50
/** A coordinate that wanders over an edge stays in its cell for this much longer. */
const CELL_MARGIN_MS = 10

const cellAlong = (positionUs: number, before: number | undefined): number => {
  const ms = positionUs / 1000
  const stays = before !== undefined && Math.abs(ms - before * CELL_MS) <= CELL_MS / 2 + CELL_MARGIN_MS
  return stays ? before : Math.round(ms / CELL_MS) + 0
}

/**
 * The coarse cell in which a coordinate lies, as text such as `0.-1.2`: a cube with edges of CELL_MS around the origin
 * is `0.0.0`. With `before`, the cell in which it was, it changes only once the coordinate is 10 ms past the edge.
 */
export const cellOf = ({ position_us }: Coordinate, before?: string): string => {
  const was = before?.split('.').map(Number)
  return position_us.map((x, i) => cellAlong(x, was?.[i])).join('.')
}
