/** As in `crash.world.test.ts`, for longer, and at a quorum. */
import { describe, expect, test } from 'vitest'
import { attack, type Kind } from './testing/attack.ts'

const LEAST: [Kind, number][] = [
  ['orders, their home cut off', 5000],
  ['visits, their home cut off', 2000],
  ['orders, their executor killed', 1000],
  ['orders, their executor stopped', 1000],
]

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test.each(LEAST)('%s at %i points: each is done once', async (kind, least) => {
    expect(await attack(kind, least, { level, executors: 4 })).toBeGreaterThanOrEqual(least)
  })
})
