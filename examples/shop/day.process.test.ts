/** A short day of the shop on six agents, each a process: the home and an executor are killed, one forges, connections break. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runDay } from './day.ts'

test('nothing is sold twice, every payment belongs to an order, and every paid order is mailed once', async () => {
  const day = await runDay({ orders: 8, kills: 1, homeKills: 1, random: randomFor('day') })
  console.info(JSON.stringify(day))
  expect(day.wrong).toEqual([])
  expect(day.ordered).toBeGreaterThanOrEqual(8)
  expect(day.paid + day.declined + day.soldOut).toBe(day.ordered)
  expect(day.killed).toBe(2)
  expect(day.liarCaught).toBeGreaterThan(0)
}, 300_000)
