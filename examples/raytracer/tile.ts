/** The function of the example: a tile of a ray-traced picture, at any coarseness. */
import { byColumn, FLOOR_SIGHTS, inRows, rayThrough, SIGHTS, type Sight, seenAt } from './camera.ts'
import { seed } from './generator.ts'
import { columnsOf, rowsOf, type Tile } from './grid.ts'
import { floorLight, sphereLight } from './light.ts'
import { distanceTo } from './ray.ts'
import { METAL, type Sphere } from './scene.ts'
import { developed, sky } from './sky.ts'

export type { Tile } from './grid.ts'

/** Red, green and blue of each pixel, row by row, in the order of `rowsOf` and `columnsOf`. */
export default function tile(input: Tile): { pixels: Uint8Array } {
  const { x, y, width, height } = input
  const sights = inRows(SIGHTS, y, y + height)
  const floorSights = inRows(FLOOR_SIGHTS, y, y + height)
  const pixels: number[] = []
  for (const row of rowsOf(input)) {
    const straight = byColumn(inRows(sights, row, row + 1), x, x + width)
    const inFloor = byColumn(inRows(floorSights, row, row + 1), x, x + width)
    for (const column of columnsOf(input, row)) {
      seed(column, row)
      const colour = pixel(column, row, straight[column - x], inFloor[column - x])
      pixels.push(colour[0], colour[1], colour[2])
    }
  }
  return { pixels: Uint8Array.from(pixels) }
}

/** Four places of a pixel, on no common row, column or diagonal. */
const PLACES = [
  { x: 0.375, y: 0.125 },
  { x: 0.625, y: 0.875 },
  { x: 0.875, y: 0.375 },
  { x: 0.125, y: 0.625 },
] as const

type Bytes = readonly [red: number, green: number, blue: number]

/**
 * The pixel's colour: seen once, at its middle, where one thing fills it; else in four places. Metal shows more than itself:
 * it is seen in two places, and in the other two if those differ.
 */
const pixel = (column: number, row: number, straight: readonly Sight[] = [], inFloor: readonly Sight[] = []): Bytes => {
  if (straight.length === 0) return seen(column + 0.5, row + 0.5, undefined, inFloor)
  const spheres = PLACES.map((place) => seenAt(column + place.x, row + place.y, straight))
  const sphere = spheres[0]
  const isFilled = spheres.every((other) => other === sphere)
  if (isFilled && !(sphere && sphere.mirror > METAL)) return seen(column + 0.5, row + 0.5, sphere, inFloor)
  const at = (i: number) => seen(column + PLACES[i]!.x, row + PLACES[i]!.y, spheres[i], inFloor)
  const half = mean(at(0), at(1))
  return isFilled && half.apart <= APART ? half.bytes : mean(half.bytes, mean(at(2), at(3)).bytes).bytes
}

/** Differences up to this, summed over a pixel's three bytes, are not looked into. */
const APART = 12

const mean = (a: Bytes, b: Bytes): { bytes: Bytes; apart: number } => ({
  bytes: [(a[0] + b[0] + 1) >> 1, (a[1] + b[1] + 1) >> 1, (a[2] + b[2] + 1) >> 1],
  apart: Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]),
})

const seen = (column: number, row: number, sphere: Sphere | undefined, inFloor: readonly Sight[]): Bytes => {
  const ray = rayThrough(column, row)
  const light = sphere
    ? sphereLight(ray, sphere, distanceTo(sphere, ray), true)
    : ray.dy < 0
      ? floorLight(ray, seenAt(column, row, inFloor), true)
      : sky(ray.dx, ray.dy, ray.dz)
  return [developed(light[0]), developed(light[1]), developed(light[2])]
}
