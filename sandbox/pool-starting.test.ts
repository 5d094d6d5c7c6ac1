import { describe, expect, test } from 'vitest'
import { done, FINISHED, ToldProcess, world } from './pool-fixture.ts'

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
    expect([processes.length, spare.started, events]).toEqual([1, [1], ['sandbox.spawned']])
    spare.up()
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
    const runs = [made.run(), made.run({ timeoutMs: 60_000 })] as const
    await made.settle()
    const [first, second] = made.processes as [ToldProcess, ToldProcess]
    first.up()
    return { ...made, first, second, runs }
  }

  test('move to one at rest; the first result counts', async () => {
    const { first, second, runs, settle } = await two()
    first.report(done(1, 100))
    await settle()
    expect([first.started, second.started, second.killed]).toEqual([[1, 2], [2], false])
    first.report(done(2, 100))
    expect(await runs[1].result).toEqual(FINISHED)
  })

  test('move to one that comes up first', async () => {
    const spare = new ToldProcess()
    spare.starting = true
    const { pool, processes, run, settle } = world(2, 60_000, spare, true)
    run({ functionId: 'cancelled' }).kill('cancelled')
    run()
    await settle()
    expect([pool.free, processes.map(({ started }) => started)]).toEqual([0, [[1], [2]]])
    spare.up()
    spare.report(done(1))
    await settle()
    expect(spare.started).toEqual([1, 2])
  })

  test('move with those sent behind them', async () => {
    const { processes, teach, run, settle } = world(2, 60_000, undefined, true)
    await teach('f', 1)
    const [first] = processes as [ToldProcess]
    first.up()
    run({ functionId: 'long' })
    const behind = [run(), run()]
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([
      [1, 2],
      [3, 4],
    ])
    first.report(done(2, 100))
    await settle()
    expect(first.started).toEqual([1, 2, 3, 4])
    first.report(done(3), done(4))
    for (const one of behind) expect(await one.result).toEqual(FINISHED)
  })

  test('stay while the other computes, and where it runs another engine', async () => {
    const { processes, run, settle } = world(2, 60_000, undefined, true)
    run({ engine: 'old' })
    run({ engine: 'new' })
    await settle()
    const [first, second] = processes as [ToldProcess, ToldProcess]
    first.up()
    first.report(['fuel', 1, 10_000])
    await settle()
    first.report(done(1, 100))
    await settle()
    expect([first.started, second.started]).toEqual([[1], [2]])
  })

  test('leave it ten seconds to come up, then time for what it was given, and it is used again', async () => {
    const { clock, first, second, run, settle } = await two()
    first.report(done(1, 100))
    await clock.advance(9900)
    second.up()
    await clock.advance(39)
    expect(second.killed).toBe(false)
    second.report(done(2, 100))
    run()
    await settle()
    expect([first.started, second.started]).toEqual([
      [1, 2],
      [2, 3],
    ])
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
