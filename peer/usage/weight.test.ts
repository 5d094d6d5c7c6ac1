import { expect, test } from 'vitest'
import { FUEL_DEFAULT } from '../../protocol/limits.ts'
import { UNSIGNED_FUEL_MAX, WEIGHT_MAX, weightOf } from './weight.ts'

const nothing = { own: false, didFuel: 0, hadFuel: 0, unsignedFuel: 0 }

test('a newcomer, and whoever only takes, weighs 1: with a new name nobody gets more', () => {
  expect(weightOf(nothing)).toBe(1)
  expect(weightOf({ ...nothing, hadFuel: 1e15 })).toBe(1)
})

test('the more of what it uses somebody lends, the more it weighs', () => {
  const weights = [0, 0.5, 1, 2, 3, 100].map((part) => weightOf({ ...nothing, hadFuel: 1e12, didFuel: part * 1e12 }))
  expect(weights).toEqual([1, 2, 3, 5, 7, WEIGHT_MAX])
})

test('a little lent gives little, however little was used', () => {
  expect(weightOf({ ...nothing, didFuel: FUEL_DEFAULT / 100 })).toBe(1)
})

test('whoever does not sign for what it has had weighs 1, whatever it lent', () => {
  const lender = { ...nothing, didFuel: 1e15, hadFuel: 8e10 }
  expect(weightOf({ ...lender, unsignedFuel: UNSIGNED_FUEL_MAX + 1e10 })).toBe(WEIGHT_MAX)
  expect(weightOf({ ...lender, unsignedFuel: UNSIGNED_FUEL_MAX + 1e10 + 1 })).toBe(1)
})

test('machines of one owner count nothing up against each other', () => {
  expect(weightOf({ own: true, didFuel: 0, hadFuel: 1e15, unsignedFuel: 1e15 })).toBe(WEIGHT_MAX)
})
