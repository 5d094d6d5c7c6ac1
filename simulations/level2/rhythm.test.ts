import { expect, test } from 'vitest'
import { seedFor } from '../../scripts/test/seed.ts'
import { quickChance } from './chance.ts'
import { DEVICES, type DeviceClass } from './devices.ts'
import { modelGeography } from './geography.ts'
import { HOUR_MS, Population } from './population.ts'
import { isDay, Rhythm } from './rhythm.ts'
import { msOf, ticksOf } from './wheel.ts'
import { throughDay, workloadOf } from './workloads.ts'

const DAY_HOURS = 24
/** A figure that is further from what it should be than this many standard errors comes up once in two million. */
const STANDARD_ERRORS = 5

test.each(DEVICES)(
  'of $name as many are there on average over a day as its minutes say, and more when it lends more',
  (device) => {
    const rhythm = new Rhythm(device)
    const shares = Array.from({ length: 2400 }, (_, i) => rhythm.shareAt((i + 0.5) / 100))
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    expect(mean).toBeCloseTo(device.onMinutes / (device.onMinutes + device.offMinutes), 6)
    expect(Math.sign(rhythm.shareAt(16) - rhythm.shareAt(4))).toBe(Math.sign(device.byDay - 1) + 0)
  },
)

test('who comes and goes by its hour is there as often as it says, and a session lasts as long', () => {
  const random = quickChance(seedFor('sessions'))
  const phones = { ...(DEVICES.find(({ name }) => name === 'phone') as DeviceClass), permille: 1000 }
  const population = new Population(3000, modelGeography(random), random, [phones])
  const rhythm = new Rhythm(phones)
  const looks = [5, 14, 24]
  const [seen, expected, variance] = [looks.map(() => 0), looks.map(() => 0), looks.map(() => 0)]
  let [there, sessions] = [0, 0]
  for (let peer = 0; peer < population.size; peer++) {
    population.begin(peer, random)
    for (let [now, look] = [0, 0]; look < looks.length; population.turn(peer, ticksOf(now))) {
      const stays = msOf(population.staysTicks(peer, now, random))
      const online = population.online[peer] as number
      for (; now + stays > (looks[look] as number) * HOUR_MS; look++) {
        const share = rhythm.shareAt(population.hourAt(peer, (looks[look] as number) * HOUR_MS))
        seen[look] = (seen[look] as number) + online
        expected[look] = (expected[look] as number) + share
        variance[look] = (variance[look] as number) + share * (1 - share)
      }
      there += online * (Math.min(now + stays, DAY_HOURS * HOUR_MS) - now)
      if (now + stays < DAY_HOURS * HOUR_MS) sessions += online
      now += stays
    }
  }
  for (const [look, sum] of seen.entries())
    expect(Math.abs(sum - (expected[look] as number))).toBeLessThan(
      STANDARD_ERRORS * Math.sqrt(variance[look] as number),
    )
  // Of 19,000 sessions, exponential by day and by night: their deviation is below 1.5 of their mean.
  const meanMinutes = there / sessions / 60_000
  expect(Math.abs(meanMinutes / phones.onMinutes - 1)).toBeLessThan((STANDARD_ERRORS * 1.5) / Math.sqrt(sessions))
})

test('jobs come for a while of each hour, as many as without, and those of the night are fewer', () => {
  const random = quickChance(seedFor('day'))
  const [byNight, invokers, windowMs] = [0.25, 24, 5000]
  const isDayAt = (invoker: number, sinceMs: number) => isDay((invoker + sinceMs / HOUR_MS) % DAY_HOURS)
  const drawn = workloadOf('poisson', 0.2, 1000, random)
  const workload = throughDay(drawn, { windowMs, byNight, invokers, isDayAt }, random)
  const jobs = { gapMs: 0, workMs: 0, count: 0, invoker: 0 }
  let [atMs, asked, byDay] = [0, 0, 0]
  while (workload(jobs)) {
    atMs += jobs.gapMs
    if (atMs >= DAY_HOURS * HOUR_MS) break
    expect(atMs % HOUR_MS).toBeLessThan(windowMs + 1)
    asked++
    if (isDayAt(jobs.invoker, atMs)) byDay++
  }
  const usual = 0.2 * windowMs * DAY_HOURS * ((1 + byNight) / 2)
  expect(Math.abs(asked - usual)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(usual))
  const share = 1 / (1 + byNight)
  expect(Math.abs(byDay - share * asked)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(asked * share * (1 - share)))
})
