// tree.ts in AssemblyScript: nodes in the order of a walk, where to go on when a ray misses one, and the sphere of a leaf or -1.
import { RADIUS, SPHERES, SQUARE, X, Y, Z } from './scene.as.ts'

const NODES_MAX = 4 * SPHERES
const NX = new StaticArray<f64>(NODES_MAX)
const NY = new StaticArray<f64>(NODES_MAX)
const NZ = new StaticArray<f64>(NODES_MAX)
const NRADIUS = new StaticArray<f64>(NODES_MAX)
const NSQUARE = new StaticArray<f64>(NODES_MAX)
const NSPHERE = new StaticArray<i32>(NODES_MAX)
const NSKIP = new StaticArray<i32>(NODES_MAX)
const ORDER = new StaticArray<i32>(SPHERES)
let nodes = 0

function node(x: f64, y: f64, z: f64, radius: f64, sphere: i32): i32 {
  NX[nodes] = x
  NY[nodes] = y
  NZ[nodes] = z
  NRADIUS[nodes] = radius
  NSQUARE[nodes] = radius * radius
  NSPHERE[nodes] = sphere
  NSKIP[nodes] = nodes + 1
  return nodes++
}

function sortBy(axis: StaticArray<f64>, from: i32, to: i32): void {
  for (let i = from + 1; i < to; i++) {
    const one = ORDER[i]
    let at = i
    for (; at > from && axis[ORDER[at - 1]] > axis[one]; at--) ORDER[at] = ORDER[at - 1]
    ORDER[at] = one
  }
}

function low(axis: StaticArray<f64>, from: i32, to: i32, radii: f64): f64 {
  let found = Infinity
  for (let i = from; i < to; i++) found = Math.min(found, axis[ORDER[i]] - radii * RADIUS[ORDER[i]])
  return found
}

function high(axis: StaticArray<f64>, from: i32, to: i32, radii: f64): f64 {
  let found = -Infinity
  for (let i = from; i < to; i++) found = Math.max(found, axis[ORDER[i]] + radii * RADIUS[ORDER[i]])
  return found
}

function plant(from: i32, to: i32): void {
  const x = (low(X, from, to, 1) + high(X, from, to, 1)) / 2
  const y = (low(Y, from, to, 1) + high(Y, from, to, 1)) / 2
  const z = (low(Z, from, to, 1) + high(Z, from, to, 1)) / 2
  let radius: f64 = 0
  for (let i = from; i < to; i++) {
    const s = ORDER[i]
    const away = Math.sqrt((X[s] - x) * (X[s] - x) + (Y[s] - y) * (Y[s] - y) + (Z[s] - z) * (Z[s] - z))
    radius = Math.max(radius, away + RADIUS[s])
  }
  const here = node(x, y, z, radius, -1)
  if (to - from <= 4) {
    for (let i = from; i < to; i++) node(X[ORDER[i]], Y[ORDER[i]], Z[ORDER[i]], RADIUS[ORDER[i]], ORDER[i])
  } else {
    const byX = high(X, from, to, 0) - low(X, from, to, 0) > high(Z, from, to, 0) - low(Z, from, to, 0)
    sortBy(byX ? X : Z, from, to)
    const middle = (from + to) >> 1
    plant(from, middle)
    plant(middle, to)
  }
  NSKIP[here] = nodes
}

for (let i = 0; i < SPHERES; i++) ORDER[i] = i
plant(0, SPHERES)

export let reached: f64 = 0

export function nearest(ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64, limit: f64): i32 {
  let found = -1
  reached = limit
  for (let i = 0; i < nodes; ) {
    const x = unchecked(NX[i]) - ox
    const y = unchecked(NY[i]) - oy
    const z = unchecked(NZ[i]) - oz
    const along = x * dx + y * dy + z * dz
    const apart = x * x + y * y + z * z - unchecked(NSQUARE[i])
    const half = along * along - apart
    if (half <= 0 || (along < 0 && apart > 0) || along - unchecked(NRADIUS[i]) > reached) {
      i = unchecked(NSKIP[i])
      continue
    }
    const sphere = unchecked(NSPHERE[i])
    i++
    if (sphere < 0) continue
    const distance = along - Math.sqrt(half)
    if (distance > 0 && distance < reached) {
      reached = distance
      found = sphere
    }
  }
  return found
}

export function distanceTo(s: i32, ox: f64, oy: f64, oz: f64, dx: f64, dy: f64, dz: f64): f64 {
  const x = unchecked(X[s]) - ox
  const y = unchecked(Y[s]) - oy
  const z = unchecked(Z[s]) - oz
  const along = x * dx + y * dy + z * dz
  const half = along * along - (x * x + y * y + z * z - unchecked(SQUARE[s]))
  return half > 0 ? along - Math.sqrt(half) : along
}
