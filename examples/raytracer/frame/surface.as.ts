// surface.ts in AssemblyScript.
import { colour } from './colour.as.ts'
import { LAMP_B, LAMP_G, LAMP_R } from './lamp.as.ts'

export function diffuse(r: f64, g: f64, b: f64, lit: f64, ny: f64, open: f64): void {
  const above = open * 0.5 * (1 + ny)
  const below = open * 0.5 * (1 - ny)
  colour(
    r * (LAMP_R * lit + 0.23 * above + 0.085 * below),
    g * (LAMP_G * lit + 0.23 * above + 0.068 * below),
    b * (LAMP_B * lit + 0.357 * above + 0.094 * below),
  )
}

export function grazing(cos: f64): f64 {
  const x = 1 - cos
  return x * x * x * x * x
}

export function highlight(hx: f64, hy: f64, hz: f64, nx: f64, ny: f64, nz: f64): f64 {
  const cos = hx * nx + hy * ny + hz * nz
  if (cos <= 0) return 0
  const second = (cos * cos) / (hx * hx + hy * hy + hz * hz)
  const eighth = second * second * second * second
  return eighth * eighth * eighth * eighth * eighth * eighth * eighth * eighth
}
