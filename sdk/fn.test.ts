import { describe, expect, test } from 'vitest'
import { CID_TEXT } from './fake-backend.ts'
import { fn } from './fn.ts'

describe('fn', () => {
  test.each([
    ['a path', fn('./tile.ts'), './tile.ts', 'default'],
    ['a path and an export', fn('./tile.ts#tile'), './tile.ts', 'tile'],
    ['a folder with a # in its name', fn('./c#/tile.ts'), './c#/tile.ts', 'default'],
    ['the same and an export', fn('./c#/tile.ts#tile'), './c#/tile.ts', 'tile'],
    ['an option', fn('./tile.ts', { export: 'tile' }), './tile.ts', 'tile'],
    ['both, when they agree', fn('./tile.ts#tile', { export: 'tile' }), './tile.ts', 'tile'],
    ['a URL', fn(new URL('file:///a/tile.ts')), 'file:///a/tile.ts', 'default'],
    ['a URL with an export', fn(new URL('file:///a%23b/tile.ts#größe')), 'file:///a%23b/tile.ts', 'größe'],
    ['a CID', fn(CID_TEXT), CID_TEXT, 'default'],
    ['a CID with an export', fn(`${CID_TEXT}#visit`), CID_TEXT, 'visit'],
  ])('takes %s', (_, made, source, name) => {
    expect(made).toEqual({ source, export: name })
  })

  test.each([
    ['an empty path', '', /not an empty text/],
    ['undefined', undefined, /not undefined/],
    ['null', null, /not null/],
    ['a function itself', () => 1, /a file: URL, a path or a CID, not function/],
    ['an empty export', './tile.ts#', /name one export/],
  ])('refuses %s', (_, source, message) => {
    const refused = () => fn(source as string)
    expect(refused).toThrow(expect.objectContaining({ code: 'E_USAGE', message: expect.stringMatching(message) }))
  })

  test('refuses two exports', () => {
    expect(() => fn('./tile.ts#a', { export: 'b' })).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
  })
})
