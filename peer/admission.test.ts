import { expect, test } from 'vitest'
import { type AdmissionView, admit, QUEUE_BYTES_MAX, QUEUE_ITEMS_MAX } from './admission.ts'
import { accepts, explainRefusal } from './owner-policy.ts'

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

test.each([
  [['mesh'], true, true],
  [['mesh'], false, false],
  [['anyone'], false, true],
  [['self'], true, false],
  [['12D3KooWfriend'], false, true],
  [['12D3KooWother'], true, false],
  [['self', '12D3KooWfriend'], false, true],
])('accept %j, member %s: %s', (accept, member, expected) => {
  const policy = { accept, slots: 1, memoryBytes: 1 }
  expect(accepts(policy, '12D3KooWfriend', member)).toBe(expected)
  expect(accepts({ ...policy, slots: 0 }, '12D3KooWfriend', member)).toBe(false)
})

test('a refusal says what can be done', () => {
  const view = { memoryBytesLent: 64 * 1_048_576, slots: 2 }
  expect(explainRefusal('E_NO_MEMORY', view)).toContain('64 MiB')
  expect(explainRefusal('E_BUSY', view)).toContain('2 slots')
})
