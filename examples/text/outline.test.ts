import { globSync, readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { evaluate } from '../../sdk/bundle/evaluate.ts'
import outline from './outline.ts'

const files = globSync('*.md', { cwd: new URL('./files/', import.meta.url) })
  .toSorted()
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(`./files/${name}`, import.meta.url))) }))

const of = (name: string) => outline(files.find((file) => file.name === name)!)

test('finds headings, words and links', () => {
  expect(of('letters.md')).toEqual({
    name: 'letters.md',
    title: 'Zwölf Briefe, une réponse',
    headings: [
      { level: 1, text: 'Zwölf Briefe, une réponse' },
      { level: 2, text: 'Ελληνικά' },
      { level: 2, text: 'Emoji 🌊' },
    ],
    words: 26,
    links: [],
    checksum: '53b2d5bc',
  })
  expect(of('links.md').links).toEqual(
    ['harbour', 'hill', 'map', 'timetable'].map((place) => `https://example.com/${place}`),
  )
  expect(of('plain.md')).toMatchObject({ title: 'plain.md', headings: [], words: 19 })
  expect(of('empty.md')).toMatchObject({ title: 'empty.md', headings: [], words: 0, checksum: '00000000' })
})

test('the checksum is CRC-32', () => {
  expect(files.length).toBe(12)
  for (const file of files) expect(outline(file).checksum).toBe(crc32(file.bytes).toString(16).padStart(8, '0'))
})

test('a file that is not UTF-8 is refused', () => {
  expect(() => outline({ name: 'latin1', bytes: new Uint8Array([0x67, 0xfc, 0x6e]) })).toThrow(URIError)
})

test('the bundle, with its package from npm, finds the same in the engine', async () => {
  const { code, exports, effects, warnings } = await bundle(new URL('./outline.ts', import.meta.url))
  expect({ exports, effects, warnings }).toEqual({ exports: ['default'], effects: [], warnings: [] })
  expect(new TextDecoder().decode(code)).toContain('// node_modules/marked/')
  const items = files.map(({ name, bytes }) => `{ name: "${name}", bytes: new Uint8Array([${bytes}]) }`)
  expect(await evaluate(code, `[${items}].map(module.default)`)).toEqual(files.map(outline))
})
