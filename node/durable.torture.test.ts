/** As in `durable.kills.test.ts`, for longer. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { killDurables } from './testing/durable-kills.ts'

test.each(Array.from({ length: 10 }, (_, round) => round))('round %i of a hundred kills', async (round) => {
  const blows = await killDurables(randomFor(`kills ${round}`), { SIGKILL: 100, SIGSTOP: 20 })
  expect(blows).toEqual({ SIGKILL: 100, SIGSTOP: 20 })
})
