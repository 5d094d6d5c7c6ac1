import fc from 'fast-check'
import { base32 } from 'multiformats/bases/base32'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { fromBase32, toBase32 } from './base32.ts'

test('writes and reads what the library does', () =>
  checkProperty(
    'base32',
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(toBase32(bytes)).toBe(base32.baseEncode(bytes))
      expect(fromBase32(toBase32(bytes))).toEqual(bytes)
    }),
  ))

test('has no bound of length', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3)
  expect(toBase32(bytes)).toBe(base32.baseEncode(bytes))
  expect(Buffer.compare(fromBase32(toBase32(bytes)), bytes)).toBe(0)
})

describe('refuses', () => {
  // RFC 4648, 6: neither 0, 1, 8 and 9 nor capitals here; `=` would fill up to eight digits.
  test.each(['0', '1', '8', '9', 'A', '=', ' ', 'é', '😀'])('%j', (digit) => {
    for (const text of [digit, `aa${digit}`, `${digit}aaaaaaa`]) expect(() => fromBase32(text)).toThrow(/no digit/)
  })
})
