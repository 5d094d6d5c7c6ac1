/** The picture on a terminal, two pixels a character cell, each tile edged in the colour of who computed it. */
import type { Tile } from '../../examples/raytracer/tile.ts'

export type Rgb = readonly [number, number, number]

/** One for each agent, in the order in which they were started; distinct on dark and light grounds. */
export const AGENT_COLOURS: readonly Rgb[] = [
  [86, 180, 233],
  [230, 159, 0],
  [0, 158, 115],
  [240, 228, 66],
  [213, 94, 0],
  [204, 121, 167],
]

const ESC = '\u001b['
export const RESET = `${ESC}0m`
export const foreground = ([r, g, b]: Rgb): string => `${ESC}38;2;${r};${g};${b}m`
const background = ([r, g, b]: Rgb): string => `${ESC}48;2;${r};${g};${b}m`

/** Pixels, row by row, an even number of rows, as lines of half blocks. */
export const halfBlocks = (pixels: readonly Rgb[], columns: number): string[] => {
  const lines: string[] = []
  for (let row = 0; row < pixels.length; row += 2 * columns) {
    let line = ''
    for (let column = row; column < row + columns; column++) {
      line += `${foreground(pixels[column] as Rgb)}${background(pixels[column + columns] as Rgb)}▀`
    }
    lines.push(line + RESET)
  }
  return lines
}

/** A tile's rectangle and its executor, drawn until a later one covers it. */
export interface Edge {
  tile: Tile
  agent: number
}

/** A picture: red, green and blue of each pixel, row by row. */
export interface Pixels {
  width: number
  height: number
  rgb: Uint8Array
}

/** Pixels of the canvas, one a half cell, averaged down from the frame. */
export class Canvas {
  readonly columns: number
  readonly rows: number
  readonly #frame: Pixels
  readonly #scale: number

  /** `columns` and `lines`: character cells that may be used. */
  constructor(frame: Pixels, columns: number, lines: number) {
    this.#frame = frame
    this.#scale = Math.max(frame.width / columns, frame.height / (2 * lines))
    this.columns = Math.floor(frame.width / this.#scale)
    this.rows = 2 * Math.floor(frame.height / this.#scale / 2)
  }

  /** The picture as lines of half blocks. `edges`: drawn over it. */
  lines(edges: readonly Edge[]): string[] {
    const pixels = this.#pixels()
    for (const edge of edges) this.#draw(pixels, edge)
    return halfBlocks(pixels, this.columns)
  }

  #pixels(): Rgb[] {
    const pixels: Rgb[] = []
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) pixels.push(this.#mean(column, row))
    }
    return pixels
  }

  /** Mean over the frame's pixels that one half cell covers; at most 4 × 4 of them are looked at. */
  #mean(column: number, row: number): Rgb {
    const { width, height, rgb } = this.#frame
    const sum = [0, 0, 0]
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const x = Math.min(width - 1, Math.floor((column + (i + 0.5) / 4) * this.#scale))
        const y = Math.min(height - 1, Math.floor((row + (j + 0.5) / 4) * this.#scale))
        for (let c = 0; c < 3; c++) sum[c]! += rgb[3 * (y * width + x) + c]!
      }
    }
    return [sum[0]! >> 4, sum[1]! >> 4, sum[2]! >> 4]
  }

  #draw(pixels: Rgb[], { tile, agent }: Edge): void {
    const at = (x: number, limit: number) => Math.min(limit - 1, Math.max(0, Math.round(x / this.#scale)))
    const left = at(tile.x, this.columns)
    const right = Math.max(left, at(tile.x + tile.width, this.columns) - 1)
    const top = at(tile.y, this.rows)
    const bottom = Math.max(top, at(tile.y + tile.height, this.rows) - 1)
    const colour = AGENT_COLOURS[agent % AGENT_COLOURS.length] as Rgb
    for (let x = left; x <= right; x++) for (const y of [top, bottom]) pixels[y * this.columns + x] = colour
    for (let y = top; y <= bottom; y++) for (const x of [left, right]) pixels[y * this.columns + x] = colour
  }
}
