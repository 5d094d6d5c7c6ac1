/** As in `crash.world.test.ts`, of whole executors: killed, or stopped for good. */
import { expect, test } from 'vitest'
import { attack, type Kind } from './testing/attack.ts'

const LEAST: [Kind, number][] = [
  ['orders, their executor killed', 60],
  ['orders, their executor stopped', 60],
]

test.each(LEAST)('%s at %i points: each is done once', async (kind, least) => {
  expect(await attack(kind, least)).toBeGreaterThanOrEqual(least)
})
