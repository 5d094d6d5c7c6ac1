/** How far apart checkpoints are, against closed forms: Young's √(2CS) (1974), and what a run takes at any interval (Daly 2006). */
import { describe, expect, test } from 'vitest'
import { CHECKPOINT_TICKS } from '../protocol/limits.ts'
import { checkpointsDue } from '../sandbox/checkpoint.ts'
import { exponential, quickChance } from './level2/chance.ts'
import { DEVICES } from './level2/devices.ts'

/** Fixed: of fresh ones one in 370 would be more than three standard errors away by chance. */
const SEED = 1
/** That of 5 MB of changed pages (decision 60). */
const CHECKPOINT_MS = 5
const REST_TICKS = CHECKPOINT_TICKS / 8
const CHECKPOINTS = 30_000

/**
 * What each piece of work up to the next checkpoint takes at a machine that is lost every `lostMs` in the mean, and whose next one begins at
 * the last checkpoint at once: a guest that rests every so often, and takes a checkpoint at each rest at which the sandbox says that one is due.
 */
const piecesMs = (tickMs: number, lostMs: number): number[] => {
  const chance = quickChance(SEED)
  const took: number[] = []
  let [ticks, saved, fromMs, nowMs] = [0, 0, 0, 0]
  let lostAtMs = exponential(chance, lostMs)
  while (took.length < CHECKPOINTS) {
    ticks += REST_TICKS
    nowMs += REST_TICKS * tickMs
    const isDue = checkpointsDue(ticks, 0) > took.length
    if (isDue) nowMs += CHECKPOINT_MS
    if (nowMs > lostAtMs) {
      nowMs = lostAtMs
      ticks = saved
      lostAtMs += exponential(chance, lostMs)
    } else if (isDue) {
      took.push(nowMs - fromMs)
      fromMs = nowMs
      saved = ticks
    }
  }
  return took
}

const meanOf = (figures: readonly number[]): number => figures.reduce((sum, one) => sum + one, 0) / figures.length

describe.each(DEVICES.filter(({ name }) => name === 'tab' || name === 'desktop'))(
  'of machines that stay as long as a $name',
  ({ onMinutes }) => {
    const lostMs = onMinutes * 60_000
    const bestMs = Math.sqrt(2 * CHECKPOINT_MS * lostMs)

    /** Of the work, what checkpoints and what is done again come to, where these are so many of the best interval apart. */
    const lossAt = (ofBest: number): number => {
      const workMs = ofBest * bestMs
      const took = piecesMs(workMs / CHECKPOINT_TICKS, lostMs)
      const mean = meanOf(took)
      const error = Math.sqrt(meanOf(took.map((ms) => (ms - mean) ** 2)) / took.length)
      const right = lostMs * (Math.exp((workMs + CHECKPOINT_MS) / lostMs) - 1)
      expect(Math.abs(mean - right)).toBeLessThan(3 * error)
      return mean / workMs - 1
    }

    test('a run takes what it must, and least where checkpoints are √(2CS) apart', () => {
      const losses = [1 / 4, 1 / 2, 1, 2, 4].map(lossAt)
      expect(losses.indexOf(Math.min(...losses))).toBe(2)
    })
  },
)
