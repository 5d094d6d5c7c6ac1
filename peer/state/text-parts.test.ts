import { describe, expect, test } from 'vitest'
import { partsOf, textOf, textsIn } from './text-parts.ts'

describe('a text made of what stands in a Value', () => {
  test.each([
    ['account/ada', { from: 'ada' }, ['account/', ['from']]],
    ['account/42', { id: 42 }, ['account/', ['id']]],
    ['cart/ada/3', { user: { name: 'ada' }, items: [7, 3] }, ['cart/', ['user', 'name'], '/', ['items', 1]]],
    ['ada', 'ada', [[]]],
    ['k1', { n: 1 }, ['k', ['n']]],
    ['all', { n: 1 }, ['all']],
    ['21', { n: 1 }, ['21']],
    ['adam', { name: 'ada' }, ['adam']],
    ['ada lovelace', { first: 'ada', whole: 'ada lovelace' }, [['whole']]],
    ['', { name: '' }, []],
  ])('%j of %j', (text, value, parts) => {
    expect(partsOf(text, textsIn(value))).toEqual(parts)
    expect(textOf(partsOf(text, textsIn(value)), value)).toBe(text)
  })

  test('is made again of another, unless nothing stands there', () => {
    const parts = partsOf('cart/ada/3', textsIn({ user: 'ada', item: 3 }))
    expect(textOf(parts, { user: 'bob', item: 4 })).toBe('cart/bob/4')
    expect(textOf(parts, { user: 'bob' })).toBeUndefined()
    expect(textOf(parts, { user: 'bob', item: 0.5 })).toBeUndefined()
    expect(textOf(parts, { user: 'b'.repeat(256), item: 4 })).toBeUndefined()
    expect(textOf(parts, null)).toBeUndefined()
  })

  test('is looked for in so much of a Value, and no deeper', () => {
    expect(textsIn(Array.from({ length: 1000 }, (_, i) => `text ${i}`))).toHaveLength(64)
    let deep: unknown = 'bottom'
    for (let i = 0; i < 20; i++) deep = [deep]
    expect(textsIn(deep as never)).toEqual([])
    const parts = partsOf('a1'.repeat(20), textsIn({ a: 'a', one: 1 }))
    expect(parts).toEqual(['a1'.repeat(20)])
  })
})
