import { expect, test } from 'vitest'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

test(
  'in 500 worlds of up to five peers nothing is wrong',
  async () => {
    expect(await wrongIn(500, 5)).toEqual([])
  },
  TIMEOUT_MS,
)
