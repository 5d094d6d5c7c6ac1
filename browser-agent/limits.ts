/** What a visitor lends: the house's limits, those of the site, and those that the visitor chose, which count. */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import type { Storage } from '../protocol/ports.ts'
import type { LendingLimits } from './agent-view.ts'

const KEY = 'guest/limits'
const HOUR_MS = 60 * 60 * 1000

/** Half of the processors, at half of their speed, as nobody looks, and nothing that is paid for. */
const defaults = (): LendingLimits => ({
  cpuShare: 0.5,
  cores: Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)),
  when: 'hidden-or-idle',
  onBattery: false,
  onMetered: false,
  cpuMsPerDay: 4 * HOUR_MS,
  bytesPerDay: 200_000_000,
})

export const keptLimits = async (storage: Storage, given: Partial<LendingLimits> = {}): Promise<LendingLimits> => {
  const bytes = await storage.get(KEY)
  const kept = bytes ? (decodeCanonical(bytes) as LendingLimits) : {}
  return { ...defaults(), ...given, ...kept }
}

export const keepLimits = (storage: Storage, limits: LendingLimits): Promise<void> =>
  storage.write([{ key: KEY, put: encodeCanonical(limits) }])
