import { describe, expect, test } from 'vitest'
import { inputsOf } from './inputs.ts'

/** Numbers, and whether they were ended. */
const watched = () => {
  const state = { made: 0, ended: false }
  function* numbers() {
    try {
      for (;;) yield state.made++
    } finally {
      state.ended = true
    }
  }
  return { state, numbers: numbers() }
}

describe('inputs', () => {
  test('of an iterable are taken as many at once as are asked for, and no more', async () => {
    const { state, numbers } = watched()
    const inputs = inputsOf(numbers)
    expect(await inputs.take(3)).toEqual([0, 1, 2])
    expect(await inputs.take(1)).toEqual([3])
    expect(state.made).toBe(4)
  })

  test('end with none', async () => {
    const inputs = inputsOf([1, 2, 3])
    expect([await inputs.take(2), await inputs.take(2), await inputs.take(2)]).toEqual([[1, 2], [3], []])
  })

  test('that have to be waited for come one by one', async () => {
    async function* slow() {
      yield* [1, 2]
      await new Promise(() => {})
    }
    const inputs = inputsOf(slow())
    expect([await inputs.take(9), await inputs.take(9)]).toEqual([[1], [2]])
  })

  test('that are promises are waited for', async () => {
    const inputs = inputsOf([1, Promise.resolve(2), 3])
    expect([await inputs.take(9), await inputs.take(9)]).toEqual([[1, 2], [3]])
  })

  test.each<[string, () => Iterable<unknown>]>([
    [
      'that throw',
      function* () {
        yield 1
        throw new RangeError('torn')
      },
    ],
    ['with a promise that rejects', () => [1, Promise.reject(new RangeError('torn'))]],
  ])('%s do so after what came before', async (_, broken) => {
    const inputs = inputsOf(broken())
    expect(await inputs.take(9)).toEqual([1])
    await expect(inputs.take(9)).rejects.toThrow('torn')
  })

  test('that are closed are ended, and have no more', async () => {
    const { state, numbers } = watched()
    const inputs = inputsOf(numbers)
    await inputs.take(1)
    await inputs.close()
    expect(state.ended).toBe(true)
    expect(await inputs.take(1)).toEqual([])
  })
})
