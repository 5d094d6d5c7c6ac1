// sky.ts in AssemblyScript.
import { B, colour, G, R } from './colour.as.ts'
import { LAMP_AWAY, LAMP_X, LAMP_Y, LAMP_Z } from './lamp.as.ts'

function glow(dx: f64, dy: f64, dz: f64): f64 {
  const towards = (dx * LAMP_X + dy * LAMP_Y + dz * LAMP_Z) / LAMP_AWAY
  if (towards <= 0) return 0
  const fourth = towards * towards * towards * towards
  return fourth * fourth
}

export function sky(dx: f64, dy: f64, dz: f64): void {
  const low = 1 / (1 + 3.2 * dy)
  const veil = low * low
  const horizon = veil * veil * veil
  const z = (1 - veil) * (1 - horizon)
  const v = veil * (1 - horizon)
  const g = glow(dx, dy, dz)
  colour(
    0.012 * z + 0.2 * v + 0.74 * horizon + 0.26 * g,
    0.03 * z + 0.1 * v + 0.22 * horizon + 0.15 * g,
    0.13 * z + 0.34 * v + 0.16 * horizon + 0.07 * g,
  )
}

export function hazed(dx: f64, dz: f64, distance: f64): void {
  const square = distance * distance
  const haze = square / (square + 2600)
  const clear = 1 - haze
  const g = glow(dx, 0, dz)
  colour(
    R * clear + (0.74 + 0.26 * g) * haze,
    G * clear + (0.22 + 0.15 * g) * haze,
    B * clear + (0.16 + 0.07 * g) * haze,
  )
}

export function developed(light: f64): u8 {
  const x = light * 0.82
  const film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
  return <u8>Math.floor(Math.sqrt(film > 1 ? 1 : film) * 255 + 0.5)
}
