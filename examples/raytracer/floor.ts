/** The floor, y = 0: polished, in large squares of two dark tones. */
import { PIXEL } from './camera.ts'
import { type Colour, mix } from './scene.ts'

const SQUARE = 1.1
const DARK: Colour = [0.032, 0.036, 0.07]
const LIGHT: Colour = [0.07, 0.07, 0.115]

/** A wave that rises from 0 to 1/2 and falls back within 2; its slope is the pattern's sign. */
const triangle = (at: number): number => {
  const wave = at / 2 - Math.floor(at / 2) - 0.5
  return wave < 0 ? -wave : wave
}

/** The mean sign of the pattern, -1 to 1, over `width` about `at`. */
const meanSign = (at: number, width: number): number =>
  (2 * (triangle(at - width / 2) - triangle(at + width / 2))) / width

/**
 * The mean colour of the floor about (x, z), as far as a pixel reaches there: the squares' edges are soft and the distance
 * does not flicker (Quilez, "filtering the checkerboard"). Seen from `distance` along a ray that falls by `fall` per length.
 */
export const floorColour = (x: number, z: number, distance: number, fall: number): Colour => {
  const width = (PIXEL * distance) / (SQUARE * (fall > 0.05 ? fall : 0.05))
  return mix(DARK, LIGHT, 0.5 - 0.5 * meanSign(x / SQUARE, width) * meanSign(z / SQUARE, width))
}
