/** A day of work comes back in seconds, with checkpoints fifty times as often as they are; `npm run torture` has them as they are. */
import { expect, test, vi } from 'vitest'
import { CHECKPOINT_TICKS } from '../../protocol/limits.ts'
import { workADay } from './testing/day.ts'

vi.mock('../../protocol/limits.ts', async (original) => {
  const limits = await original<typeof import('../../protocol/limits.ts')>()
  return { ...limits, CHECKPOINT_TICKS: limits.CHECKPOINT_TICKS / 50 }
})

test('an invocation of a day whose executor is killed, and the next one lies, does an hour of it again', async () => {
  expect(CHECKPOINT_TICKS).toBe(40)
  await workADay(150_000)
})
