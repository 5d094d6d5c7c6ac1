import { describe, expect, test } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
import { bytesOf, limits, seed } from './fixture.ts'
import { encodeFrame, type Report } from './frames.ts'
import type { Stop } from './job.ts'
import { done, FINISHED, OUTCOME, ok, type ToldProcess, world } from './pool-fixture.ts'

describe('a pool', () => {
  test('starts a process for the first run, and hands it code and run in one frame', async () => {
    const { pool, processes, run, settle, events } = world()
    expect([processes.length, pool.free, pool.queued]).toEqual([0, 1, 0])
    const first = run()
    expect(first.state()).toBe('running')
    await settle()
    const [process] = processes
    expect(process?.commands).toEqual([
      ['code', 'f', 'javascript', [], bytesOf('export default 1'), [], []],
      [
        'runs',
        'f',
        'default',
        ['call'],
        limits.fuel,
        limits.memory_bytes,
        limits.output_bytes,
        [[1, encodeValue(null), seed, []]],
        'somebody',
      ],
    ])
    expect([process?.sentFrames, pool.free, pool.queued]).toEqual([1, 0, 0])
    process?.report(done(1))
    expect(await first.result).toEqual(FINISHED)
    expect([first.state(), pool.free, events]).toEqual(['done', 1, ['sandbox.spawned']])
  })

  test('sends code once to a process, and again when it lacks it', async () => {
    const { processes, run, teach, settle, codeAsked } = world()
    await teach('f', 1)
    const again = run()
    await settle()
    expect(codeAsked()).toBe(1)
    processes[0]?.report(['lacks', 2])
    await settle()
    expect(codeAsked()).toBe(2)
    expect(processes[0]?.started).toEqual([1, 2, 2])
    processes[0]?.report(done(2))
    expect(await again.result).toEqual(FINISHED)
  })

  test('gives one run at a time to a process while it does not know how long they take', async () => {
    const { pool, processes, run, settle } = world(2)
    const runs = [run(), run(), run()]
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([[1], [2]])
    expect([runs.map((one) => one.state()), pool.queued, pool.free]).toEqual([['running', 'running', 'queued'], 1, 0])
    processes[1]?.report(done(2, 100))
    await settle()
    expect(processes[1]?.started).toEqual([2, 3])
  })

  test('sends short ones ahead, some 20 ms of them, in one frame', async () => {
    const { pool, processes, run, teach, settle } = world()
    await teach('f', 1)
    for (let i = 0; i < 100; i++) run()
    await settle()
    const [process] = processes as [ToldProcess]
    expect(process.started.length).toBeGreaterThan(15)
    expect(process.started.length).toBeLessThan(25)
    expect([process.sentFrames, process.of('runs').length, pool.queued]).toEqual([2, 2, 99])
    process.report(done(2, 1), done(3, 1))
    await settle()
    expect(process.sentFrames).toBe(3)
  })

  test('does not send long ones ahead, nor anything behind them', async () => {
    const { processes, run, teach, settle } = world()
    await teach('long', 100)
    await teach('short', 1)
    run({ functionId: 'long' })
    run({ functionId: 'short' })
    await settle()
    expect(processes[0]?.started).toHaveLength(3)
  })

  test('lets parties take turns where runs wait', async () => {
    const { processes, run, settle } = world()
    for (const party of ['a', 'a', 'a', 'b', 'c', 'b']) run({ party })
    for (let i = 0; i < 6; i++) {
      await settle()
      processes[0]?.report(done(processes[0].started.at(-1) as number, 100))
    }
    expect(processes[0]?.started).toEqual([1, 2, 4, 5, 3, 6])
  })

  test('prefers a process that has the code, then any at rest', async () => {
    const { processes, run, settle } = world(2)
    const first = [run({ functionId: 'a' }), run({ functionId: 'b' })]
    await settle()
    for (const [i, process] of processes.entries()) process.report(done(i + 1, 50))
    await Promise.all(first.map((one) => one.result))
    run({ functionId: 'b' })
    run({ functionId: 'b' })
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([
      [1, 4],
      [2, 3],
    ])
  })

  test('tells what a process could not do, or did otherwise', async () => {
    const { processes, run, settle } = world()
    const failed = run()
    await settle()
    processes[0]?.report(['failed', 1, 'the engine trapped'])
    expect(await failed.result).toEqual({ kind: 'inconclusive', reason: 'the engine trapped' })
    const diverged = run()
    await settle()
    processes[0]?.report(['diverged', 2, 3, 'this', 'that'])
    expect(await diverged.result).toEqual({ kind: 'diverged', n: 3, expected: 'this', found: 'that' })
  })

  test('tells where a run ended that was to end before a request', async () => {
    const { processes, run, settle } = world()
    const stops: Stop[] = []
    const one = run({ until: 2, onStop: (stop) => stops.push(stop) })
    await settle()
    const printed = [{ level: 'log' as const, text: 'so far' }]
    processes[0]?.report(['stopped', 1, 2, 1, 'now', Uint8Array.of(0xa0), printed, 77], ['failed', 1, 'ended'])
    expect(await one.result).toEqual({ kind: 'inconclusive', reason: 'ended' })
    const request = { n: 2, after: 1, kind: 'now', arguments: Uint8Array.of(0xa0) }
    expect(stops).toEqual([{ request, console: printed, fuel: 77 }])
  })

  test('passes on the fuel reported', async () => {
    const { processes, run, settle } = world()
    const one = run()
    await settle()
    expect(one.fuel()).toBe(0)
    processes[0]?.report(['fuel', 1, 500])
    expect(one.fuel()).toBe(500)
  })

  test('ends a process that has had nothing to do for a while', async () => {
    const { clock, processes, teach, events } = world(1, 5000)
    await teach('f', 1)
    await clock.advance(4900)
    expect(processes[0]?.killed).toBe(false)
    await clock.advance(200)
    expect([processes[0]?.killed, events.at(-1)]).toEqual([true, 'sandbox.exited'])
    await teach('f', 1)
    expect(processes).toHaveLength(2)
  })

  test('says so when no process can be started', async () => {
    const { run, settle, fail } = world()
    fail(1)
    const [first, second] = [run(), run()]
    expect(await first.result).toEqual({
      kind: 'inconclusive',
      reason: 'no sandbox process could be started: no more processes',
    })
    await settle()
    expect(second.state()).toBe('running')
  })
})

