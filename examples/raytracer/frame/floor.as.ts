// floor.ts in AssemblyScript.
import { colour } from './colour.as.ts'

let pixelSide: f64 = 0

// `side`: of a pixel, seen from distance 1.
export function sizePixels(side: f64): void {
  pixelSide = side
}

function triangle(at: f64): f64 {
  const wave = at / 2 - Math.floor(at / 2) - 0.5
  return wave < 0 ? -wave : wave
}

function meanSign(at: f64, width: f64): f64 {
  return (2 * (triangle(at - width / 2) - triangle(at + width / 2))) / width
}

export function floorColour(x: f64, z: f64, distance: f64, fall: f64): void {
  const width = (pixelSide * distance) / (1.1 * (fall > 0.05 ? fall : 0.05))
  const share = 0.5 - 0.5 * meanSign(x / 1.1, width) * meanSign(z / 1.1, width)
  colour(0.032 + (0.07 - 0.032) * share, 0.036 + (0.07 - 0.036) * share, 0.07 + (0.115 - 0.07) * share)
}
