// What can shade a place, and what is close to it: lists of spheres, one after another in a pool; of a place its first and its length.
// A place is a sphere, by its number, or a cell of the floor.
import { LAMP_RADIUS, LAMP_X, LAMP_Y, LAMP_Z } from './lamp.as.ts'
import { RADIUS, SPHERES, X, Y, Z } from './scene.as.ts'

export const POOL = new StaticArray<u8>(1 << 20)
let pooled = 0
const FAR_CELLS = 20
const CELLS = 2 * FAR_CELLS + 1
const PLACES = SPHERES + CELLS * CELLS
export const SHADING = new StaticArray<i32>(PLACES)
export const SHADINGS = new StaticArray<i32>(PLACES)
export const CLOSE = new StaticArray<i32>(PLACES)
export const CLOSES = new StaticArray<i32>(PLACES)
const SURVEYED = new StaticArray<bool>(PLACES)
export const SLACK: f64 = 1.04
const CELL: f64 = 0.5
const CELL_RADIUS: f64 = CELL * Math.SQRT1_2

function shades(s: i32, px: f64, py: f64, pz: f64, pr: f64): bool {
  const lx = LAMP_X - px
  const ly = LAMP_Y - py
  const lz = LAMP_Z - pz
  const x = unchecked(X[s]) - px
  const y = unchecked(Y[s]) - py
  const z = unchecked(Z[s]) - pz
  const along = (x * lx + y * ly + z * lz) / (lx * lx + ly * ly + lz * lz)
  const at: f64 = along < 0 ? 0 : along > 1 ? 1 : along
  const dx = x - lx * at
  const dy = y - ly * at
  const dz = z - lz * at
  const width = SLACK * (unchecked(RADIUS[s]) + pr + (LAMP_RADIUS - pr) * at)
  return dx * dx + dy * dy + dz * dz < width * width
}

export function survey(place: i32, px: f64, py: f64, pz: f64, pr: f64): void {
  if (unchecked(SURVEYED[place])) return
  unchecked((SURVEYED[place] = true))
  unchecked((SHADING[place] = pooled))
  for (let s = 0; s < SPHERES; s++) if (s !== place && shades(s, px, py, pz, pr)) POOL[pooled++] = <u8>s
  unchecked((SHADINGS[place] = pooled - SHADING[place]))
  unchecked((CLOSE[place] = pooled))
  for (let s = 0; s < SPHERES; s++) {
    if (s === place) continue
    const x = unchecked(X[s]) - px
    const y = unchecked(Y[s]) - py
    const z = unchecked(Z[s]) - pz
    const reach = unchecked(RADIUS[s]) * 4 + pr
    if (x * x + y * y + z * z < reach * reach) POOL[pooled++] = <u8>s
  }
  unchecked((CLOSES[place] = pooled - CLOSE[place]))
}

// The place of the floor's cell there; -1 far away, where nothing is.
export function floorPlace(x: f64, z: f64): i32 {
  const column = <i32>Math.floor(x / CELL)
  const row = <i32>Math.floor(z / CELL)
  if (x * x + z * z > 1e6 || column * column + row * row > FAR_CELLS * FAR_CELLS) return -1
  const place = SPHERES + (column + FAR_CELLS) * CELLS + row + FAR_CELLS
  survey(place, (<f64>column + 0.5) * CELL, 0, (<f64>row + 0.5) * CELL, CELL_RADIUS)
  return place
}
