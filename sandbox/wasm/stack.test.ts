/** Recursion ends by the count of a module's own frames, before any host's stack does. */
import { describe, expect, test } from 'vitest'
import { STACK_BYTES_MAX } from './constants.ts'
import { deepQuestions } from './testing/hosts.ts'
import { answer, type CallAnswer } from './testing/probe.ts'

/** Four times as much: what frames take of a thread's stack of 1 MB, in any of V8's tiers, is no more than they count. */
const ROOM = 3

describe('recursion without end', async () => {
  const deep = await deepQuestions()

  test.each(deep)('%s: traps when its stack is used up, at the same depth each time', (_, question) => {
    const [first, second] = answer(question) as CallAnswer[]
    expect(first).toEqual(second)
    expect(first!.outcome).toBe('RuntimeError')
    expect(Number(first!.stackUsed)).toBeGreaterThan(STACK_BYTES_MAX)
    expect(Number(first!.stackUsed)).toBeLessThan(STACK_BYTES_MAX * 1.1)
  })

  test.each(deep)('%s: this host would have had room for three times as much', (_, question) => {
    const [first] = answer({ ...question, stack: `${ROOM * STACK_BYTES_MAX}` }) as CallAnswer[]
    expect(first!.outcome).toBe('RuntimeError')
  })
})
