/** As in `bank.kills.test.ts`, for longer. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { runBankDay } from './testing/bank.ts'

test.each(['self', 'quorum:2'])('a long day at %s', async (level) => {
  const day = await runBankDay(level, { calls: 2000, kills: 40, random: randomFor(level) })
  console.info(`${level}: ${JSON.stringify(day)}`)
  expect(day.wrong).toEqual([])
  expect(day.lies).toBeGreaterThan(0)
})
