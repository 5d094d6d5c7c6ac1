import { expect, test } from 'vitest'
import { FakeClock } from '../simulations/clock.ts'
import { createBatcher } from './batcher.ts'

const collect = (options: {
  delayMs: number | 'soon' | undefined
  inAllMs?: number
  itemsMax: number
  bytesMax: number
}) => {
  const clock = new FakeClock()
  const batches: number[][] = []
  const batcher = createBatcher<number>(clock, {
    ...options,
    delayMs: () => options.delayMs,
    flush: (items) => batches.push(items),
  })
  return { clock, batches, batcher }
}

test('what comes within the delay goes together, in order', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 5, itemsMax: 10, bytesMax: 1000 })
  batcher.add(1, 1)
  await clock.advance(3)
  batcher.add(2, 1)
  expect(batches).toEqual([])
  await clock.advance(2)
  expect(batches).toEqual([[1, 2]])
  batcher.add(3, 1)
  await clock.advance(5)
  expect(batches).toEqual([[1, 2], [3]])
})

test('a full batch does not wait', () => {
  const { batches, batcher } = collect({ delayMs: 5, itemsMax: 2, bytesMax: 1000 })
  for (const n of [1, 2, 3]) batcher.add(n, 1)
  expect(batches).toEqual([[1, 2]])
})

test('an item that would pass the bytes starts the next batch; one that is over alone goes alone', () => {
  const { batches, batcher } = collect({ delayMs: 5, itemsMax: 10, bytesMax: 100 })
  batcher.add(1, 60)
  batcher.add(2, 60)
  batcher.add(3, 500)
  batcher.flush()
  expect(batches).toEqual([[1], [2], [3]])
})

test('one that need not wait takes along what has waited', () => {
  const options = { delayMs: 5 as number | undefined, itemsMax: 10, bytesMax: 100 }
  const { batches, batcher } = collect(options)
  batcher.add(1, 1)
  options.delayMs = undefined
  batcher.add(2, 1)
  expect(batches).toEqual([[1, 2]])
})

test('what comes in one task goes together, and no timer is set for it', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 'soon', itemsMax: 10, bytesMax: 100 })
  batcher.add(1, 1)
  await undefined
  batcher.add(2, 1)
  expect([batches, clock.pending]).toEqual([[], 0])
  await clock.advance(0)
  expect(batches).toEqual([[1, 2]])
  batcher.add(3, 1)
  batcher.flush()
  batcher.add(4, 1)
  await clock.advance(0)
  expect(batches).toEqual([[1, 2], [3], [4]])
})

test('company that comes lets all wait anew, up to a time in all', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 3, inAllMs: 10, itemsMax: 10, bytesMax: 1000 })
  batcher.add(1, 1)
  await clock.advance(2)
  batcher.add(2, 1)
  await clock.advance(3)
  expect(batches).toEqual([])
  await clock.advance(1)
  expect(batches).toEqual([[1, 2]])
  for (let n = 3; n < 8; n++) {
    batcher.add(n, 1)
    await clock.advance(2)
  }
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5, 6, 7],
  ])
  expect(batcher.size).toBe(0)
})

test('while company comes, it is looked for seldomer and seldomer', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 3, inAllMs: 50, itemsMax: 100, bytesMax: 1000 })
  const setAt: number[] = []
  const after = clock.after.bind(clock)
  clock.after = (delayMs, run) => {
    setAt.push(clock.monotonic())
    return after(delayMs, run)
  }
  const fromMs = clock.monotonic()
  for (let n = 0; n < 50; n++) {
    batcher.add(n, 1)
    await clock.advance(1)
  }
  expect(setAt.map((ms) => ms - fromMs)).toEqual([0, 3, 6, 12, 24, 48])
  expect(batches.map(({ length }) => length)).toEqual([50])
})

test('a timer that is a little early is not set again for the rest', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 3, inAllMs: 50, itemsMax: 10, bytesMax: 1000 })
  const after = clock.after.bind(clock)
  clock.after = (delayMs, run) => after(delayMs - 0.9, run)
  batcher.add(1, 1)
  await clock.advance(2.5)
  expect([batches, clock.pending]).toEqual([[[1]], 0])
})

test('one that would wait for longer goes when that time in all is over', async () => {
  const { clock, batches, batcher } = collect({ delayMs: 5000, inAllMs: 10, itemsMax: 10, bytesMax: 1000 })
  batcher.add(1, 1)
  await clock.advance(9)
  expect(batches).toEqual([])
  await clock.advance(1)
  expect(batches).toEqual([[1]])
})
