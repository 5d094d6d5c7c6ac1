/** Reads a QR code off a terminal's text, as a camera would off a dark window. */
import { stripVTControlCharacters } from 'node:util'
import jsqr from 'jsqr'

/** The package exports the function itself; its types say otherwise. */
const readQr = jsqr as unknown as typeof jsqr.default

const HALVES: Record<string, [boolean, boolean]> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  ' ': [false, false],
}
const SCALE = 4

/** Full and half blocks are light. Undefined if there is no code in `lines`. */
export const readTerminalQr = (lines: readonly string[]): string | undefined => {
  const shown = lines.map((line) => stripVTControlCharacters(line)).filter((line) => /^[█▀▄ ]+$/.test(line))
  const columns = Math.max(...shown.map(({ length }) => length))
  const rows = shown.flatMap((line) => {
    const halves = [...line.padEnd(columns)].map((c) => HALVES[c]!)
    return [halves.map(([top]) => top), halves.map(([, bottom]) => bottom)]
  })
  const [width, height] = [columns * SCALE, rows.length * SCALE]
  const image = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x)
      image.fill(rows[Math.floor(y / SCALE)]![Math.floor(x / SCALE)] ? 255 : 0, at, at + 4)
    }
  return readQr(image, width, height, { inversionAttempts: 'dontInvert' })?.data
}
