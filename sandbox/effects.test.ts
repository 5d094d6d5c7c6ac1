import { describe, expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import type { Answer, EffectRequest, JournalEntry } from '../protocol/journal.ts'
import { REQUESTS_MAX } from '../protocol/limits.ts'
import { decodeValue, encodeValue, ensureValue } from '../protocol/values.ts'
import { begin, bytesOf, failed, limits, outcomeOf, runOf, valueIn, wasm } from './fixture.ts'
import type { Run, Stop } from './job.ts'
import { createSandbox, type RunHandle } from './sandbox.ts'

const ok = (value: unknown): Answer => ({ ok: true, value: encodeValue(ensureValue(value)) })

/** A run with its home: what it requested, and the journal so far. */
const live = (module: string, input: unknown = null, changes: Partial<Run> = {}) => {
  const journal: JournalEntry[] = [...(changes.journal ?? [])]
  const requests: EffectRequest[] = []
  const requested = (request: EffectRequest) => {
    requests.push(request)
    journal.push({ entry: 'request', ...request })
  }
  const handle = begin(module, runOf(input, changes), { requested })
  const answer = (n: number, given: Answer) => {
    journal.push({ entry: 'answer', n, answer: given })
    handle.answer(n, given)
  }
  return { handle, journal, requests, answer, asked: () => requests.map((one) => decodeValue(one.arguments)) }
}

const resultOf = (handle: RunHandle) => valueIn(outcomeOf(handle.result))

const request = (n: number, input: unknown, after = 0): JournalEntry => ({
  ...{ entry: 'request', n, after, kind: 'call' },
  arguments: encodeValue(ensureValue({ ref: 'f', input })),
})
const answer = (n: number): JournalEntry => ({ entry: 'answer', n, answer: ok(n) })

const SUM = `export default async (names, env, ctx) => {
  let sum = 0
  for (const name of names) sum += await ctx.call('#' + name, { name }, { timeoutMs: 5 })
  return sum
}`

describe('ctx.call', () => {
  test('requests, waits, and goes on with the answer', () => {
    const { handle, answer, asked, requests } = live(SUM, ['a', 'b'])
    expect(handle.result).toBeUndefined()
    expect(asked()).toEqual([{ ref: '#a', input: { name: 'a' }, options: { timeoutMs: 5 } }])
    answer(0, ok(3))
    expect(asked()).toHaveLength(2)
    answer(1, ok(4))
    expect(resultOf(handle)).toBe(7)
    expect(requests.map(({ n, after, kind }) => [n, after, kind])).toEqual([
      [0, 0, 'call'],
      [1, 1, 'call'],
    ])
    const outcome = outcomeOf(handle.result)
    expect(outcome.requests).toEqual(requests.map((one) => ({ kind: one.kind, arguments: one.arguments })))
  })

  test('carries any Value both ways', () => {
    const value = { bytes: Uint8Array.of(1, 2), big: 5n, list: [null, 'é'] }
    const { handle, answer, asked } = live('export default (x, env, ctx) => ctx.call("f", x)', value)
    expect(asked()).toEqual([{ ref: 'f', input: value }])
    answer(0, ok([value, value]))
    expect(resultOf(handle)).toEqual([value, value])
  })

  test('without an input asks with null', () => {
    expect(live('export default (x, env, { call }) => call("f")').asked()).toEqual([{ ref: 'f', input: null }])
  })

  test('rejects with the code and the message of a failed answer', () => {
    const module = `export default (x, env, ctx) => ctx.call('f').catch((e) => [e instanceof Error, e.code, e.message])`
    const { handle, answer } = live(module)
    answer(0, { ok: false, code: 'E_FUNCTION_THREW', message: 'Error: no' })
    expect(resultOf(handle)).toEqual([true, 'E_FUNCTION_THREW', 'Error: no'])
  })

  test('refuses what is no Value, as a promise, without a request', () => {
    const module = `export default (x, env, ctx) => ctx.call('f', { a: [new Map()] }).catch((e) => [e.code, e.message, e instanceof TypeError])`
    const { handle, requests } = live(module)
    expect(resultOf(handle)).toEqual([
      'E_VALUE',
      expect.stringMatching(/^call\.input\.a\[0\]: Map is not a Value/),
      true,
    ])
    expect(requests).toEqual([])
  })

  test('many at once: one answer at a time, in the order given', () => {
    const module = `export default async (x, env, ctx) => {
      const order = []
      await Promise.all([0, 1, 2].map((i) => ctx.call('f', i).then(() => { order.push(i); return ctx.call('g', i) })))
      return order
    }`
    const { handle, answer, requests } = live(module)
    for (const n of [2, 0, 1, 4, 3, 5]) answer(n, ok(n))
    expect(resultOf(handle)).toEqual([2, 0, 1])
    expect(requests.map(({ n, after }) => [n, after])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 2],
      [5, 3],
    ])
  })

  test('that nobody waits for is in the outcome all the same', () => {
    const { handle, requests } = live('export default (x, env, ctx) => { ctx.call("f"); return 1 }')
    expect(outcomeOf(handle.result).requests).toHaveLength(1)
    expect(requests).toHaveLength(1)
  })

  test('undeclared ends the run there', () => {
    const module = `export default async (x, env, ctx) => { try { await ctx.call('f') } catch {} finally { console.log('on') } return 1 }`
    const handle = begin(module, runOf(null, { effects: [] }))
    const failure = {
      code: 'E_EFFECT_UNDECLARED',
      message: expect.stringContaining('it requested "call", which its manifest does not declare: the bundler'),
    }
    expect(outcomeOf(handle.result)).toMatchObject({ result: failure, requests: [], console: [] })
  })

  test('too often, or with too much, ends the run', () => {
    const often = `export default (x, env, ctx) => { for (;;) ctx.call('f') }`
    expect(failed(often)).toMatchObject({
      code: 'E_OUTPUT_LIMIT',
      message: `it made more than ${REQUESTS_MAX} requests`,
    })
    const much = `export default (x, env, ctx) => { for (;;) ctx.call('f', new Uint8Array(1e6)) }`
    expect(failed(much)).toMatchObject({ code: 'E_OUTPUT_LIMIT' })
  })
})

