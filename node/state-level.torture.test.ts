/** As in `state-level.process.test.ts`, for longer, and with more. */
import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { killInALoop } from './testing/state-kills.ts'
import { freshDirectory } from './testing/wayside.ts'

const KILLS = 250

test('killed hundreds of times under load: no acknowledged commit is lost, and none is there by half', async () => {
  const commits = await killInALoop(freshDirectory(), randomFor('many kills'), KILLS)
  expect(commits).toBeGreaterThan(KILLS)
})
