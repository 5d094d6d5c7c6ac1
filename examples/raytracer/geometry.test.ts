/** The short cuts against the long way: whatever is left out as out of reach is out of reach. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { byColumn, FLOOR_SIGHTS, HEIGHT, inRows, rayThrough, SIGHTS, seenAt, WIDTH } from './camera.ts'
import { distanceTo, type Ray } from './ray.ts'
import { LAMP, SPHERES, type Sphere } from './scene.ts'
import { aroundFloor, aroundSphere, lampSeen } from './shadow.ts'
import { nearest, reached } from './tree.ts'

const uniform = (name: string) => {
  const random = randomFor(name)
  return (low: number, high: number) => low + ((high - low) * random.below(2 ** 30)) / 2 ** 30
}

const meets = (ray: Ray, sphere: Sphere): boolean => {
  const [x, y, z] = [sphere.x - ray.x, sphere.y - ray.y, sphere.z - ray.z]
  const along = x * ray.dx + y * ray.dy + z * ray.dz
  return along > 0 && along * along > x * x + y * y + z * z - sphere.square
}

/** By trying every sphere. */
const firstOf = (ray: Ray, spheres: readonly Sphere[]): Sphere | undefined =>
  spheres.filter((sphere) => meets(ray, sphere)).sort((a, b) => distanceTo(a, ray) - distanceTo(b, ray))[0]

const towards = (x: number, y: number, z: number, tx: number, ty: number, tz: number): Ray => {
  const [dx, dy, dz] = [tx - x, ty - y, tz - z]
  const length = Math.sqrt(dx * dx + dy * dy + dz * dz)
  return { x, y, z, dx: dx / length, dy: dy / length, dz: dz / length }
}

const onLamp = (by: (low: number, high: number) => number) => {
  const [u, v] = [by(-LAMP.half, LAMP.half), by(-LAMP.half, LAMP.half)]
  return [LAMP.x + LAMP.u.x * u + LAMP.v.x * v, LAMP.y + LAMP.v.y * v, LAMP.z + LAMP.u.z * u + LAMP.v.z * v] as const
}

test('there are at least 50 spheres, before the eye, on the floor, apart from each other', () => {
  expect(SPHERES.length).toBeGreaterThan(50)
  for (const { ahead, sphere } of [...SIGHTS, ...FLOOR_SIGHTS]) expect(ahead).toBeGreaterThan(sphere.radius)
  for (const a of SPHERES) {
    expect(a.y).toBe(a.radius)
    for (const b of SPHERES) {
      const distance = Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2)
      if (a !== b) expect(distance).toBeGreaterThan(a.radius + b.radius)
    }
  }
})

test('the tree finds the nearest sphere', () => {
  const by = uniform('tree')
  for (let i = 0; i < 3000; i++) {
    const ray = towards(by(-6, 6), by(2.2, 4), by(-6, 6), by(-4, 4), by(0, 1), by(-4, 4))
    const expected = firstOf(ray, SPHERES)
    expect(nearest(ray, Infinity)).toBe(expected)
    if (expected) {
      expect(reached).toBe(distanceTo(expected, ray))
      expect(nearest(ray, reached * 0.999)).toBeUndefined()
    }
  }
})

test('a place of the picture shows the first sphere on its ray, and the floor the first on the ray it sends back', () => {
  const by = uniform('picture')
  for (let i = 0; i < 3000; i++) {
    const [column, row] = [by(0, WIDTH), by(HEIGHT / 4, HEIGHT)]
    const here = (sights: typeof SIGHTS) =>
      byColumn(inRows(sights, Math.floor(row), Math.floor(row) + 1), 0, WIDTH)[Math.floor(column)] ?? []
    const ray = rayThrough(column, row)
    const seen = seenAt(column, row, here(SIGHTS))
    expect(seen).toBe(firstOf(ray, SPHERES))
    if (seen) continue
    const fall = -ray.y / ray.dy
    const back = { x: ray.x + ray.dx * fall, y: 0, z: ray.z + ray.dz * fall, dx: ray.dx, dy: -ray.dy, dz: ray.dz }
    expect(seenAt(column, row, here(FLOOR_SIGHTS))).toBe(firstOf(back, SPHERES))
  }
})

test('whatever stands between the floor and the lamp is among what shades it there', () => {
  const by = uniform('floor')
  let shaded = 0
  for (let i = 0; i < 20_000; i++) {
    const [x, z] = [by(-14, 14), by(-14, 14)]
    const ray = towards(x, 0, z, ...onLamp(by))
    const between = SPHERES.filter((sphere) => meets(ray, sphere))
    expect(aroundFloor(x, z).shading).toEqual(expect.arrayContaining(between))
    if (between.length > 0) shaded++
  }
  expect(shaded).toBeGreaterThan(100)
})

test('and the same on the spheres', () => {
  const by = uniform('spheres')
  for (const sphere of SPHERES) {
    for (let i = 0; i < 100; i++) {
      const out = towards(0, 0, 0, by(-1, 1), by(-1, 1), by(-1, 1))
      const at = (along: number, axis: 'x' | 'y' | 'z') => sphere[axis] + sphere.radius * along
      const ray = towards(at(out.dx, 'x'), at(out.dy, 'y'), at(out.dz, 'z'), ...onLamp(by))
      const between = SPHERES.filter((other) => other !== sphere && meets(ray, other))
      expect(aroundSphere(sphere).shading).toEqual(expect.arrayContaining(between))
    }
  }
})

test('the share of the lamp seen is that of many rays', () => {
  const by = uniform('share')
  let partly = 0
  for (let i = 0; i < 400; i++) {
    const [x, z] = [by(-5, 7), by(-5, 7)]
    let free = 0
    for (let n = 0; n < 400; n++) if (!firstOf(towards(x, 0, z, ...onLamp(by)), aroundFloor(x, z).shading)) free++
    const seen = lampSeen(x, 0, z, aroundFloor(x, z).shading)
    expect(Math.abs(seen - free / 400)).toBeLessThan(0.15)
    if (seen > 0 && seen < 1) partly++
  }
  expect(partly).toBeGreaterThan(20)
})
