/** What stands round a point: which spheres may keep the lamp from it, and which are near enough to darken it. */
import { random } from './generator.ts'
import { type Ball, LAMP, SPHERES, type Sphere } from './scene.ts'

export interface Surroundings {
  /** May stand between here and the lamp. */
  readonly shading: readonly Sphere[]
  /** Hide a part of the sky that can be seen. */
  readonly close: readonly Sphere[]
}

/** A sphere further away than this many of its radii hides too little of the sky to be seen. */
const CLOSE_RADII = 4

/** The side of the floor's squares that share their surroundings. */
const CELL = 0.5
const CELL_RADIUS = CELL * Math.SQRT1_2

/** More than 1 / cos of half the angle at which the lamp is seen, which is 15° right under it. */
const SLACK = 1.04

/** Written out, since it is done for every sphere and place: is `sphere` in the cone from `place` to the lamp? */
const shades = (sphere: Sphere, place: Ball): boolean => {
  const lx = LAMP.x - place.x
  const ly = LAMP.y - place.y
  const lz = LAMP.z - place.z
  const x = sphere.x - place.x
  const y = sphere.y - place.y
  const z = sphere.z - place.z
  const along = (x * lx + y * ly + z * lz) / (lx * lx + ly * ly + lz * lz)
  const at = along < 0 ? 0 : along > 1 ? 1 : along
  const dx = x - lx * at
  const dy = y - ly * at
  const dz = z - lz * at
  const width = SLACK * (sphere.radius + place.radius + (LAMP.radius - place.radius) * at)
  return dx * dx + dy * dy + dz * dz < width * width
}

const isClose = (sphere: Sphere, place: Ball): boolean => {
  const x = sphere.x - place.x
  const y = sphere.y - place.y
  const z = sphere.z - place.z
  const reach = sphere.radius * CLOSE_RADII + place.radius
  return x * x + y * y + z * z < reach * reach
}

const survey = (place: Ball): Surroundings => {
  const shading: Sphere[] = []
  const close: Sphere[] = []
  for (const sphere of SPHERES) {
    if (sphere === place) continue
    if (shades(sphere, place)) shading.push(sphere)
    if (isClose(sphere, place)) close.push(sphere)
  }
  return { shading, close }
}

const bySphere = new Map<Sphere, Surroundings>()

export const aroundSphere = (sphere: Sphere): Surroundings => {
  const known = bySphere.get(sphere)
  if (known) return known
  const found = survey(sphere)
  bySphere.set(sphere, found)
  return found
}

const byCell = new Map<number, Surroundings>()

/** Of the point (x, 0, z). */
export const aroundFloor = (x: number, z: number): Surroundings => {
  const column = Math.floor(x / CELL)
  const row = Math.floor(z / CELL)
  if (column * column + row * row > FAR_CELLS * FAR_CELLS) return NOTHING
  const key = column * 4 * FAR_CELLS + row
  const known = byCell.get(key)
  if (known) return known
  const found = survey({ x: (column + 0.5) * CELL, y: 0, z: (row + 0.5) * CELL, radius: CELL_RADIUS })
  byCell.set(key, found)
  return found
}

/** So far out no sphere is close, and none of their shadows ends there (a test says so). */
const FAR_CELLS = 20

const NOTHING: Surroundings = { shading: [], close: [] }

/**
 * The share of the lamp seen from (x, y, z), 0 to 1. A sphere that hides all of it or nothing is found out by one
 * comparison; only where some hide a part of it are rays sent, shifted on the lamp by chance.
 */
export const lampSeen = (x: number, y: number, z: number, shading: readonly Sphere[]): number => {
  const lx = LAMP.x - x
  const ly = LAMP.y - y
  const lz = LAMP.z - z
  const square = lx * lx + ly * ly + lz * lz
  let partly: Blocker[] | undefined
  for (let i = 0; i < shading.length; i++) {
    const sphere = shading[i]!
    const sx = sphere.x - x
    const sy = sphere.y - y
    const sz = sphere.z - z
    const along = sx * lx + sy * ly + sz * lz
    if (along <= 0) continue
    const away = sx * sx + sy * sy + sz * sz
    const apart = away - (along * along) / square
    const lampWidth = (LAMP.radius * along) / square
    const outer = sphere.radius * SLACK + lampWidth
    if (apart >= outer * outer) continue
    const inner = sphere.radius - lampWidth
    if (inner > 0 && apart < inner * inner) return 0
    partly ??= []
    partly.push({
      along,
      alongU: sx * LAMP.u.x + sz * LAMP.u.z,
      alongV: sx * LAMP.v.x + sy * LAMP.v.y + sz * LAMP.v.z,
      square: away - sphere.square,
    })
  }
  if (!partly) return 1
  const { u, v } = LAMP
  return shareOfRays(partly, square, lx * u.x + lz * u.z, lx * v.x + ly * v.y + lz * v.z)
}

/**
 * A sphere as seen from the point in half shadow: how far towards the lamp's middle it stands, times the distance of that;
 * the same for one length along each side of the lamp; and the square of the distance to its outline.
 */
interface Blocker {
  readonly along: number
  readonly alongU: number
  readonly alongV: number
  readonly square: number
}

/** Rays to the lamp from a point in half shadow. */
const RAYS = 32

/** 0, 1/2, 1/4, 3/4, 1/8 … (van der Corput): with i / RAYS, places spread evenly over a square (Hammersley 1960). */
const halves = (i: number): number => (i === 0 ? 0 : ((i & 1) + halves(i >> 1)) / 2)

const PLACES = Array.from({ length: RAYS }, (_, i) => ({ u: i / RAYS, v: halves(i) }))

/** `square`, `u` and `v` say of the lamp's middle what `square`, `alongU` and `alongV` say of a sphere. */
const shareOfRays = (partly: readonly Blocker[], square: number, u: number, v: number): number => {
  const shiftU = random()
  const shiftV = random()
  let free = 0
  for (let i = 0; i < RAYS; i++) {
    const place = PLACES[i]!
    const byU = (((place.u + shiftU) % 1) - 0.5) * 2 * LAMP.half
    const byV = (((place.v + shiftV) % 1) - 0.5) * 2 * LAMP.half
    const ray = square + byU * byU + byV * byV + 2 * (byU * u + byV * v)
    if (!isBlocked(partly, ray, byU, byV)) free++
  }
  return free / RAYS
}

/** A ray of squared length `ray`, to the place of the lamp that lies `byU` and `byV` off its middle. */
const isBlocked = (partly: readonly Blocker[], ray: number, byU: number, byV: number): boolean => {
  for (let i = 0; i < partly.length; i++) {
    const blocker = partly[i]!
    const along = blocker.along + blocker.alongU * byU + blocker.alongV * byV
    if (along > 0 && along * along > ray * blocker.square) return true
  }
  return false
}

/** The share of the sky's light left at a point with unit normal (nx, ny, nz); each close sphere takes its solid angle. */
export const skySeen = (
  x: number,
  y: number,
  z: number,
  nx: number,
  ny: number,
  nz: number,
  close: readonly Sphere[],
): number => {
  let seen = 1
  for (let i = 0; i < close.length; i++) {
    const sphere = close[i]!
    const sx = sphere.x - x
    const sy = sphere.y - y
    const sz = sphere.z - z
    const facing = sx * nx + sy * ny + sz * nz
    if (facing <= 0) continue
    const square = sx * sx + sy * sy + sz * sz
    const hidden = (facing * sphere.square) / (square * Math.sqrt(square))
    seen *= hidden < 1 ? 1 - hidden : 0
  }
  return seen
}
