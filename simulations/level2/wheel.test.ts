import { expect, test } from 'vitest'
import { randomFor } from '../../scripts/test/seed.ts'
import { Wheel } from './wheel.ts'

test('events happen at their tick, those of one tick in the order they were set, however far off', () => {
  const random = randomFor('order')
  const wheel = new Wheel(16)
  const expected: { due: number; id: number }[] = []
  const found: typeof expected = []
  let id = 0
  const set = (delay: number) => {
    expected.push({ due: wheel.now + Math.max(1, delay), id })
    wheel.after(delay, 1, id++)
  }
  const delays = [0, 1, 2, 100, 16_383, 16_384, 16_385, 500_000, 2 ** 26 - 60_000, 2 ** 26 + 5]
  for (let i = 0; i < 2000; i++) set((delays[i % 10] as number) + random.below(50))
  const handlers = [
    () => expect.unreachable(),
    (index: number) => {
      found.push({ due: wheel.now, id: index })
      if (random.below(3) === 0 && id < 3000) set(random.below(40_000))
    },
  ]
  for (let until = 2 ** 26; wheel.pending > 0; until += 50_000) wheel.run(until, handlers)
  expect(found).toEqual(expected.toSorted((a, b) => a.due - b.due || a.id - b.id))
  expect([wheel.pending, wheel.happened]).toEqual([0, id])
})

test('the hash is that of what happened, when, and in which order', () => {
  const hashOf = (delays: readonly number[]) => {
    const wheel = new Wheel(4)
    for (const [i, delay] of delays.entries()) wheel.after(delay, 0, i)
    wheel.run(100, [() => {}])
    return wheel.hash
  }
  expect(hashOf([5, 6])).toBe(hashOf([5, 6]))
  expect(new Set([hashOf([5, 6]), hashOf([6, 5]), hashOf([5, 7]), hashOf([5])]).size).toBe(4)
})
