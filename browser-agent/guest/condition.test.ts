import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../../scripts/test/seed.ts'
import type { LendingLimits, PauseReason } from '../agent-view.ts'
import {
  BEGINNING,
  type Circumstances,
  type Decision,
  type DeviceState,
  decide,
  EASE_AFTER_MS,
  IDLE_AFTER_MS,
  RESUME_AFTER_MS,
  STRAIN_AFTER_MS,
} from './condition.ts'

const limits: LendingLimits = {
  cpuShare: 0.5,
  cores: 2,
  when: 'hidden-or-idle',
  onBattery: false,
  onMetered: false,
  cpuMsPerDay: 3_600_000,
  bytesPerDay: 100_000_000,
}

/** A desktop that nobody looks at. */
const device: DeviceState = {
  visible: false,
  idleMs: 0,
  frozen: false,
  online: true,
  battery: { charging: true, level: 1 },
  handheld: false,
  saveData: false,
  metered: undefined,
  pressure: undefined,
}

const fine: Circumstances = {
  device,
  limits,
  today: { cpuMs: 0, bytes: 0 },
  paused: false,
  elsewhere: false,
  ownUse: 0,
}

const on = (changes: Partial<DeviceState>, others: Partial<Circumstances> = {}): Circumstances => ({
  ...fine,
  ...others,
  device: { ...device, ...changes },
})
const drained = { charging: false, level: 0.8 }
const phone = { handheld: true, battery: undefined }

const CASES: [string, Circumstances, PauseReason | undefined][] = [
  ['nothing speaks against it', fine, undefined],
  ['the visitor has paused', on({}, { paused: true }), 'owner'],
  ['another tab lends', on({}, { elsewhere: true }), 'another-tab'],
  ['it is frozen', on({ frozen: true }), 'frozen'],
  ['there is no network', on({ online: false }), 'offline'],
  ['data is to be saved', on({ saveData: true }), 'data-saver'],
  [
    'data is to be saved, and may be used',
    on({ saveData: true }, { limits: { ...limits, onMetered: true } }),
    undefined,
  ],
  ['each byte is paid for', on({ metered: true }), 'metered'],
  ['it is paid for, and may be', on({ metered: true }, { limits: { ...limits, onMetered: true } }), undefined],
  ['a phone tells nothing of its connection', on({ handheld: true }), 'metered'],
  ['a phone is on Wi-Fi', on({ handheld: true, metered: false }), undefined],
  ['a phone tells nothing of its battery', on({ ...phone, metered: false }), 'battery'],
  ['a desktop tells nothing of a battery', on({ battery: undefined }), undefined],
  ['it runs on battery', on({ battery: drained }), 'battery'],
  ['it runs on battery, and may', on({ battery: drained }, { limits: { ...limits, onBattery: true } }), undefined],
  [
    'the battery is low, and may be used',
    on({ battery: { charging: false, level: 0.2 } }, { limits: { ...limits, onBattery: true } }),
    'power-saver',
  ],
  ['the battery is low and charges', on({ battery: { charging: true, level: 0.05 } }), undefined],
  ['its time of the day is used up', on({}, { today: { cpuMs: 3_600_000, bytes: 0 } }), 'cpu-cap'],
  ['its data of the day is used up', on({}, { today: { cpuMs: 0, bytes: 100_000_000 } }), 'data-cap'],
  ['it is looked at', on({ visible: true, idleMs: IDLE_AFTER_MS - 1 }), 'in-use'],
  ['it is looked at, and may be', on({ visible: true }, { limits: { ...limits, when: 'always' } }), undefined],
  ['it is seen and left alone', on({ visible: true, idleMs: IDLE_AFTER_MS }), undefined],
  ['several speak against it: the first is told', on({ visible: true, battery: drained, online: false }), 'offline'],
]

test.each(CASES)('%s', (_, now, reason) => {
  const decision = decide(BEGINNING, now, 0)
  expect(decision.reason).toBe(reason)
  expect(decision.share).toBe(reason ? 0 : 0.5)
})

