import { expect, test } from 'vitest'
import { HEIGHT, WIDTH } from './camera.ts'
import { columnsOf, rowsOf } from './grid.ts'
import { emptyFrame, place, TILES } from './plan.ts'

test('every pixel is in exactly one of more than 500 tiles', () => {
  const times = new Uint8Array(WIDTH * HEIGHT)
  for (const tile of TILES) {
    for (const row of rowsOf(tile)) for (const column of columnsOf(tile, row)) times[row * WIDTH + column]!++
  }
  expect(times.every((count) => count === 1)).toBe(true)
  expect(TILES.length).toBeGreaterThan(500)
})

const flat = (count: number, value: number) => new Uint8Array(3 * count).fill(value)

test('the picture is whole after the first pass', () => {
  const frame = emptyFrame()
  for (const tile of TILES.filter(({ done }) => done === 0)) {
    const samples = rowsOf(tile).reduce((sum, row) => sum + columnsOf(tile, row).length, 0)
    place(frame, tile, flat(samples, 7))
  }
  expect(frame.rgb.every((byte) => byte === 7)).toBe(true)
  expect(frame.step.every((step) => step === 8)).toBe(true)
})

test('what is coarser does not cover what is finer, whichever comes first', () => {
  const coarse = { x: 0, y: 0, width: 2, height: 2, step: 2, done: 0 }
  const fine = { ...coarse, step: 1, done: 2 }
  for (const order of [
    [coarse, fine],
    [fine, coarse],
  ]) {
    const frame = emptyFrame()
    for (const tile of order) place(frame, tile, tile === coarse ? flat(1, 1) : flat(3, 2))
    const at = (column: number, row: number) => frame.rgb[3 * (row * WIDTH + column)]
    expect([at(0, 0), at(1, 0), at(0, 1), at(1, 1)]).toEqual([1, 2, 2, 2])
  }
})

test('pixels of another size than the tile are refused', () => {
  expect(() => place(emptyFrame(), TILES[0]!, new Uint8Array(5))).toThrow('the tile has 5 bytes; 630 were expected')
})
