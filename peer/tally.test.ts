import { expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import { CANCELLED_FUEL_MAX } from '../protocol/limits.ts'
import type { Storage } from '../protocol/ports.ts'
import { FakeClock } from '../simulations/clock.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { Tally } from './tally.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const kept = (storage: Storage = createMemoryStorage(), clock = new FakeClock(Date.UTC(2026, 10, 21, 23, 59))) => {
  const events: string[] = []
  const log = { event: (name: string) => void events.push(name) }
  return { storage, clock, events, tally: new Tally({ clock, storage, log }) }
}

test('counts what was done today, and begins anew at midnight UTC', async () => {
  const { tally, clock } = kept()
  tally.add({ fuel: 100, run_ms: 1.6, bytes: 7 })
  tally.add({ fuel: 50, run_ms: 2, bytes: 3 })
  tally.refused(1)
  tally.got(30)
  const asked = { tasks: 1, fuel: 30, cancelled: 0 }
  const done = { tasks: 2, refused: 1, fuel: 150, run_ms: 4, bytes: 10, cancelled: 0 }
  expect(tally.today).toEqual({ day: '2026-11-21', ...done, asked })
  await clock.advance(60_000)
  const nothing = { tasks: 0, refused: 0, fuel: 0, run_ms: 0, bytes: 0, cancelled: 0 }
  expect(tally.today).toEqual({ day: '2026-11-22', ...nothing, asked: { tasks: 0, fuel: 0, cancelled: 0 } })
  tally.refused(2)
  expect(tally.today).toMatchObject({ day: '2026-11-22', refused: 2 })
})

test('of what is cancelled, what was used counts up to the cap', () => {
  const { tally } = kept()
  for (const fuel of [10, 100 * CANCELLED_FUEL_MAX]) {
    tally.cancelled(fuel)
    tally.gaveUp(fuel)
  }
  const fuel = 10 + CANCELLED_FUEL_MAX
  expect(tally.today).toMatchObject({ tasks: 0, cancelled: 2, fuel, asked: { tasks: 0, cancelled: 2, fuel } })
})

test('is kept 5 s after a change, and found again on the same day only', async () => {
  const { tally, clock, storage } = kept()
  tally.add({ fuel: 100, run_ms: 1, bytes: 7 })
  await clock.advance(5000)
  const again = kept(storage, clock)
  await again.tally.load()
  expect(again.tally.today).toEqual(tally.today)
  const later = kept(storage, new FakeClock(clock.now() + DAY_MS))
  await later.tally.load()
  expect(later.tally.today).toMatchObject({ tasks: 0 })
})

test('a storage that fails is logged, and counting goes on', async () => {
  const storage = createMemoryStorage()
  storage.write = async () => {
    throw new MeshError('E_STORAGE', 'the disk is gone')
  }
  const { tally, clock, events } = kept(storage)
  tally.refused(1)
  await clock.advance(5000)
  expect(events).toEqual(['storage.failed'])
  tally.refused(1)
  await clock.advance(5000)
  expect(tally.today.refused).toBe(2)
  expect(events).toHaveLength(2)
  // As a peer does that stops.
  await tally.save()
  expect(events).toHaveLength(3)
})
