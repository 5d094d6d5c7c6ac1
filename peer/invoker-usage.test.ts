import { expect, test } from 'vitest'
import { QUOTA_DEFAULT } from './admission.ts'
import { INVOKERS_MAX, InvokerUsage } from './invoker-usage.ts'

const usageAt = (quota = { ...QUOTA_DEFAULT, fuelPerMinute: 600, bytesPerMinute: 60 }) => {
  const clock = { nowMs: 1000, monotonic: () => clock.nowMs }
  return { clock, usage: new InvokerUsage(clock, quota) }
}

test('what is used drains at the rate of the quota, and never below nothing', () => {
  const { clock, usage } = usageAt()
  usage.asks('a')
  usage.used('a', { fuel: 900, bytes: 30 })
  clock.nowMs += 15_000
  usage.used('a', { fuel: 50 })
  expect(usage.asks('a')).toMatchObject({ fuel: 800, bytes: 15 })
  clock.nowMs += 79_000
  expect(usage.asks('a')).toMatchObject({ fuel: 10, bytes: 0 })
  clock.nowMs += 3_600_000
  expect(usage.asks('a')).toMatchObject({ fuel: 0, bytes: 0 })
  expect(usage.asks('b')).toMatchObject({ fuel: 0, bytes: 0 })
})

test('where there is no quota nothing is counted', () => {
  const { usage } = usageAt(QUOTA_DEFAULT)
  usage.asks('a')
  usage.used('a', { fuel: 1e15, bytes: 1e15 })
  expect(usage.asks('a')).toMatchObject({ fuel: 0, bytes: 0 })
})

test('others count for a minute after they asked', () => {
  const { clock, usage } = usageAt()
  expect(usage.isContended('a')).toBe(false)
  usage.asks('a')
  expect([usage.isContended('a'), usage.isContended('b')]).toEqual([false, true])
  clock.nowMs += 30_000
  usage.asks('b')
  expect([usage.isContended('a'), usage.isContended('b')]).toEqual([true, true])
  for (let i = 0; i < 10; i++) usage.asks('a')
  clock.nowMs += 59_000
  usage.asks('a')
  expect(usage.isContended('a')).toBe(true)
  clock.nowMs += 1000
  expect([usage.isContended('a'), usage.isContended('b')]).toEqual([false, true])
})

test('a hundred times the invokers that are remembered: those that asked last are', () => {
  const { usage } = usageAt()
  for (let i = 0; i < 100 * INVOKERS_MAX; i++) {
    usage.asks('steady')
    usage.used('steady', { fuel: 1 })
    usage.asks(`passing ${i}`)
  }
  expect(usage.size).toBe(INVOKERS_MAX)
  expect(usage.asks('steady').fuel).toBe(100 * INVOKERS_MAX)
  usage.used('never asked', { fuel: 1 })
  expect(usage.size).toBe(INVOKERS_MAX)
})
