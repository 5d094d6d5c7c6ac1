import { describe, expect, test } from 'vitest'
import { ERRORS, type ErrorCode, isErrorCode, MeshError } from './errors.ts'
import { OUTCOME_ERRORS } from './outcome.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]

test.each(codes)('%s has a meaning, someone to blame, and advice on retrying', (code) => {
  const error = new MeshError(code, { message: 'what was wrong', path: 'a.b' }, { cause: new TypeError('inner') })
  expect(error).toMatchObject({ name: 'MeshError', code, message: 'what was wrong', cause: new TypeError('inner') })
  expect(error.fields).toEqual({ message: 'what was wrong', path: 'a.b' })
  expect([error.blame, error.retry]).toEqual([ERRORS[code].blame, ERRORS[code].retry])
  expect(ERRORS[code].meaning).toMatch(/^[a-z].{10,}[^.]$/)
  expect(isErrorCode(code)).toBe(true)
})

test('a message alone is enough', () => {
  expect(new MeshError('E_USAGE', 'say which file').fields).toEqual({ message: 'say which file' })
})

test.each(['', 'E_', 'E_NOTHING', 'e_usage', 'toString', '__proto__', 'constructor', 0, null, undefined])(
  '%j is no code',
  (code) => {
    expect(isErrorCode(code)).toBe(false)
  },
)

describe('outcomes', () => {
  test.each(OUTCOME_ERRORS)('%s is the same everywhere: trying again does not help', (code) => {
    expect(ERRORS[code].retry).toBe('never')
    expect(['function', 'caller']).toContain(ERRORS[code].blame)
  })
})
