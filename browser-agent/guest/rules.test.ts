import { expect, onTestFinished, test } from 'vitest'
import { createMemoryStorage } from '../../peer/storage/memory.ts'
import type { Log } from '../../protocol/log.ts'
import { FakeClock } from '../../simulations/clock.ts'
import type { LendingLimits } from '../agent-view.ts'
import type { DeviceState } from './condition.ts'
import type { DevicePort } from './device.ts'
import { createGuestRules, type Verdict } from './rules.ts'

const HOUR_MS = 3_600_000
const LIMITS: LendingLimits = {
  cpuShare: 0.5,
  cores: 2,
  when: 'always',
  onBattery: false,
  onMetered: false,
  cpuMsPerDay: 10_000,
  bytesPerDay: 1000,
}

const start = (startMs = new Date(2026, 10, 28, 12).getTime()) => {
  const clock = new FakeClock(startMs)
  const storage = createMemoryStorage()
  const state: DeviceState = {
    ...{ visible: true, idleMs: 0, frozen: false, online: true, battery: undefined, handheld: false, saveData: false },
    ...{ metered: undefined, pressure: undefined },
  }
  let changed = () => {}
  const device: DevicePort = {
    state: () => state,
    watch: (run) => {
      changed = run
      return () => {}
    },
    touched: () => {},
    processors: 2,
    stop: () => {},
  }
  const log = { event: () => {} } as unknown as Log
  const rules = createGuestRules({ clock, storage, log, device, limits: LIMITS })
  const told: Verdict[] = []
  rules.subscribe((verdict) => told.push(verdict))
  onTestFinished(() => rules.stop())
  const set = (changes: Partial<DeviceState>) => {
    Object.assign(state, changes)
    changed()
  }
  return { clock, storage, device, rules, told, set, log, reason: () => rules.verdict().reason }
}

test('tells each new verdict once, and ends a pause by itself', async () => {
  const { clock, rules, told, set } = start()
  expect(rules.verdict()).toEqual({ mayRun: true, reason: undefined, share: 0.5 })
  set({ online: false })
  set({ online: false })
  set({ online: true })
  await clock.advance(999)
  expect(told).toEqual([{ mayRun: false, reason: 'offline', share: 0 }])
  await clock.advance(1)
  expect(told.at(-1)).toEqual({ mayRun: true, reason: undefined, share: 0.5 })
})

test('the visitor pauses and resumes, and a limit holds from the moment it is set', () => {
  const { rules, reason } = start()
  rules.pause()
  expect(reason()).toBe('owner')
  rules.resume()
  rules.limit({ cpuShare: 0.1 })
  expect(rules.verdict()).toMatchObject({ mayRun: true, share: 0.1 })
  rules.limit({ when: 'hidden-or-idle' })
  expect(reason()).toBe('in-use')
  // A use that ends by itself is waited for; a choice is not.
  rules.limit({ when: 'always' })
  expect(reason()).toBeUndefined()
})

test('a cap of the day holds at once, over a reload, and until midnight', async () => {
  const { clock, storage, log, device, rules, reason } = start()
  rules.used({ cpuMs: 9_999, tasks: 3 })
  expect(reason()).toBeUndefined()
  rules.used({ cpuMs: 1 })
  expect(reason()).toBe('cpu-cap')
  await rules.stop()
  const next = createGuestRules({ clock, storage, log, device, limits: LIMITS })
  onTestFinished(() => next.stop())
  await next.load()
  expect(next.verdict().reason).toBe('cpu-cap')
  expect(next.today()).toEqual({ cpuMs: 10_000, bytes: 0, tasks: 3 })
  await clock.advance(12 * HOUR_MS - 1)
  expect(next.verdict().reason).toBe('cpu-cap')
  await clock.advance(1)
  expect(next.verdict().reason).toBeUndefined()
  expect(next.today()).toEqual({ cpuMs: 0, bytes: 0, tasks: 0 })
})

test('the cap on data likewise; more may be allowed', () => {
  const { rules, reason } = start()
  rules.used({ bytes: 1000 })
  expect(reason()).toBe('data-cap')
  rules.limit({ bytesPerDay: 2000 })
  expect(reason()).toBeUndefined()
})

test('what another tab used counts here when it has ended', async () => {
  const { clock, storage, log, device, rules, reason } = start()
  rules.elsewhere(true)
  const other = createGuestRules({ clock, storage, log, device, limits: LIMITS })
  other.used({ cpuMs: 10_000 })
  await other.stop()
  expect(reason()).toBe('another-tab')
  await rules.load()
  rules.elsewhere(false)
  expect(reason()).toBe('cpu-cap')
})

test('a tab that was frozen before it wrote writes at once, and never over what another wrote since', async () => {
  const { clock, storage, log, device, rules } = start()
  rules.used({ cpuMs: 100 })
  rules.elsewhere(true)
  const other = createGuestRules({ clock, storage, log, device, limits: LIMITS })
  await other.load()
  expect(other.today().cpuMs).toBe(100)
  other.used({ cpuMs: 200 })
  await other.stop()
  // What its workers had still on the way.
  rules.used({ cpuMs: 50 })
  await clock.advance(10_000)
  await rules.load()
  expect(rules.today().cpuMs).toBe(300)
})

test('forgetting leaves nothing in storage', async () => {
  const { clock, storage, rules } = start()
  rules.used({ cpuMs: 5000 })
  await clock.advance(3000)
  rules.used({ cpuMs: 5000 })
  await rules.forget()
  await clock.advance(10_000)
  for await (const { key } of storage.scan('')) expect(key).toBe('nothing')
  expect(rules.verdict().mayRun).toBe(true)
})

test('backs off from a machine that others need, and not from its own work', async () => {
  const { clock, rules, set } = start()
  set({ pressure: 'critical' })
  await clock.advance(12_000)
  expect(rules.verdict().share).toBe(0.25)
  const own = start()
  own.rules.limit({ cpuMsPerDay: HOUR_MS })
  own.rules.used({ cpuMs: 9000 })
  own.set({ pressure: 'critical' })
  for (let i = 0; i < 20; i++) {
    own.rules.used({ cpuMs: 1000 })
    await own.clock.advance(1000)
  }
  expect(own.rules.verdict().share).toBe(0.5)
})