describe('answers that nobody waits for', () => {
  test('a second answer, one to no request, one after the end', () => {
    const { handle, answer } = live(SUM, ['a', 'b'])
    answer(1, ok(100))
    answer(7, ok(100))
    answer(0, ok(1))
    answer(0, ok(100))
    answer(1, ok(2))
    answer(1, ok(100))
    expect(resultOf(handle)).toBe(3)
  })

  test('an answer of an abandoned run never reaches the next run in its instance', () => {
    const sandbox = createSandbox({ wasm, compare: true })
    const module = 'export default async (x, env, ctx) => [x, await ctx.call("f", x)]'
    const late = begin(module, runOf('first'), {}, sandbox)
    late.abandon()
    expect(late.result).toMatchObject({ kind: 'inconclusive' })
    const next = begin(module, runOf('second'), {}, sandbox)
    late.answer(0, ok('for the first'))
    expect(next.result).toBeUndefined()
    next.answer(0, ok('for the second'))
    expect(resultOf(next)).toEqual(['second', 'for the second'])
  })

  test('runs that wait side by side keep their own', () => {
    const sandbox = createSandbox({ wasm, compare: true })
    const runs = ['a', 'b', 'c', 'd'].map((name) => begin(SUM, runOf([name, name]), {}, sandbox))
    for (const n of [0, 1]) for (const [i, run] of runs.entries()) run.answer(n, ok(i))
    expect(runs.map(resultOf)).toEqual([0, 2, 4, 6])
  })
})

