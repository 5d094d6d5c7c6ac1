import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './units.ts'

test.each([
  ['512MiB', 512 * 2 ** 20],
  ['2GiB', 2 * 2 ** 30],
  ['64KiB', 65_536],
  ['0MiB', undefined],
  ['64MB', undefined],
  ['1.5GiB', undefined],
  ['-1MiB', undefined],
  ['64', undefined],
  [' 64MiB', undefined],
])('size %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['0s', undefined],
  ['30', undefined],
  ['30 s', undefined],
  ['1.5s', undefined],
])('duration %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})
