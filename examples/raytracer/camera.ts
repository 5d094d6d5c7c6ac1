/** Where the eye is, and what each place of the picture looks at. Places are in pixels from the upper left corner. */
import type { Ray } from './ray.ts'
import { SPHERES, type Sphere } from './scene.ts'

export const WIDTH = 960
export const HEIGHT = 540

const EYE = { x: 1.4, y: 2.85, z: -8.4 }
const TARGET = { x: 0.4, y: 1.02, z: 0 }

/** Half the picture's height, seen from distance 1. */
const HALF_HEIGHT = 0.375
/** The side of a pixel, seen from distance 1. */
export const PIXEL = (2 * HALF_HEIGHT) / HEIGHT

const axes = () => {
  const [x, y, z] = [TARGET.x - EYE.x, TARGET.y - EYE.y, TARGET.z - EYE.z]
  const long = Math.sqrt(x * x + y * y + z * z)
  const ahead = { x: x / long, y: y / long, z: z / long }
  const flat = Math.sqrt(ahead.x * ahead.x + ahead.z * ahead.z)
  const right = { x: ahead.z / flat, y: 0, z: -ahead.x / flat }
  const up = { x: ahead.y * right.z, y: ahead.z * right.x - ahead.x * right.z, z: -ahead.y * right.x }
  return { ahead, right, up }
}

const { ahead, right, up } = axes()

/** The eye's ray through (column, row). */
export const rayThrough = (column: number, row: number): Ray => {
  const across = (column - WIDTH / 2) * PIXEL
  const upwards = (HEIGHT / 2 - row) * PIXEL
  const length = Math.sqrt(1 + across * across + upwards * upwards)
  return {
    x: EYE.x,
    y: EYE.y,
    z: EYE.z,
    dx: (ahead.x + right.x * across + up.x * upwards) / length,
    dy: (ahead.y + up.y * upwards) / length,
    dz: (ahead.z + right.z * across + up.z * upwards) / length,
  }
}

/** A sphere as the eye sees it: its centre along the eye's axes, and the part of the picture that it lies within. */
export interface Sight {
  readonly sphere: Sphere
  readonly across: number
  readonly upwards: number
  readonly ahead: number
  /** The square of the distance from the eye to the sphere's outline. */
  readonly square: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Both tangents from the eye to a circle, as slopes. */
const tangents = (aside: number, away: number, radius: number): [low: number, high: number] => {
  const root = radius * Math.sqrt(aside * aside + away * away - radius * radius)
  const scale = away * away - radius * radius
  return [(aside * away - root) / scale, (aside * away + root) / scale]
}

const seenFromEye = (sphere: Sphere): Sight => {
  const [x, y, z] = [sphere.x - EYE.x, sphere.y - EYE.y, sphere.z - EYE.z]
  const across = x * right.x + z * right.z
  const upwards = x * up.x + y * up.y + z * up.z
  const away = x * ahead.x + y * ahead.y + z * ahead.z
  const [west, east] = tangents(across, away, sphere.radius)
  const [south, north] = tangents(upwards, away, sphere.radius)
  return {
    sphere,
    across,
    upwards,
    ahead: away,
    square: x * x + y * y + z * z - sphere.square,
    left: WIDTH / 2 + west / PIXEL,
    right: WIDTH / 2 + east / PIXEL,
    top: HEIGHT / 2 - north / PIXEL,
    bottom: HEIGHT / 2 - south / PIXEL,
  }
}

/** Every sphere as seen straight on; all of them stand before the eye (a test says so). */
export const SIGHTS: readonly Sight[] = SPHERES.map(seenFromEye)

/** Every sphere as seen in the floor: as deep below it as it stands above. */
export const FLOOR_SIGHTS: readonly Sight[] = SPHERES.map((sphere) => ({
  ...seenFromEye({ ...sphere, y: -sphere.y }),
  sphere,
}))

/** Those of `sights` that may be seen in rows from `top` to `bottom`. */
export const inRows = (sights: readonly Sight[], top: number, bottom: number): Sight[] =>
  sights.filter((sight) => sight.top < bottom && sight.bottom > top)

/** For each of the columns from `left` to `right`, those of `sights` that may be seen there; nothing where there are none. */
export const byColumn = (sights: readonly Sight[], left: number, right: number): (Sight[] | undefined)[] => {
  const columns: (Sight[] | undefined)[] = new Array(right - left).fill(undefined)
  for (const sight of sights) {
    const last = Math.min(right - 1, Math.floor(sight.right))
    for (let column = Math.max(left, Math.floor(sight.left)); column <= last; column++) {
      const here = columns[column - left]
      if (here) here.push(sight)
      else columns[column - left] = [sight]
    }
  }
  return columns
}

/** Of `sights`, the sphere that the eye sees at (column, row). */
export const seenAt = (column: number, row: number, sights: readonly Sight[]): Sphere | undefined => {
  const x = (column - WIDTH / 2) * PIXEL
  const y = (HEIGHT / 2 - row) * PIXEL
  const square = x * x + y * y + 1
  let nearest = Infinity
  let seen: Sphere | undefined
  for (let i = 0; i < sights.length; i++) {
    const sight = sights[i]!
    const along = sight.across * x + sight.upwards * y + sight.ahead
    const half = along * along - sight.square * square
    if (half <= 0) continue
    const distance = along - Math.sqrt(half)
    if (distance >= nearest) continue
    nearest = distance
    seen = sight.sphere
  }
  return seen
}
