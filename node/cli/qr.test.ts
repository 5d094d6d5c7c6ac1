import { stripVTControlCharacters } from 'node:util'
import jsqr from 'jsqr'
import { expect, test } from 'vitest'
import { qrLines } from './qr.ts'

const HALVES: Record<string, [boolean, boolean]> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  ' ': [false, false],
}
const SCALE = 4
/** The package exports the function itself; its types say otherwise. */
const readQr = jsqr as unknown as typeof jsqr.default

/** What a camera reads off a dark terminal: full and half blocks are light. */
const decoded = (lines: readonly string[]): string | undefined => {
  const rows = lines.flatMap((line) => {
    const halves = [...stripVTControlCharacters(line)].map((c) => HALVES[c]!)
    return [halves.map(([top]) => top), halves.map(([, bottom]) => bottom)]
  })
  const [width, height] = [rows[0]!.length * SCALE, rows.length * SCALE]
  const image = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      image.fill(
        rows[Math.floor(y / SCALE)]![Math.floor(x / SCALE)] ? 255 : 0,
        4 * (y * width + x),
        4 * (y * width + x) + 4,
      )
  return readQr(image, width, height, { inversionAttempts: 'dontInvert' })?.data
}

test.each([
  'https://192.168.1.20:4002/phone-dGhpc2lzMTZieXRlcyEhIQ',
  'https://lend.example/',
  `https://[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535/phone-${'x'.repeat(22)}`,
  `https://lend.example/${'long/'.repeat(60)}?a=ä`,
])('what is drawn is read as what it was made of: %s', (url) => {
  for (const colour of [true, false]) expect(decoded(qrLines(url, 200, colour)!)).toBe(url)
})

test('a terminal that is too narrow gets none; the usual address fits into 40 columns', () => {
  const url = `https://192.168.100.200:54321/phone-${'x'.repeat(22)}`
  expect(qrLines(url, 40, true)).toBeDefined()
  expect(qrLines(url, 36, true)).toBeUndefined()
  for (const line of qrLines(url, 40, false)!) expect(line).toHaveLength(37)
})
