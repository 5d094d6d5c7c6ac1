import { expect, test } from 'vitest'
import { createMemoryStorage } from '../../peer/storage/memory.ts'
import type { Log } from '../../protocol/log.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { DailyUsage, localDay, nextMidnight } from './usage.ts'

const HOUR_MS = 3_600_000
const log = { event: () => {} } as unknown as Log
const start = (startMs = new Date(2026, 10, 28, 22).getTime()) => {
  const ports = { clock: new FakeClock(startMs), storage: createMemoryStorage(), log }
  return { ...ports, usage: new DailyUsage(ports), again: () => new DailyUsage(ports) }
}

test('a reload goes on where it was, after two seconds at most', async () => {
  const { clock, usage, again } = start()
  usage.add({ cpuMs: 100.4, tasks: 1 })
  usage.add({ bytes: 70, tasks: 1 })
  await clock.advance(2000)
  const next = again()
  await next.load()
  expect(next.today).toEqual({ cpuMs: 100, bytes: 70, tasks: 2 })
})

test("a new day begins at the visitor's midnight, whatever was kept", async () => {
  const { clock, usage, again } = start()
  usage.add({ cpuMs: 100 })
  await clock.advance(2 * HOUR_MS - 1)
  expect(usage.today.cpuMs).toBe(100)
  await clock.advance(1)
  expect(usage.today.cpuMs).toBe(0)
  const next = again()
  await next.load()
  expect(next.today.cpuMs).toBe(0)
})

test('forgotten is forgotten, also by what was to be written', async () => {
  const { clock, storage, usage, again } = start()
  usage.add({ cpuMs: 100 })
  await usage.save()
  usage.add({ cpuMs: 100 })
  await usage.forget()
  await clock.advance(10_000)
  for await (const { key } of storage.scan('')) expect(key).toBe('nothing')
  const next = again()
  await next.load()
  expect(next.today.cpuMs).toBe(0)
})

test('days by the calendar', () => {
  const evening = new Date(2026, 11, 31, 23, 59, 59).getTime()
  expect(localDay(evening)).toBe('2026-12-31')
  expect(localDay(nextMidnight(evening))).toBe('2027-01-01')
  expect(nextMidnight(evening) - evening).toBe(1000)
})

test('a day of 23 hours, and one of 25', () => {
  const zone = process.env.TZ
  process.env.TZ = 'Europe/Berlin'
  try {
    const hours = (month: number, day: number) => {
      const from = new Date(2026, month, day).getTime()
      return (nextMidnight(from + HOUR_MS) - from) / HOUR_MS
    }
    expect([hours(2, 29), hours(9, 25), hours(10, 28)]).toEqual([23, 25, 24])
  } finally {
    process.env.TZ = zone
  }
})
