import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeValue } from '../../protocol/values.ts'
import { outcomeOf, runOf, valueIn, wasm } from '../../sandbox/fixture.ts'
import { createSandbox } from '../../sandbox/sandbox.ts'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { FLOOR_SIGHTS, HEIGHT, rayThrough, SIGHTS, seenAt, WIDTH } from './camera.ts'
import { seed } from './generator.ts'
import { floorLight, sphereLight } from './light.ts'
import { distanceTo } from './ray.ts'
import { developed, sky } from './sky.ts'

/** The eye of camera.ts. */
const EYE = [1.4, 2.85, -8.4]

const inputOf = (top: number, rows: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(40))
  for (const [i, x] of EYE.entries()) view.setFloat64(8 * i, x, true)
  for (const [i, n] of [WIDTH, HEIGHT, top, rows].entries()) view.setInt32(24 + 4 * i, n, true)
  return new Uint8Array(view.buffer)
}

/** The middle of a pixel, as tile.ts sees it. */
const seen = (column: number, row: number): number[] => {
  seed(column, row)
  const ray = rayThrough(column + 0.5, row + 0.5)
  const sphere = seenAt(column + 0.5, row + 0.5, SIGHTS)
  const light = sphere
    ? sphereLight(ray, sphere, distanceTo(sphere, ray), true)
    : ray.dy < 0
      ? floorLight(ray, seenAt(column + 0.5, row + 0.5, FLOOR_SIGHTS), true)
      : sky(ray.dx, ray.dy, ray.dz)
  return light.map(developed)
}

test('in WebAssembly the light is the same to the last bit', async () => {
  expect(readFileSync(new URL('./camera.ts', import.meta.url), 'utf8')).toContain(
    `EYE = { x: ${EYE[0]}, y: ${EYE[1]}, z: ${EYE[2]} }`,
  )
  const { code, tier, exports } = await bundle(new URL('./frame.as.ts', import.meta.url))
  expect(exports).toEqual(['strip'])
  const sandbox = createSandbox({ wasm })
  const limits = { fuel: 1e10, memory_bytes: 64 * 1024 * 1024, output_bytes: 4 * 1024 * 1024 }
  sandbox.load('frame', code, limits.memory_bytes, { tier, modules: [] })
  let differing = 0
  for (const top of [20, 200, 330, 470]) {
    const run = { ...runOf(), exportName: 'strip', input: encodeValue(inputOf(top, 4)), limits }
    const pixels = valueIn(outcomeOf(sandbox.run('frame', run).result)) as Uint8Array
    const wanted = Array.from({ length: 4 * WIDTH }, (_, i) => seen(i % WIDTH, top + Math.floor(i / WIDTH)))
    for (const [i, colour] of wanted.entries()) if (colour.some((byte, c) => byte !== pixels[3 * i + c])) differing++
  }
  expect(differing).toBe(0)
})
