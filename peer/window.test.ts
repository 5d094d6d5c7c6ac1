import { expect, test } from 'vitest'
import { windowOf } from './window.ts'

test.each([
  ['nothing lent', 0, 1, 1, 0],
  ['never seen: two a slot', 4, 0, 10, 8],
  ['long items: one running and one waiting a slot', 2, 2000, 1, 4],
  ['100 ms items', 2, 100, 0, 4],
  ['10 ms items, 100 ms away', 2, 10, 100, 42],
  ['trivial items: as many as executors queue', 2, 0.03, 1, 2048],
])('%s', (_name, slots, serviceMs, roundTripMs, expected) => {
  expect(windowOf(slots, serviceMs, roundTripMs)).toBe(expected)
})
