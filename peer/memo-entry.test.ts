import { expect, test } from 'vitest'
import { encodeCanonical } from '../protocol/codec.ts'
import {
  decodeEntry,
  encodeEntry,
  entryOf,
  type KeptLevel,
  sealOutcome,
  suffices,
  unsealOutcome,
} from './memo-entry.ts'
import { crypto, taskOf } from './memo-fixture.ts'

const outcome = Uint8Array.of(1, 2, 3)

const sealed = (level: KeptLevel, signers: string[]) => {
  const stored = sealOutcome(crypto, taskOf(1), { level, signers }, outcome)
  return { stored, entry: entryOf(level, signers, stored, 5) }
}

test.each([
  ['audit', ['none', 'audit']],
  ['quorum:2', ['none', 'audit', 'quorum:2']],
  ['quorum:3', ['none', 'audit', 'quorum:2', 'quorum:3']],
  ['self', ['none', 'audit', 'quorum:2', 'quorum:3', 'quorum:16', 'self']],
])('what was verified at %s is as sure as %j, and no more', (kept, sureEnough) => {
  const levelOf = (text: string) => {
    const [level, n] = text.split(':')
    return { level, ...(n && { n: Number(n) }) } as KeptLevel
  }
  const wanted = ['none', 'audit', 'quorum:2', 'quorum:3', 'quorum:16', 'self']
  expect(wanted.filter((text) => suffices(levelOf(kept), levelOf(text)))).toEqual(sureEnough)
})

test('an outcome comes out as it was put in', () => {
  const { entry, stored } = sealed({ level: 'quorum', n: 2 }, ['a', 'b'])
  expect(unsealOutcome(crypto, taskOf(1), entry, stored)).toEqual(outcome)
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
})

test('no other bytes, task, level or signers fit the seal', () => {
  const { entry, stored } = sealed({ level: 'quorum', n: 2 }, ['a', 'b'])
  for (let at = 0; at < stored.length; at++) {
    const changed = stored.slice()
    changed[at]! ^= 1
    expect(unsealOutcome(crypto, taskOf(1), entry, changed)).toBeUndefined()
  }
  expect(unsealOutcome(crypto, taskOf(1), entry, stored.subarray(1))).toBeUndefined()
  expect(unsealOutcome(crypto, taskOf(1), entry, new Uint8Array(0))).toBeUndefined()
  expect(unsealOutcome(crypto, taskOf(2), entry, stored)).toBeUndefined()
  expect(unsealOutcome(crypto, taskOf(1), { ...entry, level: { level: 'self' } }, stored)).toBeUndefined()
  expect(unsealOutcome(crypto, taskOf(1), { ...entry, signers: ['a'] }, stored)).toBeUndefined()
})

test.each([
  ['of another version', { v: 2, level: { level: 'self' }, signers: [], bytes: 1, used_ms: 1 }],
  ['without a level', { v: 1, level: { level: 'none' }, signers: [], bytes: 1, used_ms: 1 }],
  ['of a quorum of nobody knows how many', { v: 1, level: { level: 'quorum' }, signers: [], bytes: 1, used_ms: 1 }],
  ['signed by no name', { v: 1, level: { level: 'self' }, signers: [1], bytes: 1, used_ms: 1 }],
  ['of no size', { v: 1, level: { level: 'self' }, signers: [], bytes: -1, used_ms: 1 }],
  ['never used', { v: 1, level: { level: 'self' }, signers: [], bytes: 1, used_ms: 0.5 }],
  ['that is a list', []],
  ['that is null', null],
])('a record %s is none', (_, record) => {
  expect(() => decodeEntry(encodeCanonical(record))).toThrow()
})

test('nor are bytes that are no record at all', () => {
  expect(() => decodeEntry(Uint8Array.of(255, 1, 2))).toThrow()
})
