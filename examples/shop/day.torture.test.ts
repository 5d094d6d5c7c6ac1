/** The shop on six agents, each a process: home and executors are killed, one forges, and the bank breaks connections. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runDay } from './day.ts'

test('a long day: nothing is sold, paid or mailed twice, and the liar is caught', async () => {
  const day = await runDay({ orders: 150, kills: 12, homeKills: 4, random: randomFor('long day') })
  console.info(JSON.stringify(day))
  expect(day.wrong).toEqual([])
  expect(day.soldOut).toBeGreaterThan(0)
  expect(day.killed).toBe(16)
  expect(day.liarCaught).toBeGreaterThan(0)
})