test('a pause begins at once and ends when nothing has spoken for it for a while', () => {
  const running = decide(BEGINNING, fine, 0)
  const paused = decide(running, on({ battery: drained }), 1000)
  expect(paused.reason).toBe('battery')
  const waiting = decide(paused, fine, 2000)
  expect(waiting).toMatchObject({ reason: 'battery', againMs: 2000 + RESUME_AFTER_MS.battery })
  const again = decide(waiting, on({ battery: drained }), 6000)
  const clear = decide(again, fine, 6500)
  expect(decide(clear, fine, 11_499).reason).toBe('battery')
  expect(decide(clear, fine, 11_500).reason).toBeUndefined()
})

test('a low battery must rise by more than it fell', () => {
  const limitsNow = { limits: { ...limits, onBattery: true } }
  const at = (level: number) => on({ battery: { charging: false, level } }, limitsNow)
  const low = decide(decide(BEGINNING, at(0.21), 0), at(0.2), 1)
  expect(low.reason).toBe('power-saver')
  expect(decide(low, at(0.22), 100_000).clearSinceMs).toBeUndefined()
  const risen = decide(low, at(0.26), 100_000)
  expect(decide(risen, at(0.26), 100_000 + RESUME_AFTER_MS['power-saver']).reason).toBeUndefined()
})

describe('under pressure', () => {
  const follow = (start: Decision, now: Circumstances, fromMs: number, forMs: number): Decision => {
    let decision = start
    for (let at = fromMs; at <= fromMs + forMs; at += 1000) decision = decide(decision, now, at)
    return decision
  }
  const start = decide(BEGINNING, fine, 0)

  test('it halves its share, halves it again, pauses, and returns by the same steps', () => {
    const critical = on({ pressure: 'critical' })
    const shares = [0, 1, 2].map((steps) => follow(start, critical, 0, steps * STRAIN_AFTER_MS).share)
    expect(shares).toEqual([0.5, 0.25, 0.125])
    const paused = follow(start, critical, 0, 3 * STRAIN_AFTER_MS)
    expect(paused.reason).toBe('pressure')
    const from = 100_000
    expect(follow(paused, fine, from, EASE_AFTER_MS - 1000).reason).toBe('pressure')
    const eased = [1, 2, 3].map((steps) => follow(paused, fine, from, steps * EASE_AFTER_MS).share)
    expect(eased).toEqual([0.125, 0.25, 0.5])
  })

  test('serious pressure halves it and no more, and lifts a pause', () => {
    const serious = on({ pressure: 'serious' })
    expect(follow(start, serious, 0, 100_000).share).toBe(0.25)
    const paused = follow(start, on({ pressure: 'critical' }), 0, 3 * STRAIN_AFTER_MS)
    expect(follow(paused, serious, 100_000, 100_000).share).toBe(0.25)
  })

  test('a moment of it changes nothing, nor what its own work makes', () => {
    const moment = follow(start, on({ pressure: 'critical' }), 0, STRAIN_AFTER_MS - 1000)
    expect(follow(moment, fine, 10_000, 5000).share).toBe(0.5)
    expect(follow(start, on({ pressure: 'critical' }, { ownUse: 0.5 }), 0, 100_000).share).toBe(0.5)
  })
})

