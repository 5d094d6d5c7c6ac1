/** Six agents, each a process, of which one forges and others are killed: a bank's total never changes, and its calls have one order. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { runBankDay } from './testing/bank.ts'

// At `self` too, and for longer: in torture.
test('at quorum:2', async () => {
  const day = await runBankDay('quorum:2', { calls: 20, kills: 1, random: randomFor('quorum:2') })
  console.info(JSON.stringify(day))
  expect(day.wrong).toEqual([])
  expect(day.lies).toBeGreaterThan(0)
}, 300_000)
