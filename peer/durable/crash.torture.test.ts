/** As in `crash.world.test.ts`, for longer, and at a quorum. */
import { describe, expect, test } from 'vitest'
import { attack, type Kind } from './testing/attack.ts'

const LEAST: [Kind, number][] = [
  ['orders, their home cut off', 5000],
  ['visits, their home cut off', 2000],
  ['orders, their executor killed', 1000],
  ['orders, their executor stopped', 1000],
]

/** All of it is computed, on a clock of its own: a slow machine takes longer than other suites. */
const HANGS_AFTER_MS = 3_600_000

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  test.each(LEAST)(
    '%s at %i points: each is done once',
    async (kind, least) => {
      expect(await attack(kind, least, { level, executors: 4 })).toBeGreaterThanOrEqual(least)
    },
    HANGS_AFTER_MS,
  )
})
