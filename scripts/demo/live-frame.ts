/** A frame of the live picture, put together from its strips. */

export const WIDTH = 320
export const HEIGHT = 180
export const STRIP_ROWS = 30
export const STRIPS = HEIGHT / STRIP_ROWS

export interface LiveFrame {
  number: number
  width: number
  height: number
  rgb: Uint8Array
  /** Who computed each strip. */
  executors: string[]
}

export const emptyLiveFrame = (number: number): LiveFrame => ({
  number,
  width: WIDTH,
  height: HEIGHT,
  rgb: new Uint8Array(3 * WIDTH * HEIGHT),
  executors: new Array(STRIPS).fill(''),
})
