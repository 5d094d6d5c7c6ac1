import { describe, expect, test } from 'vitest'
import {
  type AdmissionView,
  admit,
  overQuota,
  QUEUE_BYTES_MAX,
  QUEUE_ITEMS_MAX,
  QUOTA_DEFAULT,
  quotaWaitMs,
} from './admission.ts'
import { accepts, explainQuota, explainRefusal, LENDS_NOTHING } from './owner-policy.ts'

const open: AdmissionView = {
  paused: false,
  stopping: false,
  accepted: true,
  engine: true,
  memoryBytesAsked: 64,
  memoryBytesLent: 64,
  slots: 1,
  queuedItems: 0,
  queuedBytes: 0,
  items: 1,
  bytes: 100,
  quota: QUOTA_DEFAULT,
  heldItems: 0,
  heldBytes: 0,
  usedFuel: 0,
  usedBytes: 0,
  contended: false,
}

test.each([
  ['all well', {}, undefined],
  ['stopping comes before paused', { stopping: true, paused: true }, 'E_STOPPING'],
  ['paused', { paused: true }, 'E_PAUSED'],
  ['not accepted', { accepted: false }, 'E_NOT_ACCEPTED'],
  ['another engine', { engine: false }, 'E_ENGINE_UNAVAILABLE'],
  ['too much memory', { memoryBytesAsked: 65 }, 'E_NO_MEMORY'],
  ['no slots', { slots: 0 }, 'E_BUSY'],
  ['the last place in the queue', { queuedItems: QUEUE_ITEMS_MAX - 1 }, undefined],
  ['one item over the queue', { queuedItems: QUEUE_ITEMS_MAX }, 'E_BUSY'],
  ['a batch over the queue', { queuedItems: 1, items: QUEUE_ITEMS_MAX }, 'E_BUSY'],
  ['bytes over the queue', { queuedBytes: QUEUE_BYTES_MAX - 99 }, 'E_BUSY'],
])('%s', (_name, change, code) => {
  expect(admit({ ...open, ...change })).toBe(code)
})

describe('a quota', () => {
  const quota = { items: 10, fuelPerMinute: 6000, bytesPerMinute: 600, queueShare: 0.25 }
  const quarter = QUEUE_ITEMS_MAX / 4

  test.each<[string, Partial<AdmissionView>, ReturnType<typeof overQuota>, number, RegExp]>([
    ['one item under', { heldItems: 9 }, undefined, 0, /./],
    [
      'one item over',
      { heldItems: 10 },
      'items',
      0,
      /you have 10 tasks here and ask for 1, .* 10 at once; come back when some are done/,
    ],
    ['more items at once than it ever has', { items: 11 }, 'items', 0, /you have 0 tasks here .*; send less at once/],
    ['fuel that is worked off', { usedFuel: 5999 }, undefined, 0, /./],
    ['fuel used', { usedFuel: 6000 }, 'fuelPerMinute', 1, /6000 fuel a minute .*; come back in 1 s/],
    ['fuel used up for long', { usedFuel: 18_000 }, 'fuelPerMinute', 120_001, /come back in 121 s/],
    ['bytes up to it', { usedBytes: 500 }, undefined, 0, /./],
    ['bytes over it', { usedBytes: 800 }, 'bytesPerMinute', 30_000, /600 bytes a minute .*; come back in 30 s/],
    ['bytes that never fit', { bytes: 601 }, 'bytesPerMinute', Number.POSITIVE_INFINITY, /send less at once/],
  ])('%s', (_name, change, quotaMet, waitMs, words) => {
    const view = { ...open, quota, ...change }
    expect([overQuota(view), admit(view)]).toEqual([quotaMet, quotaMet && 'E_QUOTA'])
    expect(quotaWaitMs(view)).toBeCloseTo(waitMs)
    if (quotaMet) expect(explainQuota(view)).toMatch(words)
  })

  test('of the queue counts only while others ask, in items and in bytes', () => {
    const view = { ...open, quota: { ...QUOTA_DEFAULT, queueShare: 0.25 } }
    expect(overQuota({ ...view, heldItems: quarter })).toBe(undefined)
    expect(overQuota({ ...view, heldItems: quarter, contended: true })).toBe('queueShare')
    expect(overQuota({ ...view, heldItems: quarter - 1, contended: true })).toBe(undefined)
    expect(overQuota({ ...view, heldBytes: QUEUE_BYTES_MAX / 4, contended: true })).toBe('queueShare')
    expect(explainQuota({ ...view, heldItems: quarter, contended: true })).toMatch(
      /others asked .* 1024 places and 16777216 bytes of the queue; you have 1024 and 0, and ask for 1 and 100; come back/,
    )
  })

  test('by default is one that the queue meets first', () => {
    const greedy = { heldItems: QUEUE_ITEMS_MAX - 1, queuedItems: QUEUE_ITEMS_MAX - 1, usedFuel: 1e15, usedBytes: 1e15 }
    expect(admit({ ...open, ...greedy })).toBe(undefined)
    expect(admit({ ...open, ...greedy, items: 2 })).toBe('E_BUSY')
  })
})

test.each([
  [['mesh'], true, true],
  [['mesh'], false, false],
  [['anyone'], false, true],
  [['self'], true, false],
  [['12D3KooWfriend'], false, true],
  [['12D3KooWother'], true, false],
  [['self', '12D3KooWfriend'], false, true],
])('accept %j, member %s: %s', (accept, member, expected) => {
  const friend = { peer: '12D3KooWfriend', member, own: false }
  const policy = { ...LENDS_NOTHING, accept, slots: 1 }
  expect(accepts(policy, friend)).toBe(expected)
  expect(accepts({ ...policy, slots: 0 }, friend)).toBe(false)
  expect(accepts({ ...policy, deny: ['12D3KooWfriend'] }, friend)).toBe(false)
  expect(accepts({ ...policy, deny: ['12D3KooWfoe'] }, friend)).toBe(expected)
})

test.each([
  [['self'], true],
  [['mesh'], true],
  [['12D3KooWother'], false],
  [[], false],
])('accept %j, a machine of the same owner: %s', (accept, expected) => {
  const machine = { peer: '12D3KooWmine', member: true, own: true }
  const policy = { ...LENDS_NOTHING, accept, slots: 1 }
  expect(accepts(policy, machine)).toBe(expected)
  expect(accepts({ ...policy, deny: ['12D3KooWmine'] }, machine)).toBe(false)
})

test('a refusal says what can be done', () => {
  const view = { memoryBytesLent: 64 * 1_048_576, slots: 2 }
  expect(explainRefusal('E_NO_MEMORY', view)).toContain('64 MiB')
  expect(explainRefusal('E_BUSY', view)).toContain('2 slots')
})
