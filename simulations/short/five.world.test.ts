import { expect, test } from 'vitest'
import { TIMEOUT_MS, wrongIn } from './testing/seeds.ts'

test(
  'in 800 worlds of up to five peers nothing is wrong',
  async () => {
    expect(await wrongIn(800, 5)).toEqual([])
  },
  TIMEOUT_MS,
)
