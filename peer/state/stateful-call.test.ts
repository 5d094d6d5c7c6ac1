import { beforeEach, describe, expect, test } from 'vitest'
import { createCrypto } from '../../node/crypto.ts'
import type { EffectKind } from '../../protocol/effects.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Network } from '../../protocol/ports.ts'
import type { Manifest } from '../../protocol/records.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { FakeClock } from '../../simulations/clock.ts'
import type { CallRequest, CallResult } from '../calls.ts'
import { Sends } from '../sends/sends.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import type { StateEngine, Transaction } from './engine.ts'
import { Foresight } from './foresight.ts'
import { Gates } from './gate.ts'
import { isStateful, type Perform, StatefulCall } from './stateful-call.ts'
import { openStorageEngine } from './storage-engine.ts'

const clock = new FakeClock()
const manifest = { effects: ['get', 'put'], env: [{ name: 'DB', kind: 'state' }] } as unknown as Manifest
const request = (timeoutMs = 60_000) =>
  ({ input: encodeValue(null), grants: { DB: { state: 'shop' } }, timeoutMs }) as unknown as CallRequest

let engine: StateEngine
let gates: Gates
let conflicts = 0
let invocations = 0

beforeEach(async () => {
  const damaged = (what: string) => {
    throw new Error(what)
  }
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 20 })
  const window = { revisions: 64, bytes: 2 ** 20 }
  engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged, window })
  gates = new Gates()
  conflicts = 0
})

const crypto = createCrypto()
/** Nothing large is read. */
const store = { put: async () => {}, pin: () => () => {}, get: async () => undefined }
const exchange = { fetch: () => Promise.reject(new Error('nothing large is put')) }
const log = {
  event: (name: string) => {
    if (name === 'call.conflict') conflicts++
  },
}

type Requested = [EffectKind, Value]

/** As an execution comes out that requested these effects. */
const cameTo = (
  requested: Requested[],
  result: Outcome['result'] = { ok: true, value: encodeValue(null) },
): CallResult => {
  const requests = requested.map(([kind, fields]) => ({ kind, arguments: encodeValue(fields) }))
  const invocation = `invocation-${invocations++}`
  const performed = [{ item: { invocation, task: 'task' } }]
  return {
    outcome: { result, requests },
    performed,
    executions: 2,
    recovered: 1,
    disputes: [],
  } as unknown as CallResult
}

const put = (key: string, value: Value): Requested => ['put', { binding: 'DB', key, value }]
const run = (perform: Perform, { timeoutMs = 60_000, on = engine } = {}) => {
  const network = { peerId: 'home' } as Network
  const sends = new Sends({ clock, log, network }, on)
  const state = { engine: on, gates, sends, store, exchange, foresight: new Foresight() }
  const deadlineMs = clock.monotonic() + timeoutMs
  return new StatefulCall({ clock, crypto, log }, { state, perform }, request(timeoutMs), manifest, deadlineMs).run()
}
const kept = async (key: string): Promise<Value> => {
  const [entry] = await engine.read('shop', [key], await engine.revision())
  return entry?.value ? decodeValue(entry.value) : null
}
const until = async <T>(promise: Promise<T>): Promise<T> => {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  while (!settled) await clock.advance(10)
  return promise
}

const readsOf = async ({ steps }: CallRequest) => (await steps!.current()).reads

/** A run that takes `ms` and adds one to `key`. */
const increment =
  (key: string, ms = 5): Perform =>
  async (request) => {
    const found = await (await readsOf(request)).get('shop', key)
    await new Promise<void>((resolve) => clock.after(ms, resolve))
    const next = (found ? (decodeValue(found) as number) : 0) + 1
    return cameTo([['get', { binding: 'DB', key }], put(key, next)])
  }

test('a function is stateful that reads state, or does something once it was verified', () => {
  const of = (...effects: EffectKind[]) => isStateful({ effects })
  expect([of(), of('call', 'sleep', 'now', 'random', 'fetch')]).toEqual([false, false])
  expect([of('get'), of('list'), of('put'), of('call', 'delete'), of('send')]).toEqual([true, true, true, true, true])
})

describe('calls that write what others read', () => {
  test('each counts once, however many come at a time, and none runs more than four times', async () => {
    const runs: number[] = []
    const calls = Array.from({ length: 40 }, (_, i) => {
      runs[i] = 0
      return run((one) => {
        runs[i] = (runs[i] as number) + 1
        return increment('n', 1 + (i % 7))(one)
      })
    })
    const results = await until(Promise.all(calls))
    expect(await kept('n')).toBe(40)
    expect(conflicts).toBeGreaterThan(40)
    expect(Math.max(...runs)).toBe(4)
    // Each of its runs was two executions, one of which made up for another.
    expect(results.map(({ executions }) => executions)).toEqual(runs.map((count) => 2 * count))
    expect(results.map(({ recovered }) => recovered)).toEqual(runs)
    expect(gates.size).toBe(0)
  })

  test('of other keys do not conflict', async () => {
    await until(Promise.all(Array.from({ length: 40 }, (_, i) => run(increment(`key/${i}`)))))
    expect(conflicts).toBe(0)
  })

  test('a list conflicts with what comes into it, and not with what comes behind what it has seen', async () => {
    const add = (key: string) => until(run(async () => cameTo([put(key, 1)])))
    await add('a/1')
    await add('a/3')
    const listing = async (meanwhile: string, limit: number) => {
      conflicts = 0
      let isFirst = true
      await until(
        run(async (request) => {
          const { entries } = await (await readsOf(request)).list({ namespace: 'shop', prefix: 'a/', limit })
          if (isFirst) await add(meanwhile)
          isFirst = false
          return cameTo([put('count', entries.length)])
        }),
      )
      return [conflicts, await kept('count')]
    }
    expect(await listing('a/2', 10)).toEqual([1, 3])
    expect(await listing('a/9', 2)).toEqual([0, 2])
    expect(await listing('b', 10)).toEqual([0, 4])
  })
})

