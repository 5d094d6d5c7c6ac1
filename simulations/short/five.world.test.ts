import { expect, test } from 'vitest'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

test(
  'in so many worlds of up to five peers that 400 have faults nothing is wrong',
  async () => {
    expect(await wrongIn(400, 5)).toEqual([])
  },
  TIMEOUT_MS,
)
