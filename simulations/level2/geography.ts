/** Where machines can be, and how far these places are apart: points on the Earth by a model, or the rows of a matrix. */
import { acos } from '../exact-math.ts'
import { HALFWAY_KM, KM_PER_MS, type Point, pointOnSphere } from '../places.ts'
import type { RttMatrix } from '../rtt-matrix.ts'
import type { Chance } from './chance.ts'

export interface Geography {
  readonly size: number
  /** One way, row by row. */
  readonly delayMs: Float32Array
  /** Row by row: all places, the nearest first, itself before the others. */
  readonly nearest: Uint16Array
  /** Where they are; of a matrix nobody knows. */
  readonly points?: readonly Point[]
}

/** Of the model: as many towns. */
const PLACES = 256

const withNearest = (size: number, delayMs: Float32Array): Geography => {
  const nearest = new Uint16Array(size * size)
  for (let from = 0; from < size; from++) {
    const row = delayMs.subarray(from * size, (from + 1) * size)
    const order = Array.from(row.keys()).filter((to) => to !== from)
    order.sort((a, b) => (row[a] as number) - (row[b] as number) || a - b)
    nearest.set([from, ...order], from * size)
  }
  return { size, delayMs, nearest }
}

export const modelGeography = (random: Chance): Geography => {
  const points = Array.from({ length: PLACES }, () => pointOnSphere(random))
  const delayMs = new Float32Array(PLACES * PLACES)
  for (const [i, a] of points.entries()) {
    for (const [j, b] of points.entries()) {
      const cosine = Math.min(1, Math.max(-1, a.x * b.x + a.y * b.y + a.z * b.z))
      delayMs[i * PLACES + j] = i === j ? 0 : ((acos(cosine) / Math.PI) * HALFWAY_KM) / KM_PER_MS
    }
  }
  return { ...withNearest(PLACES, delayMs), points }
}

export const matrixGeography = ({ size, roundTripMs }: RttMatrix): Geography => {
  const between = (i: number, j: number) => roundTripMs[i * size + j] as number
  const delayMs = Float32Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size]
    return i === j ? 0 : (between(i, j) + between(j, i)) / 4
  })
  return withNearest(size, delayMs)
}