describe('a process that talks nonsense is ended, and the run that it computes with it', () => {
  test.each<[string, Uint8Array]>([
    ['no DAG-CBOR', Uint8Array.of(255, 255)],
    ['no list', encodeFrame({} as Report[])],
    ['an unknown report', encodeFrame([['hello', 1] as unknown as Report])],
    ['a report that lacks a field', encodeFrame([['done', 1, OUTCOME] as unknown as Report])],
    ['a field that is none of its kind', encodeFrame([['done', 1, 'x', 0] as unknown as Report])],
    ['an outcome that is none', encodeFrame([['done', 1, Uint8Array.of(1), 0]])],
    ['an unknown effect', encodeFrame([['request', 1, 0, 0, 'launch', OUTCOME] as unknown as Report])],
    ['a report on a run that it does not have', encodeFrame([done(7)])],
    ['a prototype as kind', encodeFrame([['toString', 1] as unknown as Report])],
  ])('%s', async (_, frame) => {
    const { processes, run, settle } = world()
    const [first, second] = [run(), run()]
    await settle()
    processes[0]?.raw(frame)
    expect(await first.result).toMatchObject({ kind: 'inconclusive', reason: expect.stringContaining('garbage') })
    await settle()
    processes[1]?.report(done(2))
    expect([await second.result, processes.length]).toEqual([FINISHED, 2])
  })

  test('requests out of order are dropped', async () => {
    const { processes, run, settle } = world()
    const seen: number[] = []
    run({ onRequest: ({ n }) => void seen.push(n) })
    await settle()
    processes[0]?.report(
      ['request', 1, 3, 0, 'call', OUTCOME],
      ['request', 1, 0, 0, 'call', OUTCOME],
      ['request', 1, 0, 0, 'call', OUTCOME],
    )
    expect(seen).toEqual([0])
  })
})

describe('the number of slots', () => {
  test('may shrink: a process over it ends when it has finished', async () => {
    const { pool, processes, run, settle } = world(3)
    const runs = [run(), run(), run()]
    await settle()
    pool.resize(1)
    expect([pool.slots, pool.free, processes.map(({ killed }) => killed)]).toEqual([1, 0, [false, false, false]])
    for (const [i, process] of processes.entries()) process.report(done(i + 1))
    await Promise.all(runs.map((one) => one.result))
    expect(processes.map(({ killed }) => killed).filter(Boolean)).toHaveLength(2)
    await settle()
    const next = [run(), run()]
    await settle()
    expect(next.map((one) => one.state())).toEqual(['running', 'queued'])
  })

  test('may be none, and grow again', async () => {
    const { pool, processes, run, settle } = world(0)
    const one = run()
    await settle()
    expect([one.state(), processes.length]).toEqual(['queued', 0])
    pool.resize(1)
    expect(one.state()).toBe('running')
  })

  test('a waiting run outlives the process that is taken from it', async () => {
    const { pool, processes, run, settle } = world(1)
    const one = run()
    await settle()
    processes[0]?.report(['request', 1, 0, 0, 'call', OUTCOME], ['waiting', 1])
    pool.resize(0)
    await settle()
    expect([one.state(), processes[0]?.killed]).toEqual(['waiting', true])
    one.answer(0, ok(1))
    expect(one.state()).toBe('queued')
    pool.resize(1)
    await settle()
    expect(processes[1]?.started).toEqual([1])
  })
})

test('stop ends everything, and nothing begins after it', async () => {
  const { pool, processes, run, settle } = world(1)
  const [first, second] = [run(), run()]
  await settle()
  await pool.stop()
  const stopped = { kind: 'inconclusive', reason: 'the sandbox is stopping' }
  expect(await Promise.all([first.result, second.result, run().result])).toEqual([stopped, stopped, stopped])
  expect(processes.map(({ killed }) => killed)).toEqual([true])
  await pool.stop()
})
