// The ray tracer of tile.ts in AssemblyScript, for an eye anywhere that looks at the same place: a strip of a frame, one ray a pixel.
// The same numbers in the same order: where tile.ts looks once at a pixel, both see the same bytes.
import { B, G, R } from './frame/colour.as.ts'
import { lightAt, look } from './frame/eye.as.ts'
import { seed } from './frame/generator.as.ts'
import { developed } from './frame/sky.as.ts'

export function alloc(length: i32): usize {
  return heap.alloc(length)
}

/** Input: the eye (three f64), then i32: width and height of the frame, first row, number of rows. Result: red, green, blue of each pixel. */
export function strip(at: usize, length: i32): u64 {
  if (length !== 40) throw new Error('the input has 40 bytes: three f64, four i32')
  const width = load<i32>(at + 24)
  const top = load<i32>(at + 32)
  const rows = load<i32>(at + 36)
  look(load<f64>(at), load<f64>(at + 8), load<f64>(at + 16), width, load<i32>(at + 28))
  const out = heap.alloc(3 * width * rows)
  let to = out
  for (let row = top; row < top + rows; row++) {
    for (let column = 0; column < width; column++) {
      seed(column, row)
      lightAt(<f64>column + 0.5, <f64>row + 0.5)
      store<u8>(to, developed(R))
      store<u8>(to + 1, developed(G))
      store<u8>(to + 2, developed(B))
      to += 3
    }
  }
  return ((<u64>out) << 32) | <u64>(to - out)
}
