/** The picture as files: PNGs, the native run to compare with, and the comparison. */
import { writeFileSync } from 'node:fs'
import { PNG } from 'pngjs'
import { emptyFrame, type Frame, place, TILES } from '../../examples/raytracer/plan.ts'
import tile from '../../examples/raytracer/tile.ts'

export const writePng = (path: string, frame: Frame): void => {
  const png = new PNG({ width: frame.width, height: frame.height, colorType: 2 })
  for (let pixel = 0; pixel < frame.width * frame.height; pixel++) {
    png.data.set(frame.rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel)
    png.data[4 * pixel + 3] = 255
  }
  writeFileSync(path, PNG.sync.write(png, { colorType: 2 }))
}

/** The same source, run in this process's own JavaScript engine. */
export const renderNatively = (): { frame: Frame; ms: number } => {
  const startMs = performance.now()
  const frame = emptyFrame()
  for (const one of TILES) place(frame, one, tile(one).pixels)
  return { frame, ms: Math.round(performance.now() - startMs) }
}

/** Pixels in which two frames differ. */
export const differingPixels = (a: Frame, b: Frame): number => {
  let differing = 0
  for (let at = 0; at < a.rgb.length; at += 3) {
    if (a.rgb[at] !== b.rgb[at] || a.rgb[at + 1] !== b.rgb[at + 1] || a.rgb[at + 2] !== b.rgb[at + 2]) differing++
  }
  return differing
}
