/** The sky at dusk, and how light becomes the three bytes of a pixel. */
import { type Colour, LAMP } from './scene.ts'

export const HORIZON: Colour = [0.74, 0.22, 0.16]
const VEIL: Colour = [0.2, 0.1, 0.34]
const ZENITH: Colour = [0.012, 0.03, 0.13]
const GLOW: Colour = [0.26, 0.15, 0.07]

const away = Math.sqrt(LAMP.x * LAMP.x + LAMP.y * LAMP.y + LAMP.z * LAMP.z)

/** How much the sky glows towards the lamp, 0 to 1. */
const glow = (dx: number, dy: number, dz: number): number => {
  const towards = (dx * LAMP.x + dy * LAMP.y + dz * LAMP.z) / away
  if (towards <= 0) return 0
  const fourth = towards * towards * towards * towards
  return fourth * fourth
}

/** The light that comes from a unit direction that does not point below the horizon. */
export const sky = (dx: number, dy: number, dz: number): Colour => {
  const low = 1 / (1 + 3.2 * dy)
  const veil = low * low
  const horizon = veil * veil * veil
  const z = (1 - veil) * (1 - horizon)
  const v = veil * (1 - horizon)
  const g = glow(dx, dy, dz)
  return [
    ZENITH[0] * z + VEIL[0] * v + HORIZON[0] * horizon + GLOW[0] * g,
    ZENITH[1] * z + VEIL[1] * v + HORIZON[1] * horizon + GLOW[1] * g,
    ZENITH[2] * z + VEIL[2] * v + HORIZON[2] * horizon + GLOW[2] * g,
  ]
}

/** The square of the distance at which haze covers half. */
const HAZE_SQUARE = 2600

/** `light` from `distance` away, in the haze of the horizon. */
export const hazed = (light: Colour, dx: number, dz: number, distance: number): Colour => {
  const square = distance * distance
  const haze = square / (square + HAZE_SQUARE)
  const clear = 1 - haze
  const g = glow(dx, 0, dz)
  return [
    light[0] * clear + (HORIZON[0] + GLOW[0] * g) * haze,
    light[1] * clear + (HORIZON[1] + GLOW[1] * g) * haze,
    light[2] * clear + (HORIZON[2] + GLOW[2] * g) * haze,
  ]
}

/** Linear light to a byte: a film's soft shoulder (Narkowicz 2015), then gamma 2. */
export const developed = (light: number): number => {
  const x = light * 0.82
  const film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
  return Math.floor(Math.sqrt(film > 1 ? 1 : film) * 255 + 0.5)
}
