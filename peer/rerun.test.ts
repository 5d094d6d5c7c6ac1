import { expect, test } from 'vitest'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { encodeValue } from '../protocol/values.ts'
import type { SandboxResult, SandboxRun } from '../sandbox/pool.ts'
import { type Recorded, runAgain } from './rerun.ts'
import type { Runner, RunRequest } from './runner.ts'

const request = (n: number): EffectRequest => ({ n, after: n, kind: 'now', arguments: encodeValue({}) })
const journal: JournalEntry[] = [
  { entry: 'request', ...request(0) },
  { entry: 'answer', n: 0, answer: { ok: true, value: encodeValue(1) } },
  { entry: 'request', ...request(1) },
]

/** A sandbox of a release that cannot end before a request: it makes it, once its journal is over. */
const olderRunner = (asked: RunRequest[]): Runner => ({
  known: () => undefined,
  load: () => Promise.reject(new Error('not asked for')),
  run: (job) => {
    asked.push(job)
    const { promise, resolve } = Promise.withResolvers<SandboxResult>()
    const kill = (reason: string) => resolve({ kind: 'inconclusive', reason })
    queueMicrotask(() => job.onRequest?.(request(job.journal.filter(({ entry }) => entry === 'request').length)))
    return { result: promise, kill } as SandboxRun
  },
})

const rerun = (changes: Partial<Recorded>) => {
  const asked: RunRequest[] = []
  const recorded = { journal, timeoutMs: 1000, ...changes } as Recorded
  return { asked, ended: runAgain(olderRunner(asked), recorded) }
}

test('on an engine that cannot end before a request it ends with it, and what was printed is not known', async () => {
  const { asked, ended } = rerun({ until: 1 })
  expect(await ended).toEqual({ kind: 'stopped', request: request(1) })
  expect(asked[0]?.journal).toEqual(journal.slice(0, 2))
})

test('a request that the journal has not got is no end that was asked for', async () => {
  expect(await rerun({ until: 3 }).ended).toEqual({ kind: 'asks', request: request(2) })
  expect(await rerun({}).ended).toEqual({ kind: 'asks', request: request(2) })
})
