import type { Sphere } from './scene.ts'

/** From (x, y, z), in the unit direction (dx, dy, dz). */
export interface Ray {
  readonly x: number
  readonly y: number
  readonly z: number
  readonly dx: number
  readonly dy: number
  readonly dz: number
}

/** Along `ray` to the sphere, or to where it comes nearest if it just misses, as a pixel's middle may at an outline. */
export const distanceTo = (sphere: Sphere, ray: Ray): number => {
  const x = sphere.x - ray.x
  const y = sphere.y - ray.y
  const z = sphere.z - ray.z
  const along = x * ray.dx + y * ray.dy + z * ray.dz
  const half = along * along - (x * x + y * y + z * z - sphere.square)
  return half > 0 ? along - Math.sqrt(half) : along
}
