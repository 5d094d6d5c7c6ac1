// An eye anywhere that looks at one place: the light that comes to it through a point of its picture.
import { sizePixels } from './floor.as.ts'
import { floorLight, sphereLight } from './light.as.ts'
import { sky } from './sky.as.ts'
import { distanceTo, nearest } from './tree.as.ts'

const TARGET_X: f64 = 0.4
const TARGET_Y: f64 = 1.02
const TARGET_Z: f64 = 0

let ex: f64 = 0
let ey: f64 = 0
let ez: f64 = 0
// Away from the eye, to the right, and upwards; there is no slant to the right.
let ax: f64 = 0
let ay: f64 = 0
let az: f64 = 0
let rx: f64 = 0
let rz: f64 = 0
let ux: f64 = 0
let uy: f64 = 0
let uz: f64 = 0
let pixelSide: f64 = 0
let middleX: f64 = 0
let middleY: f64 = 0

// The eye, and the size of the whole picture in pixels.
export function look(x: f64, y: f64, z: f64, width: i32, height: i32): void {
  ex = x
  ey = y
  ez = z
  const tx = TARGET_X - ex
  const ty = TARGET_Y - ey
  const tz = TARGET_Z - ez
  const long = Math.sqrt(tx * tx + ty * ty + tz * tz)
  ax = tx / long
  ay = ty / long
  az = tz / long
  const flat = Math.sqrt(ax * ax + az * az)
  rx = az / flat
  rz = -ax / flat
  ux = ay * rz
  uy = az * rx - ax * rz
  uz = -ay * rx
  pixelSide = 0.75 / <f64>height
  middleX = <f64>width / 2
  middleY = <f64>height / 2
  sizePixels(pixelSide)
}

// Pixels from the upper left corner. The light is left as the last colour.
export function lightAt(column: f64, row: f64): void {
  const across = (column - middleX) * pixelSide
  const upwards = (middleY - row) * pixelSide
  const far = Math.sqrt(1 + across * across + upwards * upwards)
  const dx = (ax + rx * across + ux * upwards) / far
  const dy = (ay + uy * upwards) / far
  const dz = (az + rz * across + uz * upwards) / far
  const sphere = nearest(ex, ey, ez, dx, dy, dz, dy < 0 ? -ey / dy : Infinity)
  if (sphere >= 0) sphereLight(ex, ey, ez, dx, dy, dz, sphere, distanceTo(sphere, ex, ey, ez, dx, dy, dz), true)
  else if (dy < 0) floorLight(ex, ey, ez, dx, dy, dz, true)
  else sky(dx, dy, dz)
}
