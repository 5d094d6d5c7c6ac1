import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

const YEAR_MS = 365 * 24 * 60 * 60 * 1000

describe('the machine clock', () => {
  afterEach(() => void vi.useRealTimers())

  test('tells the wall-clock time and a monotonic one', () => {
    const before = Date.now()
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
    expect(systemClock.now()).toBeLessThan(before + 60_000)
    const first = systemClock.monotonic()
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first)
  })

  test('runs once after the delay, and not at all once cancelled', () => {
    vi.useFakeTimers()
    const runs: string[] = []
    systemClock.after(50, () => runs.push('kept'))
    systemClock.after(50, () => runs.push('cancelled'))()
    vi.advanceTimersByTime(49)
    expect(runs).toEqual([])
    vi.advanceTimersByTime(1000)
    expect(runs).toEqual(['kept'])
  })

  test('waits for longer than one timer of Node can', () => {
    vi.useFakeTimers()
    const runs: number[] = []
    const cancel = systemClock.after(YEAR_MS, () => runs.push(1))
    systemClock.after(YEAR_MS, () => runs.push(2))
    vi.advanceTimersByTime(YEAR_MS - 1)
    expect(runs).toEqual([])
    cancel()
    vi.advanceTimersByTime(1)
    expect(runs).toEqual([2])
  })
})
