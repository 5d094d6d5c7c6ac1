/** The spheres in a tree of balls, so that a ray need not be tried against all of them. */
import type { Ray } from './ray.ts'
import { type Ball, SPHERES, type Sphere } from './scene.ts'

/** A node in the order of a walk: its children follow it, and `skip` is where to go on when the ray misses it. */
interface Node extends Ball {
  readonly square: number
  /** Set in a leaf, whose ball is the sphere itself. */
  readonly sphere: Sphere | undefined
  skip: number
}

const LEAVES_MAX = 4

const middle = (low: number, high: number) => (low + high) / 2

/** A ball that holds all of `spheres`: round the middle of their box. */
const around = (spheres: readonly Sphere[]): Ball & { square: number } => {
  const along = (axis: 'x' | 'y' | 'z') =>
    middle(Math.min(...spheres.map((s) => s[axis] - s.radius)), Math.max(...spheres.map((s) => s[axis] + s.radius)))
  const [x, y, z] = [along('x'), along('y'), along('z')]
  const reach = (s: Sphere) =>
    Math.sqrt((s.x - x) * (s.x - x) + (s.y - y) * (s.y - y) + (s.z - z) * (s.z - z)) + s.radius
  const radius = Math.max(...spheres.map(reach))
  return { x, y, z, radius, square: radius * radius }
}

const spread = (spheres: readonly Sphere[], axis: 'x' | 'z') =>
  Math.max(...spheres.map((s) => s[axis])) - Math.min(...spheres.map((s) => s[axis]))

const plant = (spheres: readonly Sphere[], nodes: Node[]): Node[] => {
  const node: Node = { ...around(spheres), sphere: undefined, skip: 0 }
  nodes.push(node)
  if (spheres.length <= LEAVES_MAX) {
    for (const sphere of spheres) nodes.push({ ...sphere, sphere, skip: nodes.length + 1 })
  } else {
    const axis = spread(spheres, 'x') > spread(spheres, 'z') ? 'x' : 'z'
    const sorted = [...spheres].sort((a, b) => a[axis] - b[axis])
    plant(sorted.slice(0, sorted.length >> 1), nodes)
    plant(sorted.slice(sorted.length >> 1), nodes)
  }
  node.skip = nodes.length
  return nodes
}

const NODES: readonly Node[] = plant(SPHERES, [])

/** How far the ray of the last `nearest` went to what it met. */
export let reached = 0

/** The first sphere on a ray of unit direction, no further than `limit`. It begins outside of all spheres. */
export const nearest = (ray: Ray, limit: number): Sphere | undefined => {
  const { x: ox, y: oy, z: oz, dx, dy, dz } = ray
  let found: Sphere | undefined
  reached = limit
  for (let i = 0; i < NODES.length; ) {
    const node = NODES[i]!
    const x = node.x - ox
    const y = node.y - oy
    const z = node.z - oz
    const along = x * dx + y * dy + z * dz
    const apart = x * x + y * y + z * z - node.square
    const half = along * along - apart
    if (half <= 0 || (along < 0 && apart > 0) || along - node.radius > reached) {
      i = node.skip
      continue
    }
    i++
    if (!node.sphere) continue
    const distance = along - Math.sqrt(half)
    if (distance > 0 && distance < reached) {
      reached = distance
      found = node.sphere
    }
  }
  return found
}