describe('a journal', () => {
  const RACE = `export default async (x, env, ctx) => {
    const first = await Promise.race([ctx.call('a'), ctx.call('b')])
    return [first, await ctx.call('c', first), Math.random()]
  }`
  const finished = () => {
    const first = live(RACE)
    first.answer(1, ok('b'))
    first.answer(2, ok('c'))
    return first
  }

  test('is replayed: the same outcome to the byte, and no request is made again', () => {
    const { handle, journal } = finished()
    const replayed = live(RACE, null, { journal })
    expect(replayed.handle.result).toEqual(handle.result)
    expect(replayed.requests).toEqual([])
  })

  test('is replayed as far as it goes, then the run is live', () => {
    const { handle, journal } = finished()
    for (let length = 0; length < journal.length; length++) {
      const begun = live(RACE, null, { journal: journal.slice(0, length) })
      for (const entry of journal.slice(length)) if (entry.entry === 'answer') begun.answer(entry.n, entry.answer)
      expect(begun.handle.result).toEqual(handle.result)
      expect(begun.journal).toEqual(journal)
    }
  })

  test('may have been recorded while requests and answers crossed', () => {
    const { handle, journal } = finished()
    const late = [
      ...journal.filter(({ entry }) => entry === 'answer'),
      ...journal.filter(({ entry }) => entry === 'request'),
    ]
    expect(live(RACE, null, { journal: late }).handle.result).toEqual(handle.result)
  })

  test('may hold answers that the function did not wait for', () => {
    const { handle, journal } = finished()
    const more: JournalEntry[] = [...journal, { entry: 'answer', n: 0, answer: ok('a') }]
    expect(live(RACE, null, { journal: more }).handle.result).toEqual(handle.result)
  })

  test('may end with an answer that came before what was requested beside it: that is requested now', () => {
    const { handle } = finished()
    const module = RACE.replace("ctx.call('a'), ctx.call('b')", "ctx.call('b'), ctx.call('a')")
    const first = live(module).journal.slice(0, 1)
    const again = live(module, null, { journal: [...first, { entry: 'answer', n: 0, answer: ok('b') }] })
    expect(again.requests.map(({ n, after }) => [n, after])).toEqual([
      [1, 0],
      [2, 1],
    ])
    again.answer(2, ok('c'))
    expect(resultOf(again.handle)).toEqual(resultOf(handle))
  })

  const ONE = 'export default (x, env, ctx) => ctx.call("f", 1)'
  const shown = (n: number, input: unknown, after = 0) =>
    `request ${n} after ${after} answer${after === 1 ? '' : 's'}: call {"ref":"f","input":${input}}`

  test.each<[string, string, JournalEntry[], { n: number; expected: string; found: string }]>([
    ['another argument', ONE, [request(0, 2)], { n: 0, expected: shown(0, 2), found: shown(0, 1) }],
    ['another place', ONE, [request(0, 1, 5)], { n: 0, expected: shown(0, 1, 5), found: shown(0, 1) }],
    [
      'a request that the function does not make',
      ONE,
      [request(0, 1), request(1, 1)],
      { n: 1, expected: shown(1, 1), found: 'no further request' },
    ],
    [
      'a request that the function does not make any more',
      ONE,
      [request(0, 1), answer(0), request(1, 1, 1)],
      { n: 1, expected: shown(1, 1, 1), found: 'the end of the run' },
    ],
    [
      'no request at all',
      'export default () => 1',
      [request(0, 1)],
      { n: 0, expected: shown(0, 1), found: 'the end of the run' },
    ],
    [
      'a failure instead of a request',
      'export default () => { throw 1 }',
      [request(0, 1)],
      { n: 0, expected: shown(0, 1), found: 'the end of the run' },
    ],
    [
      'an answer to nothing',
      ONE,
      [answer(5)],
      { n: 0, expected: 'to wait for the answer to request 5', found: shown(0, 1) },
    ],
    [
      'an answer to what it is still to request',
      ONE,
      [answer(0)],
      { n: 0, expected: 'to wait for the answer to request 0', found: shown(0, 1) },
    ],
    [
      'a request before an answer that came first',
      `${ONE}.then(ctx.call("f", 2))`,
      [request(0, 1), answer(0), request(1, 2, 1)],
      { n: 1, expected: 'to wait for the answer to request 0', found: shown(1, 2) },
    ],
    [
      'a second answer',
      'export default async (x, env, ctx) => { await ctx.call("f", 1); await new Promise(() => {}) }',
      [request(0, 1), answer(0), answer(0)],
      { n: 0, expected: 'request 0', found: 'no such request' },
    ],
  ])('that holds %s diverges', (_, module, journal, divergence) => {
    expect(begin(module, runOf(null, { journal })).result).toEqual({ kind: 'diverged', ...divergence })
  })
})

describe('a run that is to end before a request', () => {
  const module =
    'export default async (x, env, ctx) => { console.log("a"); await ctx.call("f", 1); console.log("b"); ctx.call("f", 2); console.log("c") }'
  const stopAt = (until: number, journal: JournalEntry[]) => {
    const stops: Stop[] = []
    const { result } = begin(module, runOf(null, { journal, until }), { stopped: (stop) => stops.push(stop) })
    return { result, stops }
  }

  test('ends there, with what it had printed, whatever its journal says of that', () => {
    const before = [request(0, 1), answer(0)]
    for (const journal of [before, [...before, request(1, 9, 1)]]) {
      const { result, stops } = stopAt(1, journal)
      expect(result).toEqual({ kind: 'inconclusive', reason: 'it was to end before request 1' })
      const { entry: _, ...asked } = request(1, 2, 1)
      expect(stops.map((stop) => stop.request)).toEqual([asked])
      expect(stops[0]?.console.map(({ text }) => text)).toEqual(['a', 'b'])
      expect(stops[0]?.fuel).toBeGreaterThan(0)
    }
    expect(stopAt(0, []).stops[0]?.console.map(({ text }) => text)).toEqual(['a'])
  })

  test('diverges if it does before', () => {
    const { result, stops } = stopAt(1, [request(0, 7), answer(0)])
    expect(result).toMatchObject({ kind: 'diverged', n: 0 })
    expect(stops).toEqual([])
  })

  test('comes to its outcome if it makes no such request', () => {
    const { result, stops } = stopAt(2, [request(0, 1), answer(0), request(1, 2, 1)])
    expect(result?.kind).toBe('outcome')
    expect(stops).toEqual([])
  })
})

test('a function that has not been loaded is misuse', () => {
  const sandbox = createSandbox({ wasm })
  expect(sandbox.has('f', 0)).toBe(false)
  expect(() => sandbox.run('f', runOf())).toThrow(MeshError)
  sandbox.load('f', bytesOf('export default 1'), 0)
  expect(sandbox.has('f', 0)).toBe(true)
  expect(sandbox.has('f', limits.memory_bytes)).toBe(false)
})
