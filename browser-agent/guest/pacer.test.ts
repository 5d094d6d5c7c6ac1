import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import { Pacer } from './pacer.ts'

/**
 * Time passes only where work, sleep or a look takes it. `late`: by how much each sleep is longer than asked for.
 * `lookMs`: what it takes to look whether it has been ended.
 */
const start = (share: number, late = () => 0, lookMs = 0) => {
  let nowMs = 0
  let sleptMs = 0
  let ended = false
  const told: number[] = []
  const pacer = new Pacer({
    now: () => nowMs,
    sleep: (ms) => {
      const taken = ms + late()
      nowMs += taken
      sleptMs += taken
    },
    ran: (ms) => told.push(ms),
    ended: () => {
      nowMs += lookMs
      return ended
    },
  })
  pacer.share = share
  const work = (ms: number, stepMs: number) => {
    for (let done = 0; done < ms; done += stepMs) {
      nowMs += stepMs
      if (pacer.due()) pacer.rest()
    }
  }
  const end = () => {
    ended = true
  }
  return { pacer, work, told, end, idle: (ms: number) => (nowMs += ms), slept: () => sleptMs, now: () => nowMs }
}

test.each([0.05, 0.1, 0.3, 0.5, 0.9, 1])('a long run at %d takes as much longer, never asleep for long', (share) => {
  const { pacer, work, slept, now } = start(share)
  pacer.begin()
  work(1000, 1)
  pacer.end()
  expect(1000 / now()).toBeCloseTo(share, 1)
  if (share === 1) expect(slept()).toBe(0)
})

test.each([0.1, 0.5, 1])(
  'what a look takes is no work: at %d it rests that much less, and tells nothing of it',
  (share) => {
    const { pacer, work, told, now } = start(share, () => 0, 4)
    pacer.begin()
    work(1000, 1)
    pacer.end()
    expect(told.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(1000)
    if (share < 1) expect(1000 / now()).toBeCloseTo(share, 1)
  },
)

test('what cannot rest inside rests once, for as long as it owes', () => {
  const { pacer, work, slept } = start(0.25)
  pacer.begin()
  work(2000, 2000)
  expect(slept()).toBe(6000)
})

describe('many short frames', () => {
  test('owe together', () => {
    const { pacer, work, slept, now } = start(0.5)
    for (let i = 0; i < 1000; i++) {
      pacer.begin()
      work(1, 1)
      pacer.end()
    }
    expect(1000 / now()).toBeCloseTo(0.5, 1)
    expect(slept()).toBeGreaterThan(950)
  })

  test('need no rest where there is time between them', () => {
    const { pacer, work, slept, idle } = start(0.5)
    for (let i = 0; i < 100; i++) {
      pacer.begin()
      work(5, 1)
      pacer.end()
      idle(6)
    }
    expect(slept()).toBe(0)
  })
})

test('an hour without work is no credit for the next', () => {
  const { pacer, work, idle, now } = start(0.1)
  idle(3_600_000)
  const from = now()
  pacer.begin()
  work(100, 1)
  expect(100 / (now() - from)).toBeLessThan(0.13)
})

test('what was computed is told, and not what was slept', () => {
  const { pacer, work, told } = start(0.2)
  pacer.begin()
  work(1000, 1)
  pacer.end()
  const all = told.reduce((sum, ms) => sum + ms, 0)
  expect(all).toBeGreaterThan(890)
  expect(all).toBeLessThanOrEqual(1000)
})

test('where it need not rest, it tells all the same, while it computes', () => {
  const { pacer, work, told } = start(1)
  pacer.begin()
  work(1000, 1)
  expect(told.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(900)
})

test('who is ended in the middle of a run sleeps within 50 ms, and for good', () => {
  const { pacer, work, end, now } = start(1)
  pacer.begin()
  work(1000, 1)
  end()
  work(50, 1)
  expect(now()).toBe(Number.POSITIVE_INFINITY)
})

test('who is ended between runs that are short, or in one, is not looked at: it ends by itself', () => {
  const { pacer, work, idle, end, now } = start(1)
  end()
  for (let i = 0; i < 100; i++) {
    pacer.begin()
    work(40, 1)
    pacer.end()
    idle(7)
  }
  expect(now()).toBe(100 * 47)
})

test('over any few seconds at most its share, whatever comes and however late a sleep ends', () =>
  checkProperty(
    'share',
    fc.property(
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      fc.array(fc.record({ idleMs: fc.nat(50), workMs: fc.nat(60), lateMs: fc.nat(15) }), { minLength: 1 }),
      (share, frames) => {
        let lateMs = 0
        const { pacer, work, idle, now } = start(share, () => lateMs)
        let worked = 0
        for (const frame of frames) {
          lateMs = frame.lateMs
          idle(frame.idleMs)
          pacer.begin()
          work(frame.workMs, 1)
          pacer.end()
          worked += frame.workMs
          // Of which one quantum of work may still owe its rest, and one may have been paid for before it began.
          expect(worked - 22).toBeLessThanOrEqual(share * now() + 1e-6)
        }
      },
    ),
  ))
