import { expect, test } from 'vitest'
import type { AgentView } from '../agent-view.ts'
import { bytesWords, durationWords, headline, lentWords, pauseWords, taskWords } from './words.ts'

const view = (changed: Partial<AgentView> = {}): AgentView => ({
  state: 'lending',
  reason: undefined,
  failure: undefined,
  peer: '',
  meshName: 'map',
  accept: [],
  sinceMs: 0,
  running: [],
  neighbours: 1,
  today: { cpuMs: 0, bytes: 0, tasks: 0 },
  limits: {
    ...{ cpuShare: 0.25, cores: 2, when: 'always', onBattery: false, onMetered: false },
    ...{ cpuMsPerDay: 1, bytesPerDay: 1 },
  },
  unkept: undefined,
  ...changed,
})

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [200_000, '3 min 20 s'],
  [900_000, '15 min'],
  [3_600_000, '1 h'],
  [5_460_000, '1 h 31 min'],
])('%i ms is %s', (ms, text) => {
  expect(durationWords(ms)).toBe(text)
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [42_000_000, '42 MB'],
  [5e12, '5000 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesWords(bytes)).toBe(text)
})

test('a badge that the page hides says so before any other reason', () => {
  expect([headline(view(), true), pauseWords(view(), true)]).toEqual(['Paused', 'this page hides part of this badge'])
  const onBattery = view({ state: 'paused', reason: 'battery' })
  expect([headline(onBattery, false), pauseWords(onBattery, false)]).toEqual(['Paused', 'the device is on battery'])
  expect([headline(view(), false), pauseWords(view(), false)]).toEqual(['Lending', ''])
})

test('what is lent, and what runs', () => {
  expect(lentWords(view())).toMatch(
    /^May use up to 25 % of 2 cores for the mesh “map”\. Started at \d\d:\d\d, connected to one neighbour\.$/,
  )
  const task = { functionCid: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7q', exportName: 'default', invoker: '', sinceMs: 0 }
  expect(taskWords(task)).toBe('bafyreigdmqp…')
  expect(taskWords({ ...task, name: 'render', exportName: 'tile' })).toBe('render#tile')
})
