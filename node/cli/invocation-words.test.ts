import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { BackendInvocation } from '../../sdk/backend.ts'
import { invocationWords } from './invocation-words.ts'

const id = `bafyrei${'a'.repeat(52)}`
const running: BackendInvocation = {
  ...{ id, function: `bafyrei${'b'.repeat(52)}`, export: 'slow', state: 'running', createdMs: 1000 },
}
const said = (one: BackendInvocation, columns?: number) =>
  stripVTControlCharacters(invocationWords(one, 3100, columns)).split('\n')

test('one line, also where nobody knows how wide it is', () => {
  const line = `${id}  running    bafy…bbbbbb#slow  for 2.1 s`
  expect(said(running)).toEqual([line, ''])
  expect(said(running, line.length)).toEqual([line, ''])
})

test('two lines in a narrow terminal, the first with the id alone', () => {
  expect(said(running, 80)).toEqual([id, '    running    bafy…bbbbbb#slow  for 2.1 s', ''])
  const ended = { ...running, state: 'cancelled' as const, export: 'default', endedMs: 2000 }
  expect(said(ended, 80)).toEqual([id, '    cancelled  bafy…bbbbbb  1.1 s ago, after 1 s', ''])
})

test('one whose record is damaged is named, and nothing is made up of it', () => {
  expect(said({ id, state: 'failed' })).toEqual([`${id}  failed     its record is damaged`, ''])
})
