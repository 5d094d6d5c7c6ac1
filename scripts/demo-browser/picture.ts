/** The pictures of the demo page: seen from one place after another, each of tiles that are one call each. */

export const WIDTH = 960
export const HEIGHT = 540
export const TILE_WIDTH = 48
export const TILE_HEIGHT = 45
export const COLUMNS = WIDTH / TILE_WIDTH
export const ROWS = HEIGHT / TILE_HEIGHT
export const TILES = COLUMNS * ROWS
/** Along each side of a pixel: smooth edges, at some 30 ms a tile. */
export const RAYS = 3

const BYTES = 52
/** From the middle, and above the floor. */
const DISTANCE = 8.5
const EYE_HEIGHT = 2.85
/** The picture of `npm run demo` is seen from here. */
const BEGINNING = -1.4
/** No two pictures are seen from the same side soon: the golden angle. */
const TURN = Math.PI * (3 - Math.sqrt(5))

/** The input of examples/raytracer/part.as.ts for tile `index` of picture `number`, both from 0. */
export const tileInput = (number: number, index: number, rays: number): Uint8Array => {
  const angle = BEGINNING + TURN * number
  const view = new DataView(new ArrayBuffer(BYTES))
  const eye = [DISTANCE * Math.cos(angle), EYE_HEIGHT, DISTANCE * Math.sin(angle)]
  const left = (index % COLUMNS) * TILE_WIDTH
  const top = Math.floor(index / COLUMNS) * TILE_HEIGHT
  for (const [i, x] of eye.entries()) view.setFloat64(8 * i, x, true)
  for (const [i, n] of [WIDTH, HEIGHT, left, top, TILE_WIDTH, TILE_HEIGHT, rays].entries())
    view.setInt32(24 + 4 * i, n, true)
  return new Uint8Array(view.buffer)
}

/** All tiles, from the middle outwards: where one looks first. */
export const ORDER: readonly number[] = Array.from({ length: TILES }, (_, i) => i).sort(
  (a, b) => awayOf(a) - awayOf(b) || a - b,
)

function awayOf(index: number): number {
  const x = (index % COLUMNS) - (COLUMNS - 1) / 2
  const y = Math.floor(index / COLUMNS) - (ROWS - 1) / 2
  return x * x + y * y * 1.4
}

/** Puts a tile's pixels into a picture: red, green, blue, row by row. */
export const placeTile = (rgb: Uint8Array, index: number, pixels: Uint8Array): void => {
  const left = (index % COLUMNS) * TILE_WIDTH
  const top = Math.floor(index / COLUMNS) * TILE_HEIGHT
  for (let row = 0; row < TILE_HEIGHT; row++)
    rgb.set(pixels.subarray(3 * TILE_WIDTH * row, 3 * TILE_WIDTH * (row + 1)), 3 * (WIDTH * (top + row) + left))
}
