import { describe, expect, test } from 'vitest'
import { STATE_KEY_BYTES_MAX, STATE_NAMESPACE_CHARS_MAX } from './limits.ts'
import { ensureStateKey, ensureStateNamespace, isStateKey, isStateNamespace, isStatePrefix } from './state-names.ts'

const full = 'k'.repeat(STATE_KEY_BYTES_MAX)

describe('a key of the state', () => {
  test.each(['a', 'a b/c', '~', 'ümlaut', '日本', '😀', 'é'.repeat(128), full])('may be %j', (key) => {
    expect(isStateKey(key)).toBe(true)
    expect(isStatePrefix(key)).toBe(true)
    ensureStateKey(key)
  })

  test.each(['', `${full}k`, `${'é'.repeat(128)}k`, 'a\u0000', 'tab\t', '\u007f', '\u0085', '\ud800', 'a\udc00b'])(
    'is not %j: E_USAGE',
    (key) => {
      expect(isStateKey(key)).toBe(false)
      expect(isStatePrefix(key)).toBe(key === '')
      expect(() => ensureStateKey(key)).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
    },
  )
})

describe('a namespace', () => {
  const longest = 'n'.repeat(STATE_NAMESPACE_CHARS_MAX)
  test.each(['a', 'shop', 'shop-2', '0', '.outbox', longest])('may be %j', (name) => {
    expect(isStateNamespace(name)).toBe(true)
    ensureStateNamespace(name)
  })

  test.each(['', '.', 'Shop', 'a/b', 'a.b', '..a', 'ü', 'a b', `${longest}n`])('is not %j: E_USAGE', (name) => {
    expect(isStateNamespace(name)).toBe(false)
    expect(() => ensureStateNamespace(name)).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
  })
})
