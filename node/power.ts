/** Whether this machine runs on battery, where the system tells. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../protocol/ports.ts'

const LINUX_POWER_SUPPLIES = '/sys/class/power_supply'
const LOOK_EVERY_MS = 15_000

const readProperty = (folder: string, name: string): string => {
  try {
    return readFileSync(join(folder, name), 'utf8').trim()
  } catch {
    return ''
  }
}

/**
 * True if a battery of the machine itself (not of its mouse, whose `scope` is Device) discharges and no mains supply is
 * online. False where the system says nothing. Source: Linux, Documentation/ABI/testing/sysfs-class-power.
 */
export const isOnBattery = (supplies = LINUX_POWER_SUPPLIES): boolean => {
  let folders: string[]
  try {
    folders = readdirSync(supplies).map((name) => join(supplies, name))
  } catch {
    return false
  }
  const own = folders.filter((folder) => readProperty(folder, 'scope') !== 'Device')
  const plugged = own.some(
    (folder) => readProperty(folder, 'type') !== 'Battery' && readProperty(folder, 'online') === '1',
  )
  const drained = own.some(
    (folder) => readProperty(folder, 'type') === 'Battery' && readProperty(folder, 'status') === 'Discharging',
  )
  return drained && !plugged
}

/** Tells of each change, beginning with a battery in use now. The returned function ends it. */
export const watchPower = (clock: Clock, changed: (onBattery: boolean) => void, read = isOnBattery): (() => void) => {
  let before = false
  let cancel = () => {}
  const look = () => {
    const now = read()
    if (now !== before) changed(now)
    before = now
    cancel = clock.after(LOOK_EVERY_MS, look)
  }
  look()
  return () => cancel()
}
