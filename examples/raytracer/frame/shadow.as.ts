// How much of the lamp, and of the sky, a point of a place sees: shadow.ts in AssemblyScript.
import { random } from './generator.as.ts'
import { LAMP_HALF, LAMP_RADIUS, LAMP_X, LAMP_Y, LAMP_Z, UX, UZ, VX, VY, VZ } from './lamp.as.ts'
import { CLOSE, CLOSES, POOL, SHADING, SHADINGS, SLACK } from './places.as.ts'
import { RADIUS, SPHERES, SQUARE, X, Y, Z } from './scene.as.ts'

const RAYS = 32
const PLACE_U = new StaticArray<f64>(RAYS)
const PLACE_V = new StaticArray<f64>(RAYS)

function halves(i: i32): f64 {
  return i === 0 ? 0 : (<f64>(i & 1) + halves(i >> 1)) / 2
}
for (let i = 0; i < RAYS; i++) {
  PLACE_U[i] = <f64>i / <f64>RAYS
  PLACE_V[i] = halves(i)
}

const ALONG = new StaticArray<f64>(SPHERES)
const ALONG_U = new StaticArray<f64>(SPHERES)
const ALONG_V = new StaticArray<f64>(SPHERES)
const OUTLINE = new StaticArray<f64>(SPHERES)

export function lampSeen(x: f64, y: f64, z: f64, place: i32): f64 {
  const lx = LAMP_X - x
  const ly = LAMP_Y - y
  const lz = LAMP_Z - z
  const square = lx * lx + ly * ly + lz * lz
  let partly = 0
  const from = unchecked(SHADING[place])
  const to = from + unchecked(SHADINGS[place])
  for (let i = from; i < to; i++) {
    const s = <i32>unchecked(POOL[i])
    const sx = unchecked(X[s]) - x
    const sy = unchecked(Y[s]) - y
    const sz = unchecked(Z[s]) - z
    const along = sx * lx + sy * ly + sz * lz
    if (along <= 0) continue
    const away = sx * sx + sy * sy + sz * sz
    const apart = away - (along * along) / square
    const lampWidth = (LAMP_RADIUS * along) / square
    const outer = unchecked(RADIUS[s]) * SLACK + lampWidth
    if (apart >= outer * outer) continue
    const inner = unchecked(RADIUS[s]) - lampWidth
    if (inner > 0 && apart < inner * inner) return 0
    unchecked((ALONG[partly] = along))
    unchecked((ALONG_U[partly] = sx * UX + sz * UZ))
    unchecked((ALONG_V[partly] = sx * VX + sy * VY + sz * VZ))
    unchecked((OUTLINE[partly] = away - SQUARE[s]))
    partly++
  }
  if (partly === 0) return 1
  return shareOfRays(partly, square, lx * UX + lz * UZ, lx * VX + ly * VY + lz * VZ)
}

function shareOfRays(partly: i32, square: f64, u: f64, v: f64): f64 {
  const shiftU = random()
  const shiftV = random()
  let free = 0
  for (let i = 0; i < RAYS; i++) {
    const placeU = unchecked(PLACE_U[i]) + shiftU
    const placeV = unchecked(PLACE_V[i]) + shiftV
    const byU = ((placeU >= 1 ? placeU - 1 : placeU) - 0.5) * 2 * LAMP_HALF
    const byV = ((placeV >= 1 ? placeV - 1 : placeV) - 0.5) * 2 * LAMP_HALF
    const ray = square + byU * byU + byV * byV + 2 * (byU * u + byV * v)
    if (!isBlocked(partly, ray, byU, byV)) free++
  }
  return <f64>free / <f64>RAYS
}

function isBlocked(partly: i32, ray: f64, byU: f64, byV: f64): bool {
  for (let i = 0; i < partly; i++) {
    const along = unchecked(ALONG[i]) + unchecked(ALONG_U[i]) * byU + unchecked(ALONG_V[i]) * byV
    if (along > 0 && along * along > ray * unchecked(OUTLINE[i])) return true
  }
  return false
}

export function skySeen(x: f64, y: f64, z: f64, nx: f64, ny: f64, nz: f64, place: i32): f64 {
  let seen: f64 = 1
  const from = unchecked(CLOSE[place])
  const to = from + unchecked(CLOSES[place])
  for (let i = from; i < to; i++) {
    const s = <i32>unchecked(POOL[i])
    const sx = unchecked(X[s]) - x
    const sy = unchecked(Y[s]) - y
    const sz = unchecked(Z[s]) - z
    const facing = sx * nx + sy * ny + sz * nz
    if (facing <= 0) continue
    const square = sx * sx + sy * sy + sz * sz
    const hidden = (facing * unchecked(SQUARE[s])) / (square * Math.sqrt(square))
    seen *= hidden < 1 ? 1 - hidden : 0
  }
  return seen
}
