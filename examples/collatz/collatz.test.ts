import { expect, test } from 'vitest'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { evaluate } from '../../sdk/bundle/evaluate.ts'
import block, { best, longest } from './collatz.ts'

const blocks = (count: number) => Array.from({ length: count }, (_, index) => block(index))

/** The known records (OEIS A006877, A006878; terms count both ends). */
test.each([
  [10, { number: 77_031, terms: 351 }],
  [100, { number: 837_799, terms: 525 }],
])('the best of %i blocks', (count, expected) => {
  expect(best(blocks(count))).toEqual(expected)
})

test('small ranges', () => {
  expect(longest({ from: 1, to: 2 })).toEqual({ number: 1, terms: 1 })
  expect(longest({ from: 1, to: 10 })).toEqual({ number: 9, terms: 20 })
  expect(longest({ from: 12, to: 14 })).toEqual({ number: 12, terms: 10 })
  expect(longest({ from: 5, to: 5 })).toEqual({ number: 0, terms: 0 })
  expect(best([])).toEqual({ number: 0, terms: 0 })
})

test('a sequence too large to be exact is refused', () => {
  const from = Number.MAX_SAFE_INTEGER - 2
  expect(() => longest({ from, to: from + 1 })).toThrow(RangeError)
})

test('the bundle finds the same in the engine', async () => {
  const { code, exports, effects } = await bundle(new URL('./collatz.ts', import.meta.url))
  expect({ exports, effects }).toEqual({ exports: ['best', 'default', 'longest'], effects: [] })
  expect(await evaluate(code, 'module.default(7)')).toEqual({ number: 77_031, terms: 351 })
})
