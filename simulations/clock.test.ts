import { expect, test } from 'vitest'
import { randomFor } from '../scripts/test/seed.ts'
import { FakeClock } from './clock.ts'

test('stands still until advanced, with origins that differ', async () => {
  const clock = new FakeClock(5_000)
  expect([clock.now(), clock.monotonic()]).toEqual([5_000, 0])
  await clock.advance(250)
  expect([clock.now(), clock.monotonic()]).toEqual([5_250, 250])
})

test('runs timers at their instants, in order, equal ones first come first', async () => {
  const clock = new FakeClock()
  const seen: string[] = []
  const at = (name: string) => () => seen.push(`${name}@${clock.monotonic()}`)
  clock.after(30, at('c'))
  clock.after(10, at('a'))
  clock.after(10, at('b'))
  clock.after(31, at('later'))
  await clock.advance(30)
  expect(seen).toEqual(['a@10', 'b@10', 'c@30'])
  expect(clock.pending).toBe(1)
})

test('runs timers that timers set, when they fall within the advance', async () => {
  const clock = new FakeClock()
  const seen: number[] = []
  const tick = () => {
    seen.push(clock.monotonic())
    clock.after(10, tick)
  }
  clock.after(10, tick)
  await clock.advance(35)
  expect(seen).toEqual([10, 20, 30])
})

test('a cancelled timer never runs, and cancelling twice or late does nothing', async () => {
  const clock = new FakeClock()
  let ran = 0
  const cancel = clock.after(5, () => ran++)
  clock.after(5, () => ran++)
  cancel()
  cancel()
  await clock.advance(5)
  cancel()
  expect([ran, clock.pending]).toEqual([1, 0])
})

test('what waits on promises goes on at the instant of the timer that woke it', async () => {
  const clock = new FakeClock()
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
  const seen: number[] = []
  const work = (async () => {
    for (const ms of [5, 7, 0]) {
      await sleep(ms)
      for (let hop = 0; hop < 50; hop++) await undefined
      seen.push(clock.monotonic())
    }
  })()
  await clock.advance(12)
  await work
  expect(seen).toEqual([5, 12, 12])
})

test('a timer that throws fails the advance', async () => {
  const clock = new FakeClock()
  clock.after(1, () => {
    throw new Error('boom')
  })
  await expect(clock.advance(1)).rejects.toThrow('boom')
})

test('a time whose rest is waited for is over then, whatever fractions it has', async () => {
  const clock = new FakeClock()
  const random = randomFor('fractions')
  let early = 0
  for (let i = 0; i < 1000; i++) {
    const sinceMs = clock.monotonic()
    const lastsMs = 1 + random.below(40)
    clock.after(lastsMs * (random.below(1000) / 1000), () => {
      clock.after(sinceMs + lastsMs - clock.monotonic(), () => {
        if (clock.monotonic() - sinceMs < lastsMs) early++
      })
    })
    await clock.advance(random.below(1000) / 512)
  }
  await clock.advance(100)
  expect([early, clock.pending]).toEqual([0, 0])
})
