import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { ICON_SVG, iconPng } from './icon.ts'

const WHITE = [255, 255, 255, 255]
const GREEN = [0x14, 0x66, 0x5a, 255]

test('the PNG is read by others, and has the mark where the SVG has it', () => {
  const { width, height, data } = PNG.sync.read(Buffer.from(iconPng(200)))
  expect([width, height]).toEqual([200, 200])
  // Five pixels are a unit, and the drawing begins at -10.
  const at = (x: number, y: number) => [...data.subarray(4 * (5 * (y + 10) * 200 + 5 * (x + 10)), -1).subarray(0, 4)]
  for (const [x, y] of [...ICON_SVG.matchAll(/cx="(\d+)" cy="(\d+)"/g)].map(
    ([, x, y]) => [Number(x), Number(y)] as const,
  )) {
    expect(at(x, y)).toEqual(GREEN)
    expect(at(x + 2, y)).toEqual(GREEN)
    expect(at(x + 3, y)).toEqual(WHITE)
  }
  // In the middle of the curve, by its symmetry.
  expect(at(10, 10)).toEqual(GREEN)
  for (const [x, y] of [
    [-10, -10],
    [29, 29],
    [10, 13],
    [10, 7],
    [0, 0],
    [20, 20],
  ] as const)
    expect(at(x, y)).toEqual(WHITE)
})

test('its edges are between the two colours, and nothing else is', () => {
  const { data } = PNG.sync.read(Buffer.from(iconPng(180)))
  const reds = Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] as number)
  const between = reds.filter((red) => red !== 0x14 && red !== 255).length
  expect(Math.min(...reds)).toBe(0x14)
  expect(between).toBeGreaterThan(100)
  expect(between).toBeLessThan(reds.length / 30)
})
