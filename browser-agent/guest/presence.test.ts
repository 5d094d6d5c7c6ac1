import { expect, onTestFinished, test } from 'vitest'
import { createMemoryStorage } from '../../peer/storage/memory.ts'
import type { Log } from '../../protocol/log.ts'
import { FakeClock } from '../../simulations/clock.ts'
import type { DeviceState } from './condition.ts'
import type { DevicePort } from './device.ts'
import { Presence } from './presence.ts'
import { createGuestRules } from './rules.ts'

const LIMITS = { cpuShare: 0.5, cores: 1, when: 'always', onBattery: true, onMetered: true } as const
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const browser = () => ({
  clock: new FakeClock(),
  storage: createMemoryStorage(),
  log: { event() {} } as unknown as Log,
})

const tab = (
  shared: ReturnType<typeof browser>,
  { beginning = Promise.resolve() }: { beginning?: Promise<void> } = {},
) => {
  const state: DeviceState = {
    ...{ visible: true, idleMs: 0, frozen: false, online: true, battery: undefined, handheld: false, saveData: false },
    ...{ metered: undefined, pressure: undefined },
  }
  const watchers = new Set<() => void>()
  const device: DevicePort = {
    state: () => state,
    watch: (run) => {
      watchers.add(run)
      return () => watchers.delete(run)
    },
    touched() {},
    processors: 1,
    stop() {},
  }
  const rules = createGuestRules({ ...shared, device, limits: { ...LIMITS, cpuMsPerDay: 1000, bytesPerDay: 1000 } })
  const told: string[] = []
  const ending = Promise.withResolvers<void>()
  const begin = async () => {
    await beginning
    told.push('begin')
    return {
      lend: (share: number) => told.push(`lend ${share}`),
      withhold: () => told.push('withhold'),
      end: () => {
        told.push('end')
        return ending.promise
      },
    }
  }
  const presence = new Presence({
    device,
    rules,
    locks: navigator.locks,
    begin,
    failed: (cause) => told.push(`${cause}`),
  })
  onTestFinished(async () => {
    ending.resolve()
    await presence.stop()
    await rules.stop()
  })
  const set = (changes: Partial<DeviceState>) => {
    Object.assign(state, changes)
    for (const run of watchers) run()
  }
  return { presence, rules, told, set, ended: ending.resolve }
}

test('begins with the lead, and follows the rules', async () => {
  const { rules, told } = tab(browser())
  await turn()
  expect(rules.verdict()).toMatchObject({ mayRun: true })
  rules.limit({ cpuShare: 0.2 })
  rules.pause()
  rules.resume()
  expect(told).toEqual(['begin', 'lend 0.5', 'lend 0.2', 'withhold', 'lend 0.2'])
})

test('a second tab waits, says so, and takes over what was used today with the lead', async () => {
  const shared = browser()
  const [first, second] = [tab(shared), tab(shared)]
  await turn()
  expect([second.told, second.rules.verdict().reason]).toEqual([[], 'another-tab'])
  first.rules.used({ cpuMs: 1000 })
  await shared.clock.advance(2000)
  first.ended()
  await first.presence.stop()
  await turn()
  expect(second.told).toEqual(['begin', 'withhold'])
  expect(second.rules.verdict().reason).toBe('cpu-cap')
})

test('a frozen tab gives everything back in that turn, and waits for its turn when it is resumed', async () => {
  const shared = browser()
  const [first, second] = [tab(shared), tab(shared)]
  await turn()
  first.set({ frozen: true })
  expect(first.told.slice(2)).toEqual(['withhold', 'end'])
  await turn()
  expect(second.told).toEqual(['begin', 'lend 0.5'])
  first.set({ frozen: false })
  first.ended()
  await turn()
  expect(first.rules.verdict().reason).toBe('another-tab')
  second.ended()
  second.set({ frozen: true })
  await turn()
  await shared.clock.advance(1000)
  expect(first.told.slice(4)).toEqual(['begin', 'lend 0.5'])
})

test('a tab alone comes back by itself, once what it began has ended', async () => {
  const shared = browser()
  const { told, set, ended } = tab(shared)
  await turn()
  set({ frozen: true })
  set({ frozen: false })
  await turn()
  expect(told.slice(2)).toEqual(['withhold', 'end'])
  ended()
  await turn()
  await shared.clock.advance(1000)
  expect(told.slice(4).filter((one) => one !== 'withhold')).toEqual(['begin', 'lend 0.5'])
})

test('it leaves while each byte counts, and comes back', async () => {
  const shared = browser()
  const { rules, told, ended } = tab(shared)
  ended()
  await turn()
  rules.used({ bytes: 1000 })
  expect(told.slice(2)).toEqual(['withhold', 'end'])
  rules.limit({ bytesPerDay: 2000 })
  await turn()
  expect([told.slice(4), rules.today().bytes]).toEqual([['begin', 'lend 0.5'], 1000])
})

test('a peer that comes up when the tab is frozen already ends at once', async () => {
  const begun = Promise.withResolvers<void>()
  const { told, set, ended } = tab(browser(), { beginning: begun.promise })
  ended()
  await turn()
  set({ frozen: true })
  begun.resolve()
  await turn()
  expect(told).toEqual(['begin', 'end'])
})

test('stopped, it neither begins nor holds the lead', async () => {
  const shared = browser()
  const [first, second] = [tab(shared), tab(shared)]
  second.ended()
  await second.presence.stop()
  await turn()
  first.ended()
  await first.presence.stop()
  await turn()
  expect(second.told).toEqual([])
  expect(await navigator.locks.query()).toEqual({ held: [], pending: [] })
})
