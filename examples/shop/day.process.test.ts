/** A short day of the shop on six agents, each a process: the home and an executor are killed, one forges, connections break. */
import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { runDay } from './day.ts'

test('nothing is sold twice, every payment belongs to an order, and every paid order is mailed once', async () => {
  const orders = 8
  const day = await runDay({ orders, kills: 1, homeKills: 1, random: randomFor('day') })
  console.info(JSON.stringify(day))
  expect(day.wrong).toEqual([])
  expect(day.paid + day.declined + day.soldOut).toBe(orders)
  expect(day.killed).toBeGreaterThan(0)
}, 300_000)
