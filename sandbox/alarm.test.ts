import { expect, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { Alarm } from './alarm.ts'

test('rings at the earliest instant that was asked for, and no more once it has ended', async () => {
  const clock = new FakeClock()
  const rung: number[] = []
  const alarm = new Alarm(clock, 40, () => {
    rung.push(clock.monotonic())
    alarm.rang(clock.monotonic())
  })
  for (const atMs of [300, 100, 200]) alarm.set(atMs)
  await clock.advance(1000)
  alarm.set(1500)
  alarm.end()
  alarm.set(1200)
  await clock.advance(1000)
  expect(rung).toEqual([100])
})

test('who is late once was stopped; who is late each time is only slow', () => {
  const clock = new FakeClock()
  const alarm = new Alarm(clock, 40, () => {})
  const late = [1039, 2040, 3040, 4039, 5040].map((nowMs, i) => {
    alarm.set(1000 * (i + 1))
    return [alarm.isOverdue(nowMs), alarm.rang(nowMs), alarm.isOverdue(nowMs)]
  })
  expect(late).toEqual([
    [false, false, false],
    [true, true, false],
    [false, false, false],
    [false, false, false],
    [true, true, false],
  ])
})
