import { describe, expect, test } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
import { done, FINISHED, ok, ToldProcess, world } from './pool-fixture.ts'

describe('a process that its host has started already', () => {
  const withSpare = (idleMs: number) => {
    const spare = new ToldProcess()
    spare.starting = true
    return { spare, ...world(1, idleMs, spare) }
  }

  test('takes the first run, and is ended with the pool', async () => {
    const { spare, pool, processes, run, settle, events } = withSpare(60_000)
    const first = run()
    await settle()
    expect([processes.length, spare.started, events]).toEqual([1, [], ['sandbox.spawned']])
    spare.up()
    await settle()
    expect(spare.started).toEqual([1])
    spare.report(done(1))
    expect(await first.result).toEqual(FINISHED)
    await pool.stop()
    expect(spare.killed).toBe(true)
  })

  test('is idle from when it has come up', async () => {
    const { spare, clock } = withSpare(1000)
    await clock.advance(2500)
    expect(spare.killed).toBe(false)
    spare.up()
    await clock.advance(999)
    expect(spare.killed).toBe(false)
    await clock.advance(1)
    expect(spare.killed).toBe(true)
  })

  test('and has not come up after ten seconds is idle', async () => {
    const { spare, clock } = withSpare(1000)
    await clock.advance(9999)
    expect(spare.killed).toBe(false)
    await clock.advance(1)
    expect(spare.killed).toBe(true)
  })

  test('is one too many only when it has come up', async () => {
    const { spare, pool } = withSpare(60_000)
    pool.resize(0)
    expect(spare.killed).toBe(false)
    spare.up()
    expect(spare.killed).toBe(true)
  })
})

describe('runs given to a process that has not come up', () => {
  /** Two runs at two processes, of which the first has come up and goes through its own. */
  const two = async () => {
    const made = world(2, 60_000, undefined, true)
    const runs = [made.run({ timeoutMs: 60_000 }), made.run({ timeoutMs: 60_000 })] as const
    await made.settle()
    const [first, second] = made.processes as [ToldProcess, ToldProcess]
    first.up()
    return { ...made, first, second, runs }
  }

  /** One process that has come up, and has run a function that takes a millisecond. */
  const withOneUp = () => {
    const made = world(2, 60_000, undefined, true)
    made.run()
    const [first] = made.processes as [ToldProcess]
    first.up()
    first.report(done(1))
    return { ...made, first }
  }

  test('move to one at rest, and it is told nothing of them', async () => {
    const { first, second, runs, settle } = await two()
    first.report(done(1, 100))
    await settle()
    second.up()
    await settle()
    expect([first.started, second.commands, second.killed]).toEqual([[1, 2], [], false])
    first.report(done(2, 100))
    expect(await runs[1].result).toEqual(FINISHED)
  })

  test('begin with what their journals hold by then', async () => {
    const { processes, run, settle } = world(1, 60_000, undefined, true)
    const request = { entry: 'request' as const, n: 0, after: 0, kind: 'call' as const, arguments: encodeValue(1) }
    const waiting = run({ journal: [request] })
    await settle()
    waiting.answer(0, ok(2))
    const [process] = processes as [ToldProcess]
    process.up()
    await settle()
    expect(process.of('runs').map(([, , , , , , , records]) => records[0]?.[3])).toEqual([
      [request, { entry: 'answer', n: 0, answer: ok(2) }],
    ])
    expect(process.of('answer')).toEqual([])
    process.report(done(1))
    expect(await waiting.result).toEqual(FINISHED)
  })

  test('move to one that comes up first', async () => {
    const spare = new ToldProcess()
    spare.starting = true
    const { pool, processes, run, settle } = world(2, 60_000, spare, true)
    const cancelled = run()
    run()
    cancelled.kill('cancelled')
    await settle()
    expect([pool.free, processes.length]).toEqual([1, 2])
    spare.up()
    processes[1]?.up()
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([[2], []])
  })

  test('move with those sent behind them', async () => {
    const { processes, run, settle, first } = withOneUp()
    run({ functionId: 'long' })
    const behind = [run(), run()]
    await settle()
    first.report(done(2, 100))
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([[1, 2, 3, 4], []])
    first.report(done(3), done(4))
    for (const one of behind) expect(await one.result).toEqual(FINISHED)
  })

  test('and cancelled are gone: what another says of them later takes nothing from those behind', async () => {
    const { clock, processes, run, settle, first } = withOneUp()
    run()
    const moved = run()
    await clock.advance(40)
    expect(processes.length).toBe(2)
    moved.kill('cancelled')
    const behind = run({ functionId: 'other' })
    first.report(done(2, 100), done(3))
    await settle()
    expect(first.started).toEqual([1, 2, 3, 4])
    first.report(done(4))
    expect(await behind.result).toEqual(FINISHED)
  })

  test('are timed from when those before them are cancelled', async () => {
    const { clock, run } = withOneUp()
    run({ functionId: 'long', timeoutMs: 60_000 })
    const [before, behind] = [run(), run({ timeoutMs: 5000 })]
    await clock.advance(100)
    before.kill('cancelled')
    await clock.advance(5000)
    expect(await behind.result).toEqual({ kind: 'inconclusive', reason: 'no result within 5000 ms' })
  })

  test('stay while the other computes', async () => {
    const { first, second, settle } = await two()
    first.report(['fuel', 1, 10_000])
    second.up()
    await settle()
    expect([first.started, second.started]).toEqual([[1], [2]])
  })

  test('stay where the one at rest runs another engine', async () => {
    const { processes, run, settle } = world(2, 60_000, undefined, true)
    run({ engine: 'old' })
    run({ engine: 'new' })
    await settle()
    const [first, second] = processes as [ToldProcess, ToldProcess]
    first.up()
    first.report(done(1, 100))
    second.up()
    await settle()
    expect([first.started, second.started]).toEqual([[1], [2]])
  })

  test('leave it ten seconds to come up, and it is used then', async () => {
    const { clock, first, second, run } = await two()
    first.report(done(1, 100))
    await clock.advance(9900)
    second.up()
    await clock.advance(1000)
    expect(second.killed).toBe(false)
    run({ functionId: 'other' })
    await clock.advance(0)
    expect([first.started, second.started]).toEqual([[1, 2], [3]])
  })

  test('leave it no more than that', async () => {
    const { clock, first, second } = await two()
    first.report(done(1, 100))
    await clock.advance(9999)
    expect(second.killed).toBe(false)
    await clock.advance(1)
    expect(second.killed).toBe(true)
  })

  test('and are wanted no more leave it as long', async () => {
    const { clock, second, runs } = await two()
    await clock.advance(500)
    runs[1].kill('cancelled')
    await clock.advance(9499)
    expect(second.killed).toBe(false)
    await clock.advance(1)
    expect(second.killed).toBe(true)
  })
})
