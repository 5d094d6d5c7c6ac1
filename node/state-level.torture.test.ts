/** As in `state-level.process.test.ts`, for longer, and with more. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { killInALoop, killLargePuts } from './testing/state-kills.ts'
import { freshDirectory } from './testing/wayside.ts'

const KILLS = 250
const LARGE_KILLS = 100

test('killed hundreds of times under load: no acknowledged commit is lost, and none is there by half', async () => {
  const commits = await killInALoop(freshDirectory(), randomFor('many kills'), KILLS)
  expect(commits).toBeGreaterThan(KILLS)
})

test('killed a hundred times while it puts large values: each stands there whole, and no block of another', async () => {
  const puts = await killLargePuts(freshDirectory(), randomFor('many kills of large puts'), LARGE_KILLS)
  expect(puts).toBeGreaterThanOrEqual(LARGE_KILLS)
})
