import { describe, expect, test } from 'vitest'
import type { Value } from '../protocol/values.ts'
import type { MapOptions } from './call-options.ts'
import { type Answer, FakeBackend, FakeHost, okOutcome, outcomeOf } from './fake-backend.ts'
import { fn } from './fn.ts'
import { BackedMesh } from './mesh.ts'

const WINDOW = 4
const echo = fn<(input: unknown) => Value>('./echo.ts')

const open = (answer?: Answer) => {
  const backend = new FakeBackend(answer, WINDOW)
  return { backend, mesh: new BackedMesh(new FakeHost(), backend) }
}

type Inputs = Iterable<unknown> | AsyncIterable<unknown>
const mapped = (inputs: Inputs, options?: MapOptions, answer?: Answer) => open(answer).mesh.map(echo, inputs, options)

const list = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const ok = (index: number, value: unknown) => ({ ok: true, index, value })
const failed = (index: number, code: string) => ({ ok: false, index, error: expect.objectContaining({ code }) })

describe('map', () => {
  test.each<[string, () => Inputs]>([
    ['an array', () => [10, 11, 12]],
    ['a Set', () => new Set([10, 11, 12])],
    [
      'an async generator',
      async function* () {
        yield* [10, 11, 12]
      },
    ],
  ])('takes %s', async (_, inputs) => {
    expect(await list(mapped(inputs()))).toEqual([ok(0, 10), ok(1, 11), ok(2, 12)])
  })

  test('of nothing is nothing', async () => {
    expect(await list(mapped([]))).toEqual([])
  })

  test('a function that throws fails its item alone', async () => {
    const odd: Answer = (n) =>
      Number(n) % 2 === 0 ? okOutcome(n) : outcomeOf({ ok: false, code: 'E_FUNCTION_THREW', message: 'odd', stack: '' })
    expect(await list(mapped([0, 1, 2], {}, odd))).toEqual([ok(0, 0), failed(1, 'E_FUNCTION_THREW'), ok(2, 2)])
  })

  test('what the backend cannot do fails its item alone', async () => {
    const broken: Answer = (n) =>
      n === 1 ? Promise.reject(Object.assign(new Error('x'), { code: 'E_NO_PEER' })) : okOutcome(n)
    expect(await list(mapped([0, 1, 2], {}, broken))).toEqual([ok(0, 0), failed(1, 'E_NO_PEER'), ok(2, 2)])
  })
})

describe('inputs that are no Values', () => {
  const bad = new Date()

  test('are failed items in their places', async () => {
    const items = await list(mapped([bad, 1, bad, bad, 4, bad]))
    expect(items).toEqual([
      failed(0, 'E_VALUE'),
      ok(1, 1),
      failed(2, 'E_VALUE'),
      failed(3, 'E_VALUE'),
      ok(4, 4),
      failed(5, 'E_VALUE'),
    ])
    expect(items[0]).toMatchObject({ error: { message: expect.stringMatching(/^input: Date/) } })
  })

  test('without end do not pile up', async () => {
    let made = 0
    function* endless() {
      for (;;) {
        made++
        yield bad
      }
    }
    let read = 0
    for await (const item of mapped(endless())) {
      expect(item).toEqual(failed(read, 'E_VALUE'))
      if (++read === 5000) break
    }
    expect(made).toBeLessThan(5000 + 1100)
  })

  test('come at once when unordered, each index once', async () => {
    const items = await list(mapped([1, bad, 2, bad, 3], { unordered: true }))
    expect(items.toSorted((a, b) => a.index - b.index)).toEqual([
      ok(0, 1),
      failed(1, 'E_VALUE'),
      ok(2, 2),
      failed(3, 'E_VALUE'),
      ok(4, 3),
    ])
  })
})

describe('back-pressure', () => {
  test('nothing starts before the first item is asked for', async () => {
    const { mesh, backend } = open()
    mesh.map(echo, [1])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(backend.maps).toEqual([])
  })

  test('inputs are pulled as results are read', async () => {
    const { mesh, backend } = open()
    const inputs = function* () {
      for (let i = 0; ; i++) yield i
    }
    const items = mesh.map(echo, inputs())
    for (let read = 1; read <= 20; read++) {
      await items.next()
      await new Promise((resolve) => setTimeout(resolve, 1))
      expect(backend.pulled).toBeLessThanOrEqual(read + WINDOW)
    }
    await items.return?.()
  })
})

describe('ending', () => {
  /** Inputs that note their end. */
  const watched = () => {
    const state = { ended: false }
    const inputs = function* () {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        state.ended = true
      }
    }
    return { state, inputs: inputs() }
  }

  test('leaving the loop ends the inputs and what is under way', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const answer: Answer = (n, signal) => {
      signals.push(signal)
      return n === 0 ? okOutcome(n) : new Promise(() => {})
    }
    const { state, inputs } = watched()
    for await (const item of mapped(inputs, {}, answer)) {
      expect(item).toEqual(ok(0, 0))
      break
    }
    await expect.poll(() => state.ended).toBe(true)
    expect(signals.length).toBeGreaterThan(1)
    expect(signals.every((signal) => signal?.aborted)).toBe(true)
  })

  test('leaving the loop does not wait for inputs that are silent', async () => {
    const inputs = async function* () {
      yield* [0, 1, 2, 3]
      await new Promise(() => {})
    }
    for await (const _ of mapped(inputs())) break
  })

  test('a signal ends it at once, though the inputs are silent', async () => {
    const controller = new AbortController()
    const inputs = async function* () {
      await new Promise(() => {})
      yield 1
    }
    const next = mapped(inputs(), { signal: controller.signal }).next()
    setTimeout(() => controller.abort(), 5)
    await expect(next).rejects.toMatchObject({ code: 'E_CANCELLED' })
  })

  test('an error of the inputs is thrown after the items before it', async () => {
    const cause = new RangeError('the file is torn')
    const inputs = async function* () {
      yield* [0, 1, 2, 3, 4, 5]
      throw cause
    }
    const seen: unknown[] = []
    const read = async () => {
      for await (const item of mapped(inputs())) seen.push(item)
    }
    await expect(read()).rejects.toBe(cause)
    expect(seen).toHaveLength(6)
  })

  test('what is not iterable is refused', () => {
    expect(() => mapped(5 as unknown as Iterable<unknown>)).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
  })
})
