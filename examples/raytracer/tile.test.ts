import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { evaluate } from '../../sdk/bundle/evaluate.ts'
import { HEIGHT, WIDTH } from './camera.ts'
import { emptyFrame, place, TILES } from './plan.ts'
import tile from './tile.ts'

const WHOLE = { x: 0, y: 0, width: WIDTH, height: HEIGHT, step: 1, done: 0 }

/** Renewed on purpose when the scene changes; a new value for an old scene means that some engine counts differently. */
const PICTURE_SHA256 = 'a1bde3ae46356ba5fc8995343820290d99d4256b264e3ccbae4247a00ab7ae73'

test('all tiles, in whatever order, make the known picture', () => {
  const frame = emptyFrame()
  for (const each of TILES.toReversed()) place(frame, each, tile(each).pixels)
  const { pixels } = tile(WHOLE)
  expect(Buffer.compare(frame.rgb, pixels)).toBe(0)
  expect(createHash('sha256').update(pixels).digest('hex')).toBe(PICTURE_SHA256)
})

test('the bundle draws the same bytes in the engine of the sandbox', async () => {
  const { code, exports, effects, warnings } = await bundle(new URL('./tile.ts', import.meta.url))
  expect({ exports, effects, warnings }).toEqual({ exports: ['default'], effects: [], warnings: [] })
  // The mirror ball's foot with shadows and images of marbles, floor and haze at the horizon, marbles cut by the edge.
  const tiles = [
    { x: 420, y: 290, width: 48, height: 60, step: 2, done: 4 },
    { x: 840, y: 110, width: 120, height: 108, step: 8, done: 0 },
    { x: 0, y: 480, width: 60, height: 60, step: 4, done: 0 },
  ]
  const drawn = await evaluate(code, `${JSON.stringify(tiles)}.map((each) => module.default(each).pixels)`)
  expect(drawn).toEqual(tiles.map((each) => [...tile(each).pixels]))
})

test('a step of nothing is refused, not drawn for ever', () => {
  expect(() => tile({ ...WHOLE, step: 0 })).toThrow(new RangeError('step is 0; it must be 1 or more'))
})

const EXACT = new Set(
  ['sqrt', 'floor', 'ceil', 'abs', 'min', 'max', 'imul', 'SQRT2', 'SQRT1_2'].map((name) => `Math.${name}`),
)

test('numbers are only treated in ways that IEEE 754 fixes', () => {
  const sources = globSync('*.ts', { cwd: import.meta.dirname }).filter((name) => !name.endsWith('.test.ts'))
  expect(sources.length).toBeGreaterThan(8)
  for (const name of sources) {
    const source = readFileSync(new URL(name, import.meta.url), 'utf8')
    const used = source.match(/Math\.\w+/g) ?? []
    expect(
      used.filter((each) => !EXACT.has(each)),
      name,
    ).toEqual([])
    expect(source, name).not.toMatch(/\w \*\* \w/)
  }
})
