// As frame.as.ts, for any rectangle of the picture, and as many rays a pixel as are wanted: smooth edges.
import { B, G, R } from './frame/colour.as.ts'
import { lightAt, look } from './frame/eye.as.ts'
import { seed } from './frame/generator.as.ts'
import { developed } from './frame/sky.as.ts'

export function alloc(length: i32): usize {
  return heap.alloc(length)
}

/**
 * Input: the eye (three f64), then i32: width and height of the picture, left, top, columns and rows of the part, and
 * rays along each side of a pixel. Result: red, green, blue of each pixel.
 */
export function part(at: usize, length: i32): u64 {
  if (length !== 52) throw new Error('the input has 52 bytes: three f64, seven i32')
  const left = load<i32>(at + 32)
  const top = load<i32>(at + 36)
  const columns = load<i32>(at + 40)
  const rows = load<i32>(at + 44)
  const side = load<i32>(at + 48)
  look(load<f64>(at), load<f64>(at + 8), load<f64>(at + 16), load<i32>(at + 24), load<i32>(at + 28))
  const out = heap.alloc(3 * columns * rows)
  let to = out
  for (let row = top; row < top + rows; row++) {
    for (let column = left; column < left + columns; column++) {
      pixel(column, row, side, to)
      to += 3
    }
  }
  return ((<u64>out) << 32) | <u64>(to - out)
}

function pixel(column: i32, row: i32, side: i32, to: usize): void {
  let r: f64 = 0
  let g: f64 = 0
  let b: f64 = 0
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      seed(column * side + x, row * side + y)
      lightAt(<f64>column + (<f64>x + 0.5) / <f64>side, <f64>row + (<f64>y + 0.5) / <f64>side)
      // What is very bright would leave edges jagged: each ray is developed by itself.
      r += <f64>developed(R)
      g += <f64>developed(G)
      b += <f64>developed(B)
    }
  }
  const rays = <f64>(side * side)
  store<u8>(to, <u8>Math.floor(r / rays + 0.5))
  store<u8>(to + 1, <u8>Math.floor(g / rays + 0.5))
  store<u8>(to + 2, <u8>Math.floor(b / rays + 0.5))
}
