/** Whole homes lose their power, at any await: what is durable ends once, and has done each thing once. */
import { expect, test } from 'vitest'
import { attack, type Kind } from './testing/attack.ts'

/** With those of `crash.kills.test.ts` 2,000; `npm run torture` has more. */
const LEAST: [Kind, number][] = [
  ['orders, their home cut off', 1300],
  ['visits, their home cut off', 580],
]

test.each(LEAST)(
  '%s at %i points: each is done once',
  async (kind, least) => {
    expect(await attack(kind, least)).toBeGreaterThanOrEqual(least)
  },
  300_000,
)
