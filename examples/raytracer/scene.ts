/**
 * What is in the picture: a mirror ball, and round it marbles laid out as a sunflower lays out its seeds, on a polished
 * floor at dusk. The floor is the plane y = 0; x goes right, z goes away from the eye.
 *
 * Only + − × ÷ and square roots are used on numbers, here and in all of the picture: IEEE 754 fixes those to the last bit, so
 * that every engine draws the same pixels. It does not fix sines and powers.
 */
import { random, seed } from './generator.ts'

export type Colour = readonly [red: number, green: number, blue: number]

/** From `a` (at 0) to `b` (at 1). */
export const mix = (a: Colour, b: Colour, at: number): Colour => [
  a[0] + (b[0] - a[0]) * at,
  a[1] + (b[1] - a[1]) * at,
  a[2] + (b[2] - a[2]) * at,
]

export interface Ball {
  readonly x: number
  readonly y: number
  readonly z: number
  readonly radius: number
}

export interface Sphere extends Ball {
  /** radius² */
  readonly square: number
  readonly colour: Colour
  /** The share of light it mirrors when looked at straight: 0 for chalk, 0.045 for lacquer, more for metal. */
  readonly mirror: number
}

/** What mirrors more than this is metal: it tints what it mirrors. */
export const METAL = 0.3

const MARBLES = 110
const MARBLE_SEED = 314

/** cos and sin of 137.5°, the golden angle: each marble stands that much further round than the last (Vogel 1979). */
const TURN_COS = -0.7373688780783197
const TURN_SIN = 0.6754902942615238

/** From the middle outwards. */
const PALETTE: readonly Colour[] = [
  [0.97, 0.6, 0.1],
  [0.91, 0.28, 0.08],
  [0.77, 0.1, 0.12],
  [0.45, 0.04, 0.19],
  [0.14, 0.05, 0.28],
  [0.03, 0.1, 0.31],
  [0.01, 0.25, 0.33],
  [0.18, 0.52, 0.4],
]

/** `at` from 0 to 1 along the palette. */
const paint = (at: number): Colour => {
  const place = at * (PALETTE.length - 1)
  const index = Math.min(Math.floor(place), PALETTE.length - 2)
  return mix(PALETTE[index]!, PALETTE[index + 1]!, place - index)
}

const resting = (x: number, z: number, radius: number, colour: Colour, mirror: number): Sphere => ({
  x,
  y: radius,
  z,
  radius,
  square: radius * radius,
  colour,
  mirror,
})

/** Lacquer mostly, some chalk, some metal. */
const finish = (at: number) => (at < 0.55 ? 0.045 : at < 0.8 ? 0 : 0.55)

const marbles = (): Sphere[] => {
  seed(MARBLE_SEED, 0)
  const placed: Sphere[] = []
  let [cos, sin] = [1, 0]
  for (let n = 0; n < MARBLES; n++) {
    ;[cos, sin] = [cos * TURN_COS - sin * TURN_SIN, cos * TURN_SIN + sin * TURN_COS]
    const distance = 0.43 * Math.sqrt(n + 8.5)
    const radius = (0.1 + 0.028 * distance) * (0.72 + 0.56 * random())
    placed.push(resting(cos * distance, sin * distance, radius, paint(n / (MARBLES - 1)), finish(random())))
  }
  return placed
}

export const SPHERES: readonly Sphere[] = [resting(0, 0, 1.05, [0.97, 0.95, 0.93], 0.85), ...marbles()]

/** A square lamp low on the left: centre, half its side, two unit vectors along its sides, and its colour. */
export const LAMP = lamp([-7.5, 6.2, -3.2], 1.1, [4.2, 3.3, 2.4])

function lamp([x, y, z]: readonly [number, number, number], half: number, colour: Colour) {
  const away = Math.sqrt(x * x + y * y + z * z)
  const flat = Math.sqrt(x * x + z * z)
  const u = { x: z / flat, y: 0, z: -x / flat }
  const v = { x: (-y * x) / (flat * away), y: flat / away, z: (-y * z) / (flat * away) }
  return { x, y, z, half, u, v, colour, /** A ball round the lamp. */ radius: half * Math.SQRT2 }
}
