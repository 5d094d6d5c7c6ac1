import { expect, test } from 'vitest'
import { systemRandom } from './random.ts'

test('gives bytes of the length asked for, never the same', () => {
  expect(systemRandom.bytes(0)).toEqual(new Uint8Array(0))
  const [first, second] = [systemRandom.bytes(32), systemRandom.bytes(32)]
  expect(first).toHaveLength(32)
  expect(first).not.toEqual(second)
})

test('gives every integer below the limit and none else', () => {
  const seen = new Set(Array.from({ length: 1000 }, () => systemRandom.below(3)))
  expect([...seen].sort()).toEqual([0, 1, 2])
  expect(systemRandom.below(1)).toBe(0)
})
