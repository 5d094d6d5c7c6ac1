import { expect, test } from 'vitest'
import { done, FINISHED, ok, world } from './pool-fixture.ts'

test('a job is given to a process that runs its engine; for that an idle one of another engine ends', async () => {
  const { processes, run, settle, events } = world(1)
  const first = run({ engine: 'new' })
  await settle()
  processes[0]?.report(done(1))
  expect(await first.result).toEqual(FINISHED)
  const second = run({ engine: 'old' })
  await settle()
  expect(processes.map(({ engines, killed, started }) => [engines, killed, started])).toEqual([
    [['new'], true, [1]],
    [['old'], false, [2]],
  ])
  processes[1]?.report(done(2))
  expect(await second.result).toEqual(FINISHED)
  expect(events).toEqual(['sandbox.spawned', 'sandbox.exited', 'sandbox.spawned'])
})

test('a job whose engine no idle process runs waits for the slot, and others do not pass it', async () => {
  const { processes, run, settle } = world(1)
  const [first, other, third] = [run({ engine: 'new' }), run({ engine: 'old' }), run({ engine: 'new' })]
  await settle()
  expect(processes.map(({ started }) => started)).toEqual([[1]])
  processes[0]?.report(done(1))
  await settle()
  expect(processes.map(({ started }) => started)).toEqual([[1], [2]])
  processes[1]?.report(done(2))
  await settle()
  processes[2]?.report(done(3))
  expect(await Promise.all([first.result, other.result, third.result])).toEqual([FINISHED, FINISHED, FINISHED])
})

test('a run that waits goes on where its engine is, with its journal, when its process made room for another engine', async () => {
  const { processes, run, settle } = world(1)
  const waits = run({ engine: 'old' })
  await settle()
  processes[0]?.report(['request', 1, 0, 0, 'call', Uint8Array.of(0xf6)], ['waiting', 1])
  const other = run({ engine: 'new' })
  await settle()
  processes[1]?.report(done(2))
  expect(await other.result).toEqual(FINISHED)
  waits.answer(0, ok('answer'))
  await settle()
  const [, , third] = processes
  expect([third?.engines, third?.started]).toEqual([['old'], [1]])
  const journal = third?.of('runs')[0]?.[7][0]?.[3].map(({ entry, n }) => [entry, n])
  expect(journal).toEqual([
    ['request', 0],
    ['answer', 0],
  ])
  third?.report(done(1))
  expect(await waits.result).toEqual(FINISHED)
})
