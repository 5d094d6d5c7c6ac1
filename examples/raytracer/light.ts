/** The light that comes along a ray from what it meets, and from what is mirrored there. */
import { floorColour } from './floor.ts'
import { distanceTo, type Ray } from './ray.ts'
import { type Colour, LAMP, METAL, mix, type Sphere } from './scene.ts'
import { aroundFloor, aroundSphere, lampSeen, skySeen } from './shadow.ts'
import { HORIZON, hazed, sky } from './sky.ts'
import { diffuse, grazing, highlight } from './surface.ts'
import { nearest, reached } from './tree.ts'

const WHITE: Colour = [1, 1, 1]

/** What the floor mirrors when looked at straight, and how much of the rest at a grazing angle. */
const FLOOR_MIRROR = 0.1
const FLOOR_GRAZING = 0.72

const HIGHLIGHT = 2.2

/** What a mirror shows of the floor where nothing is followed any more. */
const DIM_FLOOR = 0.45

/** A ray leaves a mirror a little above it, so as not to meet it again. */
const LIFT = 0.001

const plus = (a: Colour, b: Colour, by: number): Colour => [a[0] + b[0] * by, a[1] + b[1] * by, a[2] + b[2] * by]

const times = (a: Colour, b: Colour): Colour => [a[0] * b[0], a[1] * b[1], a[2] * b[2]]

const scaled = (a: Colour, by: number): Colour => [a[0] * by, a[1] * by, a[2] * by]

/** Along `ray`, which falls, from the floor, which mirrors `image`. `followed` as in `sphereLight`. */
export const floorLight = (ray: Ray, image: Sphere | undefined, followed: boolean): Colour => {
  const distance = -ray.y / ray.dy
  const x = ray.x + ray.dx * distance
  const z = ray.z + ray.dz * distance
  const { shading, close } = aroundFloor(x, z)
  const open = close.length > 0 ? skySeen(x, 0, z, 0, 1, 0, close) : 1
  const lx = LAMP.x - x
  const lz = LAMP.z - z
  const facing = LAMP.y / Math.sqrt(lx * lx + LAMP.y * LAMP.y + lz * lz)
  const seen = shading.length > 0 ? lampSeen(x, 0, z, shading) : 1
  const own = diffuse(floorColour(x, z, distance, -ray.dy), facing * seen, 1, open)
  const up = { x, y: 0, z, dx: ray.dx, dy: -ray.dy, dz: ray.dz }
  const mirrored = image
    ? sphereLight(up, image, distanceTo(image, up), false)
    : scaled(sky(up.dx, up.dy, up.dz), followed ? 1 : dimmed(open))
  const light = mix(own, mirrored, FLOOR_MIRROR + FLOOR_GRAZING * grazing(up.dy))
  return hazed(light, ray.dx, ray.dz, distance)
}

/** Along `ray` from `sphere`, met at `distance`. What it mirrors is looked up in turn if `followed`, else guessed. */
export const sphereLight = (ray: Ray, sphere: Sphere, distance: number, followed: boolean): Colour => {
  const x = ray.x + ray.dx * distance
  const y = ray.y + ray.dy * distance
  const z = ray.z + ray.dz * distance
  const nx = (x - sphere.x) / sphere.radius
  const ny = (y - sphere.y) / sphere.radius
  const nz = (z - sphere.z) / sphere.radius
  const { shading, close } = aroundSphere(sphere)
  // The floor darkens what faces it, most where they touch.
  const open = skySeen(x, y, z, nx, ny, nz, close) * (1 - (0.275 * (1 - ny)) / (1 + 1.2 * y))
  const lx = LAMP.x - x
  const ly = LAMP.y - y
  const lz = LAMP.z - z
  const far = Math.sqrt(lx * lx + ly * ly + lz * lz)
  const facing = (nx * lx + ny * ly + nz * lz) / far
  const seen = facing > 0 ? lampSeen(x, y, z, shading) : 0
  let light = diffuse(sphere.colour, facing * seen, ny, open)
  if (sphere.mirror > 0) {
    const cos = -(ray.dx * nx + ray.dy * ny + ray.dz * nz)
    const { dx, dy, dz } = ray
    const out = { x, y, z, dx: dx + 2 * cos * nx, dy: dy + 2 * cos * ny, dz: dz + 2 * cos * nz }
    const mirrored = followed ? followedLight(out, nx, ny, nz) : guessedLight(out, open)
    light = glossy(sphere, light, mirrored, cos)
    if (seen > 0) {
      const shine = highlight(lx / far - dx, ly / far - dy, lz / far - dz, nx, ny, nz)
      light = plus(light, LAMP.colour, HIGHLIGHT * seen * shine)
    }
  }
  return hazed(light, ray.dx, ray.dz, distance)
}

/** Lacquer mirrors on top of its colour; metal lends its colour to what it mirrors. */
const glossy = ({ colour, mirror }: Sphere, own: Colour, mirrored: Colour, cos: number): Colour => {
  const graze = grazing(cos)
  const share = mirror + (1 - mirror) * graze
  if (mirror <= METAL) return mix(own, mirrored, share)
  return plus(scaled(own, (1 - mirror) * (1 - mirror)), times(mirrored, mix(colour, WHITE, graze)), share)
}

const followedLight = (out: Ray, nx: number, ny: number, nz: number): Colour => {
  const { dx, dy, dz } = out
  const ray = { x: out.x + nx * LIFT, y: out.y + ny * LIFT, z: out.z + nz * LIFT, dx, dy, dz }
  const sphere = nearest(ray, dy < 0 ? -ray.y / dy : Infinity)
  if (sphere) return sphereLight(ray, sphere, reached, false)
  return dy < 0 ? floorLight(ray, undefined, false) : sky(dx, dy, dz)
}

const guessedLight = ({ dx, dy, dz }: Ray, open: number): Colour =>
  dy < 0 ? scaled(HORIZON, DIM_FLOOR * dimmed(open)) : scaled(sky(dx, dy, dz), dimmed(open))

const dimmed = (open: number): number => 0.5 + 0.5 * open
