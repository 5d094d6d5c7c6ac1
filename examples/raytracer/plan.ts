/** Which tiles make the picture, coarse first, and how they are put together as they come in, in whatever order. */
import { HEIGHT, WIDTH } from './camera.ts'
import { columnsOf, rowsOf, type Tile } from './grid.ts'

/** Each pass halves the step. Tiles shrink with it, so that every tile is about the same work. */
const PASSES = [
  { step: 8, width: 120, height: 108 },
  { step: 4, width: 120, height: 108 },
  { step: 2, width: 60, height: 54 },
  { step: 1, width: 32, height: 30 },
] as const

/** The tiles of one pass, row by row; 0 is the coarsest pass. */
const tilesOf = (pass: number): Tile[] => {
  const { step, width, height } = PASSES[pass]!
  const done = pass === 0 ? 0 : PASSES[pass - 1]!.step
  const tiles: Tile[] = []
  for (let y = 0; y < HEIGHT; y += height) {
    for (let x = 0; x < WIDTH; x += width) tiles.push({ x, y, width, height, step, done })
  }
  return tiles
}

/** All tiles of the picture, pass by pass. Each pixel is in exactly one. */
export const TILES: readonly Tile[] = PASSES.flatMap((_, pass) => tilesOf(pass))

/** A picture that fills up. `step` holds for each pixel how coarse the sample is that it shows, 255 where none came. */
export interface Frame {
  width: number
  height: number
  /** Red, green and blue of each pixel, row by row. */
  rgb: Uint8Array
  step: Uint8Array
}

const EMPTY = 255

export const emptyFrame = (): Frame => ({
  width: WIDTH,
  height: HEIGHT,
  rgb: new Uint8Array(3 * WIDTH * HEIGHT),
  step: new Uint8Array(WIDTH * HEIGHT).fill(EMPTY),
})

/**
 * Puts what `tile` gave into the frame. A sample fills its square of `step` by `step` pixels as far as nothing finer is
 * there, so the picture is whole after the first pass. Throws RangeError if `pixels` is not of the tile's size.
 */
export const place = (frame: Frame, tile: Tile, pixels: Uint8Array): void => {
  const rows = rowsOf(tile)
  const expected = rows.reduce((sum, row) => sum + 3 * columnsOf(tile, row).length, 0)
  if (pixels.length !== expected) throw new RangeError(`the tile has ${pixels.length} bytes; ${expected} were expected`)
  let at = 0
  for (const row of rows) {
    for (const column of columnsOf(tile, row)) {
      fill(frame, column, row, tile.step, pixels.subarray(at, at + 3))
      at += 3
    }
  }
}

const fill = (frame: Frame, left: number, top: number, step: number, colour: Uint8Array) => {
  const { width, height } = frame
  for (let row = top; row < Math.min(top + step, height); row++) {
    for (let column = left; column < Math.min(left + step, width); column++) {
      const pixel = row * width + column
      if (frame.step[pixel]! < step) continue
      frame.step[pixel] = step
      frame.rgb.set(colour, 3 * pixel)
    }
  }
}
