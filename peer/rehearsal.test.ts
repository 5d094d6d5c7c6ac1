import { expect, test } from 'vitest'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { encodeValue } from '../protocol/values.ts'
import type { SandboxRun } from '../sandbox/pool.ts'
import { Rehearsal } from './rehearsal.ts'

const request = (n: number, kind: EffectRequest['kind'], after = 0): EffectRequest => ({
  ...{ n, after, kind },
  arguments: encodeValue({ n }),
})
const answer = (n: number): JournalEntry => ({ entry: 'answer', n, answer: { ok: true, value: encodeValue(null) } })

/** A function that has requested `made`, and then waits for whatever it is answered. */
const rehearsalOf = (made: readonly EffectRequest[]): { rehearsal: Rehearsal; answered: number[] } => {
  const answered: number[] = []
  const run: SandboxRun = {
    result: new Promise(() => {}),
    state: () => 'waiting',
    fuel: () => 0,
    ranMs: () => 0,
    alive: () => true,
    answer: (n) => void answered.push(n),
    kill: () => {},
  }
  const parts = {
    start: (_: readonly JournalEntry[], events: { onRequest?(one: EffectRequest): void; onWait?(): void }) => {
      for (const one of made) events.onRequest?.(one)
      events.onWait?.()
      return run
    },
    ended: () => new Promise<never>(() => {}),
  }
  return { rehearsal: new Rehearsal(parts, [], 0), answered }
}

test('a journal that leaves out what nobody answers is told from the function’s own, and nothing is waited for', async () => {
  const { rehearsal, answered } = rehearsalOf([request(0, 'put'), request(1, 'sleep')])
  const journal: JournalEntry[] = [{ entry: 'request', ...request(0, 'sleep') }, answer(0)]
  expect(await rehearsal.outcomeOf(journal)).toBeUndefined()
  expect(answered).toEqual([])
  const barrier = request(1, 'fetch', 1)
  expect(await rehearsal.requestsOf([...journal, { entry: 'request', ...barrier }], barrier)).toBe(0)
})
