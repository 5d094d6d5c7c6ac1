/** As in `account.test.ts`, for longer. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { crashAccounts } from './testing/crashing-accounts.ts'

test('a hundred million random operations with crashes: the books of all sum to zero, and hold what was done, once', () => {
  const { wrong, fuel } = crashAccounts(randomFor('usage for long'), 100_000_000, 500_000)
  expect(wrong).toEqual([])
  expect(fuel).toBeGreaterThan(0)
})
