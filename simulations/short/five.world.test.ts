import { expect, test } from 'vitest'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

test(
  'in so many worlds of up to five peers that 500 have faults nothing is wrong',
  async () => {
    expect(await wrongIn(500, 5)).toEqual([])
  },
  TIMEOUT_MS,
)
