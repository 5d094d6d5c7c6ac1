import { describe, expect, test } from 'vitest'
import { MeshError } from '../protocol/errors.ts'
import type { CallResult } from './calls.ts'
import { inputsOf } from './inputs.ts'
import { mapCalls } from './map.ts'

/** A map over 0, 1, 2, … whose calls end when the test says so. */
const harness = (count: number, capacity: number, unordered = false) => {
  const pending = new Map<number, PromiseWithResolvers<CallResult>>()
  let pulled = 0
  let returned = false
  async function* inputs() {
    try {
      for (let i = 0; i < count; i++) {
        pulled++
        yield i
      }
    } finally {
      returned = true
    }
  }
  const results = mapCalls(inputsOf(inputs()), {
    call: (i) => {
      const answer = Promise.withResolvers<CallResult>()
      pending.set(i, answer)
      return answer.promise
    },
    capacity: () => capacity,
    unordered,
  })
  const answer = (i: number) => {
    pending.get(i)?.resolve({ executions: i } as CallResult)
    pending.delete(i)
  }
  return { results, pending, answer, pulled: () => pulled, returned: () => returned }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('map', () => {
  test('results come in input order, whatever the order of answers', async () => {
    const { results, answer } = harness(3, 10)
    const first = results.next()
    await settle()
    for (const i of [2, 1]) answer(i)
    await settle()
    answer(0)
    expect(await first).toMatchObject({ value: [{ index: 0 }, { index: 1 }, { index: 2 }] })
    expect((await results.next()).done).toBe(true)
  })

  test('unordered results come as they are answered', async () => {
    const { results, answer } = harness(3, 10, true)
    const first = results.next()
    await settle()
    answer(2)
    expect(await first).toMatchObject({ value: [{ index: 2 }] })
  })

  test('no more is under way than executors take, and a straggler does not let the buffer grow', async () => {
    const { results, answer, pending, pulled } = harness(10_000, 4)
    const first = results.next()
    await settle()
    const window = 4 + 64
    expect(pending.size).toBe(window)
    for (let round = 0; round < 100; round++) {
      for (const i of [...pending.keys()]) if (i !== 0) answer(i)
      await settle()
    }
    expect(pulled()).toBeLessThanOrEqual(4 * window + 1)
    answer(0)
    expect((await first).value).toHaveLength(64)
  })

  test('a failed item is a result; its neighbours are not disturbed', async () => {
    const { results, answer, pending } = harness(2, 10)
    const first = results.next()
    await settle()
    pending.get(0)?.reject(new MeshError('E_TIMEOUT', 'too late'))
    answer(1)
    expect(await first).toMatchObject({
      value: [
        { index: 0, error: { code: 'E_TIMEOUT' } },
        { index: 1, result: { executions: 1 } },
      ],
    })
  })

  test('a consumer that stops early ends the inputs', async () => {
    const { results, answer, returned } = harness(100, 2)
    const first = results.next()
    await settle()
    answer(0)
    await first
    await results.return(undefined)
    expect(returned()).toBe(true)
  })

  test('inputs that throw end the map with what they threw', async () => {
    // biome-ignore lint/correctness/useYield: it throws before its first
    async function* broken(): AsyncGenerator<number> {
      throw new MeshError('E_INPUT', 'line 1 is not JSON')
    }
    const results = mapCalls(inputsOf(broken()), { call: () => Promise.reject(), capacity: () => 1, unordered: false })
    await expect(results.next()).rejects.toMatchObject({ code: 'E_INPUT' })
  })

  test('what is answered in one burst is handed over at once, and its room is filled at once', async () => {
    const taken: number[] = []
    const take = async (max: number) => {
      taken.push(max)
      return Array<number>(max).fill(0)
    }
    const inputs = { take, close: async () => {} }
    const waiting: (() => void)[] = []
    const call = () => new Promise<CallResult>((resolve) => waiting.push(() => resolve({} as CallResult)))
    const results = mapCalls(inputs, { call, capacity: () => 1, unordered: false })
    const first = results.next()
    await settle()
    const burst = waiting.splice(0, 40)
    for (const answer of burst) answer()
    expect((await first).value).toHaveLength(40)
    await settle()
    expect(taken).toEqual([65, 40])
  })

  test('a map whose calls are silent waits at rest', async () => {
    const { results, answer, pending } = harness(2, 10)
    const first = results.next()
    for (let turn = 0; turn < 3; turn++) await settle()
    expect(pending.size).toBe(2)
    answer(0)
    expect(await first).toMatchObject({ value: [{ index: 0 }] })
  })
})
