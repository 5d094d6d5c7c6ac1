/**
 * May this page run work for others now, at which share of a core, and if not, why? Pure: of what is known of the device
 * and of what was decided before.
 */
import type { AgentView, LendingLimits, PauseReason } from '../agent-view.ts'

/** As the Compute Pressure API names them, https://www.w3.org/TR/compute-pressure/#pressure-states. */
export type PressureState = 'nominal' | 'fair' | 'serious' | 'critical'

/** What the browser tells of the device. Undefined: it does not tell. */
export interface DeviceState {
  /** A person can see the page. */
  visible: boolean
  /** Ms since a person last did something in the page, as far as that is seen, or since it opened. */
  idleMs: number
  /** The browser has stopped the page, or keeps it for the way back. */
  frozen: boolean
  online: boolean
  /** `level`: 0 to 1. */
  battery: { charging: boolean; level: number } | undefined
  /** Does it live on a battery, as a phone does? Asked where it tells nothing of one. */
  handheld: boolean
  saveData: boolean
  /** Is each byte paid for? */
  metered: boolean | undefined
  pressure: PressureState | undefined
}

/** What the decision is made of. */
export interface Circumstances {
  device: DeviceState
  limits: LendingLimits
  today: Pick<AgentView['today'], 'cpuMs' | 'bytes'>
  /** The visitor has said so. */
  paused: boolean
  /** Another tab lends in this browser. */
  elsewhere: boolean
  /** Of the machine's processors, how much the workers take at present, 0 to 1. */
  ownUse: number
}

export interface Decision {
  /** Undefined: work is run. */
  reason: PauseReason | undefined
  /** Of one core, for each worker; 0 while nothing is run. */
  share: number
  /** Since when nothing speaks for the pause that holds still, monotonic ms. */
  clearSinceMs: number | undefined
  strain: Strain
  /** When to decide again though nothing has changed, monotonic ms. */
  againMs: number
}

/** How far it has backed off from a busy machine. */
export interface Strain {
  /** Of `STRAIN_SHARES`, or one more: paused. */
  level: number
  /** Where pressure, or its absence, pushes the level, and since when, monotonic ms. */
  push: -1 | 0 | 1
  sinceMs: number
}

/** Without a touch for so long, a page that is looked at counts as left alone. */
export const IDLE_AFTER_MS = 60_000
/**
 * A page does not learn of a battery saver. Those of Android, iOS, Windows and Chromium begin, or offer to begin, at a
 * fifth of the charge; what has begun then ends a little above it.
 */
export const SAVER_LEVEL = 0.2
const SAVER_LEVEL_LEFT = 0.25

/** What remains of the share at each level of strain. */
export const STRAIN_SHARES = [1, 0.5, 0.25] as const
const STRAIN_MAX = STRAIN_SHARES.length
/** Pressure is sampled once a second at best, and one page that loads makes some: only what lasts counts. */
export const STRAIN_AFTER_MS = 10_000
export const EASE_AFTER_MS = 20_000
/** A machine of whose processors the workers take so much is under pressure by what its owner lends, not by others. */
const OWN_USE_EXPLAINS = 0.4

/** For how long nothing may speak for a pause before it ends. Who turns to a page for a moment need not start it. */
export const RESUME_AFTER_MS: Record<PauseReason, number> = {
  owner: 0,
  'another-tab': 0,
  'cpu-cap': 0,
  'data-cap': 0,
  frozen: 1000,
  offline: 1000,
  'in-use': 5000,
  'data-saver': 5000,
  metered: 5000,
  battery: 5000,
  'power-saver': 5000,
  pressure: 0,
}

export const BEGINNING: Decision = {
  reason: 'frozen',
  share: 0,
  clearSinceMs: Number.NEGATIVE_INFINITY,
  strain: { level: 0, push: 0, sinceMs: 0 },
  againMs: Number.POSITIVE_INFINITY,
}

/** Pauses in which this page talks to nobody: each byte counts, and neighbours ask for blocks and for signs of life. */
export const SAVES_DATA: ReadonlySet<PauseReason | undefined> = new Set(['data-saver', 'metered', 'data-cap'])

/** The decision that follows `before` at `nowMs` on the monotonic clock. */
export const decide = (before: Decision, now: Circumstances, nowMs: number): Decision => {
  const strain = strainAfter(before.strain, pushOf(now, before.strain), nowMs)
  const found = objection(now, before.reason) ?? (strain.level === STRAIN_MAX ? 'pressure' : undefined)
  const clearSinceMs = found || !before.reason ? undefined : (before.clearSinceMs ?? nowMs)
  const clearAtMs = (clearSinceMs ?? 0) + (before.reason ? RESUME_AFTER_MS[before.reason] : 0)
  const waits = clearSinceMs !== undefined && nowMs < clearAtMs
  const reason = found ?? (waits ? before.reason : undefined)
  return {
    reason,
    share: reason ? 0 : now.limits.cpuShare * (STRAIN_SHARES[strain.level] as number),
    clearSinceMs: reason ? clearSinceMs : undefined,
    strain,
    againMs: Math.min(waits ? clearAtMs : Number.POSITIVE_INFINITY, turnsAtMs(strain), idleDueMs(now, nowMs)),
  }
}

/** What speaks against running anything, before all else that would. */
const objection = (
  { device, limits, today, paused, elsewhere }: Circumstances,
  before: PauseReason | undefined,
): PauseReason | undefined => {
  if (paused) return 'owner'
  if (elsewhere) return 'another-tab'
  if (device.frozen) return 'frozen'
  if (!device.online) return 'offline'
  if (!limits.onMetered && device.saveData) return 'data-saver'
  if (!limits.onMetered && (device.metered ?? device.handheld)) return 'metered'
  const level = before === 'power-saver' ? SAVER_LEVEL_LEFT : SAVER_LEVEL
  if (device.battery && !device.battery.charging && device.battery.level <= level) return 'power-saver'
  if (!limits.onBattery && (device.battery ? !device.battery.charging : device.handheld)) return 'battery'
  if (today.cpuMs >= limits.cpuMsPerDay) return 'cpu-cap'
  if (today.bytes >= limits.bytesPerDay) return 'data-cap'
  if (limits.when === 'hidden-or-idle' && device.visible && device.idleMs < IDLE_AFTER_MS) return 'in-use'
  return undefined
}

const pushOf = ({ device, ownUse }: Circumstances, { level }: Strain): Strain['push'] => {
  const { pressure } = device
  // Serious asks for less work, not for none.
  const levelMax = pressure === 'critical' ? STRAIN_MAX : pressure === 'serious' ? 1 : 0
  if (level === levelMax) return 0
  if (level > levelMax) return -1
  return ownUse < OWN_USE_EXPLAINS ? 1 : 0
}

const strainAfter = (before: Strain, push: Strain['push'], nowMs: number): Strain => {
  if (push !== before.push) return { level: before.level, push, sinceMs: nowMs }
  if (push === 0 || nowMs < turnsAtMs(before)) return before
  return { level: before.level + push, push, sinceMs: nowMs }
}

const turnsAtMs = ({ push, sinceMs }: Strain): number =>
  push === 0 ? Number.POSITIVE_INFINITY : sinceMs + (push > 0 ? STRAIN_AFTER_MS : EASE_AFTER_MS)

/** When a page that is looked at will have been left alone. */
const idleDueMs = ({ device, limits }: Circumstances, nowMs: number): number =>
  limits.when === 'hidden-or-idle' && device.visible && device.idleMs < IDLE_AFTER_MS
    ? nowMs + IDLE_AFTER_MS - device.idleMs
    : Number.POSITIVE_INFINITY
