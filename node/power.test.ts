import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { isOnBattery, watchPower } from './power.ts'

/** As the kernel shows them: a folder a supply, a file a property. */
const supplies = (given: Record<string, Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), 'wayside-power-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [name, properties] of Object.entries(given)) {
    mkdirSync(join(root, name))
    for (const [property, value] of Object.entries(properties)) writeFileSync(join(root, name, property), `${value}\n`)
  }
  return root
}

const mains = (online: string) => ({ AC: { type: 'Mains', online } })
const battery = (status: string) => ({ BAT0: { type: 'Battery', status } })

test.each([
  ['a laptop that is unplugged', { ...mains('0'), ...battery('Discharging') }, true],
  ['a laptop that charges', { ...mains('1'), ...battery('Charging') }, false],
  ['a laptop that is plugged in and drains all the same', { ...mains('1'), ...battery('Discharging') }, false],
  ['a laptop on a USB charger', { USB: { type: 'USB', online: '1' }, ...battery('Full') }, false],
  ['a desktop with a wireless mouse', { mouse: { type: 'Battery', status: 'Discharging', scope: 'Device' } }, false],
  ['a server', {}, false],
])('%s', (_, given, expected) => {
  expect(isOnBattery(supplies(given))).toBe(expected)
})

test('a system that tells nothing counts as plugged in', () => {
  expect(isOnBattery('/nowhere')).toBe(false)
})

test('each change is told once, beginning with a battery in use', async () => {
  const clock = new FakeClock()
  const told: boolean[] = []
  let now = true
  const stop = watchPower(
    clock,
    (onBattery) => told.push(onBattery),
    () => now,
  )
  await clock.advance(60_000)
  now = false
  await clock.advance(60_000)
  stop()
  now = true
  await clock.advance(60_000)
  expect(told).toEqual([true, false])
})
