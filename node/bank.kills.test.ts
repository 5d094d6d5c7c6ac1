/** Six agents, each a process, of which one forges and others are killed: a bank's total never changes, and its calls have one order. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { runBankDay } from './testing/bank.ts'

test.each(['quorum:2'])(
  'at %s; a long day at self too is in torture',
  async (level) => {
    const day = await runBankDay(level, { calls: 20, kills: 1, random: randomFor(level) })
    console.info(`${level}: ${JSON.stringify(day)}`)
    expect(day.wrong).toEqual([])
    expect(day.lies).toBeGreaterThan(0)
  },
  300_000,
)
