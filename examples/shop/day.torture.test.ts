/** As in `day.process.test.ts`, for longer, and until the shelves are empty. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runDay } from './day.ts'

test('a long day: nothing is sold, paid or mailed twice, and the liar is caught', async () => {
  const day = await runDay({ orders: 150, kills: 12, homeKills: 4, random: randomFor('long day') })
  console.info(JSON.stringify(day))
  expect(day.wrong).toEqual([])
  expect(day.soldOut).toBeGreaterThan(0)
  expect(day.liarCaught).toBeGreaterThan(0)
})
