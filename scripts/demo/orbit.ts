/** Where the eye is on its way round, and what one strip of a frame is asked for. */
import { HEIGHT, STRIP_ROWS, WIDTH } from './live-frame.ts'

/** From the middle, and above the floor. */
const DISTANCE = 8.5
const EYE_HEIGHT = 2.85
/** The picture of `npm run demo` is seen from here. */
const BEGINNING = -1.4
/** Frames of one way round. */
export const FRAMES_AROUND = 240

const BYTES = 40

/** The input of examples/raytracer/frame.as.ts for the rows from `top` of a frame. */
export const stripInput = (frame: number, top: number): Uint8Array => {
  const angle = BEGINNING + (2 * Math.PI * frame) / FRAMES_AROUND
  const view = new DataView(new ArrayBuffer(BYTES))
  const eye = [DISTANCE * Math.cos(angle), EYE_HEIGHT, DISTANCE * Math.sin(angle)]
  for (const [i, x] of eye.entries()) view.setFloat64(8 * i, x, true)
  for (const [i, n] of [WIDTH, HEIGHT, top, STRIP_ROWS].entries()) view.setInt32(24 + 4 * i, n, true)
  return new Uint8Array(view.buffer)
}
