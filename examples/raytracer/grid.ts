/** Which pixels a tile draws, and in which order. */

/**
 * The pixels of a rectangle whose column and row are multiples of `step`, but not both of `done`: those are there already,
 * from the pass before. In the first pass `done` is 0.
 */
export interface Tile {
  x: number
  y: number
  width: number
  height: number
  step: number
  done: number
}

const multiples = (from: number, to: number, step: number): number[] => {
  if (!(step >= 1)) throw new RangeError(`step is ${step}; it must be 1 or more`)
  const found: number[] = []
  for (let at = Math.ceil(from / step) * step; at < to; at += step) found.push(at)
  return found
}

export const rowsOf = ({ y, height, step }: Tile): number[] => multiples(y, y + height, step)

export const columnsOf = ({ x, width, step, done }: Tile, row: number): number[] => {
  const columns = multiples(x, x + width, step)
  return done > 0 && row % done === 0 ? columns.filter((column) => column % done !== 0) : columns
}