const anyDevice: fc.Arbitrary<DeviceState> = fc.record({
  visible: fc.boolean(),
  idleMs: fc.nat(2 * IDLE_AFTER_MS),
  frozen: fc.boolean(),
  online: fc.boolean(),
  battery: fc.option(fc.record({ charging: fc.boolean(), level: fc.double({ min: 0, max: 1, noNaN: true }) }), {
    nil: undefined,
  }),
  handheld: fc.boolean(),
  saveData: fc.boolean(),
  metered: fc.constantFrom(undefined, true, false),
  pressure: fc.constantFrom(undefined, 'nominal', 'fair', 'serious', 'critical'),
})
const anyLimits: fc.Arbitrary<LendingLimits> = fc.record({
  cpuShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
  cores: fc.integer({ min: 1, max: 8 }),
  when: fc.constantFrom('always', 'hidden-or-idle'),
  onBattery: fc.boolean(),
  onMetered: fc.boolean(),
  cpuMsPerDay: fc.nat(1000),
  bytesPerDay: fc.nat(1000),
})
const anyCircumstances: fc.Arbitrary<Circumstances> = fc.record({
  device: anyDevice,
  limits: anyLimits,
  today: fc.record({ cpuMs: fc.nat(1000), bytes: fc.nat(1000) }),
  paused: fc.boolean(),
  elsewhere: fc.boolean(),
  ownUse: fc.double({ min: 0, max: 1, noNaN: true }),
})
/** Ms since the one before, and what is so then. */
const anyHistory = fc.array(fc.tuple(fc.nat(30_000), anyCircumstances), { maxLength: 60 })

const decisionsOf = (history: readonly (readonly [number, Circumstances])[]) => {
  let [before, nowMs] = [BEGINNING, 0]
  return history.map(([passedMs, now]) => {
    nowMs += passedMs
    const decision = decide(before, now, nowMs)
    before = decision
    return { now, nowMs, decision }
  })
}

test('whatever happens: never against a limit, never beyond the share, and it asks to be asked later', () =>
  checkProperty(
    'safe',
    fc.property(anyHistory, (history) => {
      for (const { now, nowMs, decision } of decisionsOf(history)) {
        expect(decision.share).toBeLessThanOrEqual(now.limits.cpuShare)
        expect(decision.share > 0).toBe(decision.reason === undefined)
        expect(decision.againMs).toBeGreaterThan(nowMs)
        if (decision.reason !== undefined) continue
        expect([now.paused, now.elsewhere, now.device.frozen, now.device.online]).toEqual([false, false, false, true])
        expect(now.today.cpuMs).toBeLessThan(now.limits.cpuMsPerDay)
        expect(now.today.bytes).toBeLessThan(now.limits.bytesPerDay)
        if (!now.limits.onBattery) expect(now.device.battery?.charging ?? !now.device.handheld).toBe(true)
        if (!now.limits.onMetered) expect(now.device.saveData || now.device.metered).toBeFalsy()
        if (now.limits.when === 'hidden-or-idle')
          expect(!now.device.visible || now.device.idleMs >= IDLE_AFTER_MS).toBe(true)
      }
    }),
    { runs: 300 },
  ))

test('it does not flap: what the device does ends no pause sooner than it may', () =>
  checkProperty(
    'steady',
    fc.property(anyHistory, (history) => {
      let pausedBy: { reason: PauseReason; lastMs: number } | undefined
      for (const { nowMs, decision } of decisionsOf(history)) {
        if (pausedBy && decision.reason === undefined)
          expect(nowMs - pausedBy.lastMs).toBeGreaterThanOrEqual(RESUME_AFTER_MS[pausedBy.reason])
        const holds = decision.reason !== undefined && decision.clearSinceMs === undefined
        if (decision.reason && holds) pausedBy = { reason: decision.reason, lastMs: nowMs }
        else if (!decision.reason) pausedBy = undefined
      }
    }),
    { runs: 300 },
  ))

test('left alone in good circumstances it comes to run, asked only when it wants to be', () =>
  checkProperty(
    'live',
    fc.property(anyHistory, (history) => {
      let decision = decisionsOf(history).at(-1)?.decision ?? BEGINNING
      let nowMs = 10_000_000
      for (let asked = 0; asked < 12; asked++) {
        decision = decide(decision, fine, nowMs)
        if (decision.againMs === Number.POSITIVE_INFINITY) break
        nowMs = decision.againMs
      }
      expect(decision).toMatchObject({ reason: undefined, share: limits.cpuShare })
    }),
    { runs: 300 },
  ))
