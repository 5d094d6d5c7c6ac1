import { describe, expect, test } from 'vitest'
import type { EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import { begin, failed, outcomeOf, perform, returned, runOf, valueIn } from './fixture.ts'
import type { Run } from './job.ts'
import { expectSame } from './same-as-node.ts'

/** A run whose home answers each sleep when it is the next to end. */
const slept = (module: string, changes: Partial<Run> = {}) => {
  const journal: JournalEntry[] = [...(changes.journal ?? [])]
  const waiting: (EffectRequest & { at: number })[] = []
  let now = 0
  const ms: number[] = []
  const requested = (request: EffectRequest) => {
    journal.push({ entry: 'request', ...request })
    const asked = decodeValue(request.arguments) as { ms: number }
    ms.push(asked.ms)
    waiting.push({ ...request, at: now + asked.ms })
  }
  const handle = begin(module, runOf(null, { effects: ['sleep'], ...changes }), { requested })
  while (!handle.result && waiting.length > 0) {
    waiting.sort((a, b) => a.at - b.at || a.n - b.n)
    const { n, at } = waiting.shift() as (typeof waiting)[number]
    now = at
    const answer = { ok: true as const, value: encodeValue(null) }
    journal.push({ entry: 'answer', n, answer })
    handle.answer(n, answer)
  }
  return { result: handle.result, value: () => valueIn(outcomeOf(handle.result)), ms, journal }
}

describe('a timer without a delay', () => {
  test('is no effect, and comes when all jobs are done, in order', () => {
    const module = `export default () => new Promise((done) => { const seen = []
      setTimeout(() => { seen.push('a'); Promise.resolve().then(() => seen.push('job of a')) }); setTimeout(seen.push.bind(seen), 0, 'b'); const c = setTimeout(() => seen.push('c'), -1)
      queueMicrotask(() => seen.push('microtask')); clearTimeout(c); setTimeout(() => { seen.push('d'); setTimeout(() => done(seen), 0.9) }, 'none'); seen.push('now') })`
    expect(returned(module)).toEqual(['now', 'microtask', 'a', 'job of a', 'b', 'd'])
  })

  test('goes on and on, as far as there is fuel', () => {
    expect(failed('export default () => new Promise(() => { const f = () => setTimeout(f); f() })')).toMatchObject({
      code: 'E_FUEL_LIMIT',
    })
  })

  test('comes before an answer that is there', () => {
    const module = `export default () => new Promise((done) => { const seen = []; setTimeout(() => { seen.push('slept'); done(seen) }, 1); const f = (n) => { seen.push(n); if (n < 9) setTimeout(f, 0, n + 1) }; f(0) })`
    expect(slept(module).value()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'slept'])
  })

  test('may be set while the module is evaluated', () => {
    expect(
      returned(
        'let x = 0; setTimeout(() => x++); await new Promise((done) => setTimeout(done)); export default () => x',
      ),
    ).toBe(1)
  })

  test('whose callback throws is printed, and the run goes on', () => {
    const outcome = perform(
      `export default () => new Promise((done) => { setTimeout(() => { throw new RangeError('mine') }); setTimeout(done, 0, 1) })`,
    )
    expect(outcome.console).toMatchObject([
      { level: 'error', text: expect.stringContaining('Uncaught RangeError: mine') },
    ])
    expect(valueIn(outcome)).toBe(1)
  })
})

describe('a timer with a delay', () => {
  const ORDER = `export default async () => { const seen = []; const wait = (ms) => new Promise((done) => setTimeout(done, ms, ms))
    await Promise.all([30, 10, 20].map(async (ms) => seen.push(await wait(ms)))); await wait(5.9); return [seen, Date.now() === performance.timeOrigin] }`

  test('is an effect: the home decides when it comes', () => {
    const run = slept(ORDER)
    expect(run.value()).toEqual([[10, 20, 30], true])
    expect(run.ms).toEqual([30, 10, 20, 5])
  })

  test('is replayed from its journal to the byte, and goes on from any part of it', () => {
    const first = slept(ORDER)
    expect(slept(ORDER, { journal: first.journal }).result).toEqual(first.result)
    const firstAnswer = first.journal.findIndex(({ entry }) => entry === 'answer')
    const half = first.journal.slice(0, firstAnswer + 1)
    const handle = begin(ORDER, runOf(null, { effects: ['sleep'], journal: half }))
    for (const entry of first.journal.slice(half.length))
      if (entry.entry === 'answer') handle.answer(entry.n, entry.answer)
    expect(handle.result).toEqual(first.result)
  })

  test('that is cleared is not waited for', () => {
    const module = `export default async () => { const t = setTimeout(() => { throw 1 }, 1000); clearTimeout(t); clearTimeout('x'); return await new Promise((done) => setTimeout(done, 1, 'ended')) }`
    const run = slept(module)
    expect([run.value(), run.ms]).toEqual(['ended', [1000, 1]])
  })

  test('repeats until it is cleared, and takes time each round', () => {
    const module = `export default () => new Promise((done) => { let n = 0; const t = setInterval((by) => { n += by; if (n === 6) { clearInterval(t); done(n) } }, 0, 2) })`
    const run = slept(module)
    expect([run.value(), run.ms]).toEqual([6, [1, 1, 1]])
  })

  test('of AbortSignal.timeout', () => {
    const module = `export default () => new Promise((done) => { const s = AbortSignal.timeout(20); s.onabort = () => done([s.reason.name, s.reason instanceof DOMException]) })`
    expect(slept(module).value()).toEqual(['TimeoutError', true])
    expect(failed('export default () => AbortSignal.timeout(-1)', null).message).toContain('TypeError')
  })

  test('in a function that does not declare it ends the run, and says why', () => {
    const { code, message } = failed('export default () => new Promise((done) => setTimeout(done, 5))')
    expect(code).toBe('E_EFFECT_UNDECLARED')
    expect(message).toContain('it requested "sleep"')
    expect(message).toContain('setTimeout')
  })

  test('at the top level does not load', () => {
    expect(failed('setTimeout(() => {}, 5); export default () => 1')).toMatchObject({
      code: 'E_FUNCTION_LOAD',
      message: expect.stringContaining('at the top level'),
    })
  })

  test('keeps its word though the function has broken the built-ins', () => {
    const module = `export default () => new Promise((done) => { setTimeout(() => {}, 7); setTimeout(done, 9, 'done'); Map.prototype.get = () => { throw new Error('broken') } })`
    const { result } = slept(module)
    expect(outcomeOf(result).result).toMatchObject({ code: 'E_FUNCTION_PENDING' })
  })
})

test('wrong callbacks are refused as Node refuses them, but for the message', async () => {
  for (const name of ['setTimeout', 'setInterval', 'queueMicrotask']) await expectSame(`return ${name}(1)`)
})

test('reportError prints', () => {
  const { console } = perform(`export default () => { reportError(new Error('x')); reportError('y'); return 1 }`)
  expect(console.map(({ level, text }) => [level, text.split('\n')[0]])).toEqual([
    ['error', 'Uncaught Error: x'],
    ['error', 'Uncaught it threw "y"'],
  ])
})