describe('a call that changes nothing', () => {
  test('since it only reads: it takes no revision and never conflicts', async () => {
    await until(run(increment('n')))
    const before = await engine.revision()
    const reading: Perform = async (request) => {
      const reads = await readsOf(request)
      const value = await reads.get('shop', 'n')
      await until(run(increment('n')))
      expect(await reads.get('shop', 'n')).toEqual(value)
      return cameTo([['get', { binding: 'DB', key: 'n' }]])
    }
    await run(reading)
    expect([conflicts, await engine.revision()]).toEqual([0, before + 1])
  })

  test('since its function failed', async () => {
    const failure = { ok: false, code: 'E_FUNCTION_THREW', message: 'no', stack: '' } as const
    const result = await run(async () => cameTo([put('n', 1)], failure))
    expect(result.outcome.result).toEqual(failure)
    expect(await kept('n')).toBe(null)
  })

  test('since one of its writes is not granted: the others are not made either', async () => {
    const other: Requested = ['put', { binding: 'OTHER', key: 'n', value: 1 }]
    await expect(run(async () => cameTo([put('n', 1), other]))).rejects.toMatchObject({ code: 'E_GRANT' })
    expect(await kept('n')).toBe(null)
    expect(gates.size).toBe(0)
  })
})

test('what it reads is no longer kept: it runs again', async () => {
  let runs = 0
  const perform: Perform = async (one) => {
    const reads = await readsOf(one)
    await reads.get('shop', 'other')
    if (runs++ === 0) for (let i = 0; i < 70; i++) await until(run(async () => cameTo([put('other', i)])))
    try {
      return await increment('n')(one)
    } catch (cause) {
      // As the function is told so, and may have caught it.
      expect(cause).toMatchObject({ code: 'E_REVISION' })
      return cameTo([put('n', -1)])
    }
  }
  await until(run(perform))
  expect([runs, await kept('n')]).toEqual([2, 1])
})

test('one that waits for its turn longer than it may gives up, and holds up nobody', async () => {
  const leave = await gates.enter(['shop'], true, new Promise<never>(() => {}))
  const late = run(increment('n'), { timeoutMs: 500 })
  await expect(until(late)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
  leave()
  expect(gates.size).toBe(0)
  expect(await kept('n')).toBe(null)
})

describe('the engine fails', () => {
  /** Does what `fail` says before (true) or after (false) each commit. */
  const failing = (fails: ('before' | 'after' | 'not')[]): StateEngine & { ids: string[] } => {
    const ids: string[] = []
    const commit = async (transaction: Transaction) => {
      ids.push(transaction.id)
      const now = fails.shift() ?? 'not'
      const failure = new MeshError('E_STORAGE', 'the disk is full')
      if (now === 'before') throw failure
      const committed = await engine.commit(transaction)
      if (now === 'after') throw failure
      return committed
    }
    return { ...bound(engine), commit, ids }
  }
  const bound = (one: StateEngine): StateEngine => ({
    revision: () => one.revision(),
    read: (...args) => one.read(...args),
    list: (...args) => one.list(...args),
    commit: (...args) => one.commit(...args),
    watch: (...args) => one.watch(...args),
    ensureRoom: (...args) => one.ensureRoom(...args),
    close: () => one.close(),
  })

  test('and it is not known whether a commit was made: it is asked for by its id, and counts once', async () => {
    for (const fails of [['before'], ['after'], ['after', 'before', 'after']] as const) {
      const before = (await kept('n')) as number
      const on = failing([...fails])
      await until(run(increment('n'), { on }))
      expect(await kept('n')).toBe(before + 1)
      expect(new Set(on.ids).size).toBe(1)
      expect(on.ids).toHaveLength(fails.length + 1)
    }
  })

  test('and goes on failing: the caller is told that the outcome is not known', async () => {
    const on = failing(Array.from({ length: 1000 }, () => 'before' as const))
    const startMs = clock.monotonic()
    const call = run(increment('n'), { on })
    await expect(until(call)).rejects.toMatchObject({
      code: 'E_EFFECT_OUTCOME_UNKNOWN',
      message: expect.stringContaining('the disk is full'),
    })
    expect(clock.monotonic() - startMs).toBeLessThanOrEqual(10_050)
    expect(gates.size).toBe(0)
  })
})
