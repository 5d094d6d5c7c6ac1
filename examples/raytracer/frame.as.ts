// The ray tracer of tile.ts in AssemblyScript, for an eye anywhere that looks at the same place: a strip of a frame, one ray a pixel.
// The same numbers in the same order: where tile.ts looks once at a pixel, both see the same bytes.
import { B, G, R } from './frame/colour.as.ts'
import { sizePixels } from './frame/floor.as.ts'
import { seed } from './frame/generator.as.ts'
import { floorLight, sphereLight } from './frame/light.as.ts'
import { developed, sky } from './frame/sky.as.ts'
import { distanceTo, nearest } from './frame/tree.as.ts'

const TARGET_X: f64 = 0.4
const TARGET_Y: f64 = 1.02
const TARGET_Z: f64 = 0

export function alloc(length: i32): usize {
  return heap.alloc(length)
}

/** Input: the eye (three f64), then i32: width and height of the frame, first row, number of rows. Result: red, green, blue of each pixel. */
export function strip(at: usize, length: i32): u64 {
  if (length !== 40) throw new Error('the input has 40 bytes: three f64, four i32')
  const ex = load<f64>(at)
  const ey = load<f64>(at + 8)
  const ez = load<f64>(at + 16)
  const width = load<i32>(at + 24)
  const height = load<i32>(at + 28)
  const top = load<i32>(at + 32)
  const rows = load<i32>(at + 36)
  const x = TARGET_X - ex
  const y = TARGET_Y - ey
  const z = TARGET_Z - ez
  const long = Math.sqrt(x * x + y * y + z * z)
  const ax = x / long
  const ay = y / long
  const az = z / long
  const flat = Math.sqrt(ax * ax + az * az)
  const rx = az / flat
  const rz = -ax / flat
  const ux = ay * rz
  const uy = az * rx - ax * rz
  const uz = -ay * rx
  const pixelSide = 0.75 / <f64>height
  sizePixels(pixelSide)
  const out = heap.alloc(3 * width * rows)
  let to = out
  for (let row = top; row < top + rows; row++) {
    for (let column = 0; column < width; column++) {
      seed(column, row)
      const across = (<f64>column + 0.5 - <f64>width / 2) * pixelSide
      const upwards = (<f64>height / 2 - (<f64>row + 0.5)) * pixelSide
      const far = Math.sqrt(1 + across * across + upwards * upwards)
      const dx = (ax + rx * across + ux * upwards) / far
      const dy = (ay + uy * upwards) / far
      const dz = (az + rz * across + uz * upwards) / far
      const sphere = nearest(ex, ey, ez, dx, dy, dz, dy < 0 ? -ey / dy : Infinity)
      if (sphere >= 0) sphereLight(ex, ey, ez, dx, dy, dz, sphere, distanceTo(sphere, ex, ey, ez, dx, dy, dz), true)
      else if (dy < 0) floorLight(ex, ey, ez, dx, dy, dz, true)
      else sky(dx, dy, dz)
      store<u8>(to, developed(R))
      store<u8>(to + 1, developed(G))
      store<u8>(to + 2, developed(B))
      to += 3
    }
  }
  return ((<u64>out) << 32) | <u64>(to - out)
}
