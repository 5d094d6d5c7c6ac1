import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../../simulations/clock.ts'
import type { PressureState } from './condition.ts'
import { type DeviceWindow, watchDevice } from './device.ts'

class FakeObserver {
  static all: FakeObserver[] = []
  readonly changed: (records: { state: PressureState }[]) => void
  observed: unknown
  disconnected = false
  constructor(changed: (records: { state: PressureState }[]) => void) {
    this.changed = changed
    FakeObserver.all.push(this)
  }
  observe(...args: unknown[]): Promise<void> {
    this.observed = args
    return Promise.resolve()
  }
  disconnect(): void {
    this.disconnected = true
  }
}

/** A window that has what `parts` give it, and no more. */
const start = ({ navigator = {}, ...parts }: { navigator?: object } & Partial<Omit<DeviceWindow, 'document'>> = {}) => {
  const clock = new FakeClock()
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible', hasFocus: (): boolean => true })
  const page: DeviceWindow = Object.assign(new EventTarget(), {
    document,
    navigator: { onLine: true, ...navigator },
    ...parts,
  })
  const device = watchDevice(page, clock)
  onTestFinished(() => device.stop())
  let changes = 0
  device.watch(() => changes++)
  return { clock, page, document, device, changes: () => changes }
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a browser that tells little leaves it unknown', () => {
  const { device } = start()
  expect(device.state()).toEqual({
    visible: true,
    idleMs: 0,
    frozen: false,
    online: true,
    battery: undefined,
    handheld: false,
    saveData: false,
    metered: undefined,
    pressure: undefined,
  })
  expect(device.processors).toBe(1)
})

test('is told of what is seen, of freezing and of the network', () => {
  const { device, document, page, changes } = start()
  const flips = [
    [document, 'freeze', 'frozen', true],
    [document, 'resume', 'frozen', false],
    [page, 'pagehide', 'frozen', true],
    [page, 'pageshow', 'frozen', false],
  ] as const
  flips.forEach(([target, event, field, value], i) => {
    target.dispatchEvent(new Event(event))
    expect([device.state()[field], changes()]).toEqual([value, i + 1])
  })
  document.visibilityState = 'hidden'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(device.state().visible).toBe(false)
  Object.assign(page.navigator, { onLine: false })
  page.dispatchEvent(new Event('offline'))
  expect([device.state().online, changes()]).toEqual([false, 6])
})

test('counts from the last touch, told of once a second, here or around it', async () => {
  const { clock, device, page, changes } = start()
  await clock.advance(30_000)
  expect(device.state().idleMs).toBe(30_000)
  page.dispatchEvent(new Event('keydown'))
  expect([device.state().idleMs, changes()]).toEqual([0, 1])
  await clock.advance(500)
  page.dispatchEvent(new Event('pointermove'))
  expect([device.state().idleMs, changes()]).toEqual([0, 1])
  await clock.advance(5000)
  device.touched()
  expect([device.state().idleMs, changes()]).toEqual([0, 2])
})

describe('battery', () => {
  test('where there is one', async () => {
    const battery = Object.assign(new EventTarget(), { charging: true, level: 0.5 })
    const { device, changes } = start({ navigator: { getBattery: () => Promise.resolve(battery) } })
    await settled()
    expect([device.state().battery, changes()]).toEqual([{ charging: true, level: 0.5 }, 1])
    battery.charging = false
    battery.dispatchEvent(new Event('chargingchange'))
    expect([device.state().battery?.charging, changes()]).toEqual([false, 2])
  })

  test('where this page may not ask', async () => {
    const refused = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    const { device } = start({ navigator: { getBattery: refused } })
    await settled()
    expect(device.state().battery).toBeUndefined()
  })
})

test.each([
  [{ type: 'cellular' }, true],
  [{ type: 'wifi' }, false],
  [{ type: 'ethernet' }, false],
  [{ type: 'unknown' }, undefined],
  [{}, undefined],
  [{ type: 'wifi', metered: true }, true],
])('a connection %o is metered: %o', (told, metered) => {
  const connection = Object.assign(new EventTarget(), told)
  const { device, changes } = start({ navigator: { connection } })
  expect(device.state().metered).toBe(metered)
  Object.assign(connection, { saveData: true })
  connection.dispatchEvent(new Event('change'))
  expect([device.state().saveData, changes()]).toEqual([true, 1])
})

test.each([
  ['a phone that says so', { navigator: { userAgentData: { mobile: true } } }, true],
  ['a tablet, which says that it is none', { navigator: { userAgentData: { mobile: false } }, touch: true }, true],
  ['a laptop with a touch screen', { touch: true, mouse: true }, false],
  ['a desktop', { mouse: true }, false],
])('%s', (_, { navigator = {}, touch = false, mouse = false }: Record<string, unknown>, handheld) => {
  const answers: Record<string, unknown> = { '(pointer: coarse)': touch, '(any-pointer: fine)': mouse }
  const { device } = start({
    navigator: navigator as object,
    matchMedia: (query) => ({ matches: answers[query] === true }),
  })
  expect(device.state().handheld).toBe(handheld)
})

describe('pressure', () => {
  test('of the processor, as it changes', async () => {
    const { device, document, changes } = start({ PressureObserver: FakeObserver })
    const observer = FakeObserver.all.at(-1) as FakeObserver
    expect(observer.observed).toEqual(['cpu', { sampleInterval: 1000 }])
    observer.changed([{ state: 'nominal' }, { state: 'critical' }])
    observer.changed([{ state: 'critical' }])
    expect([device.state().pressure, changes()]).toEqual(['critical', 1])
    document.hasFocus = () => false
    expect(device.state().pressure).toBeUndefined()
    device.stop()
    expect(observer.disconnected).toBe(true)
  })

  test('where others keep the thread from the page, and until they let go of it', async () => {
    let told: (list: object) => void = () => {}
    class Tasks {
      static supportedEntryTypes = ['longtask']
      constructor(callback: (list: object) => void) {
        told = callback
      }
      observe(): void {}
      disconnect(): void {}
    }
    const { clock, device } = start({ PerformanceObserver: Tasks as unknown as typeof PerformanceObserver })
    const task = (name: string, duration: number) => told({ getEntries: () => [{ name, duration }] })
    task('self', 9000)
    expect(device.state().pressure).toBeUndefined()
    task('cross-origin-ancestor', 2000)
    task('unknown', 1100)
    expect(device.state().pressure).toBe('serious')
    await clock.advance(10_000)
    expect(device.state().pressure).toBeUndefined()
  })
})

test('ended, it tells nothing more', async () => {
  const { device, document, page, changes } = start()
  device.stop()
  document.dispatchEvent(new Event('freeze'))
  page.dispatchEvent(new Event('offline'))
  expect(changes()).toBe(0)
})
