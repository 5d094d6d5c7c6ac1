/**
 * Effects a second of a run that is given its journal: 10,000 reads, one behind the other, each compared and answered, in
 * pristine memory, with outcome and encoding. Beside host calls of the same engine without a journal (quickjs-emscripten, one
 * context that is never made new): as many, each given text, and answered with text by a promise, one behind the other.
 */
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getQuickJS } from 'quickjs-emscripten'
import type { Answer, JournalEntry } from '../protocol/journal.ts'
import { REQUESTS_MAX } from '../protocol/limits.ts'
import { encodeValue } from '../protocol/values.ts'
import { ensurePlausible, interleave, median, rounded, row } from './measure.ts'
import { answerOf, beginner, runOf } from './sandbox-runs.ts'
import { openSyncs } from './syncs.ts'

const ROUNDS = 9
const REQUESTS = REQUESTS_MAX
const HOST_CALLS_PER_S_MIN = 10_000
const LOOP = `let sum = 0
  for (let i = 0; i < ${REQUESTS}; i++) sum += (await get('account/' + i)).balance
  return sum`
const CODE = `export default async (x, { DB }) => {
  const get = (key) => DB.get(key)
  ${LOOP}
}`
const BALANCE = { balance: 7, name: 'Ada' }
const SUM = REQUESTS * BALANCE.balance

const DECLARED = { effects: ['get' as const], env: [{ name: 'DB', kind: 'state' as const }] }

const replaying = (): (() => void) => {
  const begin = beginner(CODE, DECLARED)
  const run = { ...runOf(null), effects: DECLARED.effects }
  const journal: JournalEntry[] = []
  const answer: Answer = { ok: true, value: encodeValue(BALANCE) }
  const first = begin(run, { requested: (request) => journal.push({ entry: 'request', ...request }) })
  for (let n = 0; !first.result; n++) {
    journal.push({ entry: 'answer', n, answer })
    first.answer(n, answer)
  }
  if (answerOf(first) !== SUM || journal.length !== 2 * REQUESTS) throw new Error('what was recorded is wrong')
  return () => {
    if (answerOf(begin({ ...run, journal })) !== SUM) throw new Error('a wrong answer')
  }
}

const calling = async (): Promise<() => void> => {
  const quickjs = await getQuickJS()
  const context = quickjs.newContext()
  const text = JSON.stringify(BALANCE)
  const host = context.newFunction('host', (key) => {
    if (!context.getString(key).startsWith('account/')) throw new Error('a wrong key')
    const deferred = context.newPromise()
    const value = context.newString(text)
    deferred.resolve(value)
    value.dispose()
    return deferred.handle
  })
  context.setProp(context.global, 'host', host)
  const source = `(() => { const get = async (key) => JSON.parse(await host(key)); return async (done) => { done(await (async () => { ${LOOP} })()) } })()`
  const target = context.unwrapResult(context.evalCode(source))
  let found = 0
  const done = context.newFunction('done', (sum) => {
    found = context.getNumber(sum)
  })
  return () => {
    found = 0
    context.unwrapResult(context.callFunction(target, context.undefined, done)).dispose()
    context.runtime.executePendingJobs()
    if (found !== SUM) throw new Error('a wrong answer')
  }
}

const perSecond = (run: () => void): number => {
  const fromMs = performance.now()
  run()
  return (1000 * REQUESTS) / (performance.now() - fromMs)
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const [ours, plain] = [replaying(), await calling()]
  const syncs = openSyncs(join(tmpdir(), `wayside-replay-${randomUUID()}`))
  const results = await interleave(
    [
      { name: 'replay', run: async () => perSecond(ours) },
      { name: 'host calls', run: async () => perSecond(plain) },
      { name: 'fsync', run: async () => syncs.median() },
    ],
    ROUNDS,
    2,
  )
  syncs.close()
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  for (const name of ['replay', 'host calls'])
    print(`${row(name, 'effects/s', results.get(name) ?? [])}  fsync_p50_ms ${of('fsync')}`)
  const [effects_per_s, host_calls_per_s] = [of('replay'), of('host calls')]
  ensurePlausible('the plain context', host_calls_per_s, HOST_CALLS_PER_S_MIN, 'calls/s')
  print(`beside host calls: ${rounded(effects_per_s / host_calls_per_s)}, aim 0.6; effects_per_s, aim 15,000`)
  return { effects_per_s, host_calls_per_s, fsync_p50_ms: of('fsync') }
}
