/** How surfaces give light back. */
import { type Colour, LAMP } from './scene.ts'

/** The sky's light on what faces up, and the floor's on what faces down. */
const FROM_ABOVE: Colour = [0.23, 0.23, 0.357]
const FROM_BELOW: Colour = [0.085, 0.068, 0.094]

/** Of a surface whose normal rises by `ny`: `lit` is the lamp's light there, `open` the share of the sky's. */
export const diffuse = (colour: Colour, lit: number, ny: number, open: number): Colour => {
  const above = open * 0.5 * (1 + ny)
  const below = open * 0.5 * (1 - ny)
  return [
    colour[0] * (LAMP.colour[0] * lit + FROM_ABOVE[0] * above + FROM_BELOW[0] * below),
    colour[1] * (LAMP.colour[1] * lit + FROM_ABOVE[1] * above + FROM_BELOW[1] * below),
    colour[2] * (LAMP.colour[2] * lit + FROM_ABOVE[2] * above + FROM_BELOW[2] * below),
  ]
}

/** The fifth power of 1 - cos: how much more is mirrored at a grazing angle (Schlick 1994). */
export const grazing = (cos: number): number => {
  const x = 1 - cos
  return x * x * x * x * x
}

/** The 64th power of the cosine between the normal and the way halfway to the lamp (Blinn 1977). */
export const highlight = (hx: number, hy: number, hz: number, nx: number, ny: number, nz: number): number => {
  const cos = hx * nx + hy * ny + hz * nz
  if (cos <= 0) return 0
  const second = (cos * cos) / (hx * hx + hy * hy + hz * hz)
  const eighth = second * second * second * second
  return eighth * eighth * eighth * eighth * eighth * eighth * eighth * eighth
}
