import { describe, expect, test } from 'vitest'
import { done, FINISHED, type ToldProcess, world } from './pool-fixture.ts'

describe('a run that takes too long', () => {
  test('is killed with its process; the others begin again', async () => {
    const { clock, processes, run, teach, settle, events } = world()
    await teach('f', 1)
    const [late, innocent] = [run(), run({ timeoutMs: 60_000 })]
    await settle()
    const [process] = processes as [ToldProcess]
    expect(process.started).toEqual([1, 2, 3])
    await clock.advance(10_100)
    expect(await late.result).toEqual({ kind: 'inconclusive', reason: 'no result within 10000 ms' })
    expect([process.killed, events]).toEqual([
      true,
      ['sandbox.spawned', 'sandbox.killed', 'sandbox.exited', 'sandbox.spawned'],
    ])
    expect(processes[1]?.started).toEqual([3])
    processes[1]?.report(done(3))
    expect(await innocent.result).toEqual(FINISHED)
  })

  test('does not hold up those sent behind it: the first result counts', async () => {
    const { clock, processes, run, teach, settle } = world(2)
    await teach('f', 1)
    const runs = [run(), run(), run()]
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([[1, 2, 3, 4]])
    await clock.advance(100)
    expect(processes.map(({ started }) => started)).toEqual([
      [1, 2, 3, 4],
      [3, 4],
    ])
    processes[1]?.report(done(3))
    expect(await runs[1]?.result).toEqual(FINISHED)
    processes[0]?.report(done(2, 120), done(3), done(4))
    for (const one of runs) expect(await one.result).toEqual(FINISHED)
    processes[1]?.report(done(4))
    expect(processes.map(({ killed }) => killed)).toEqual([false, false])
  })

  test('does not send a run that moved back to the process that still has it', async () => {
    const { clock, processes, run, teach, settle } = world(2)
    await teach('f', 1)
    const runs = [run(), run()]
    run({ functionId: 'other' })
    await settle()
    expect(processes.map(({ started }) => started)).toEqual([[1, 2, 3], [4]])
    await clock.advance(100)
    expect(runs[1]?.state()).toBe('queued')
    processes[0]?.report(done(2, 120))
    await settle()
    expect(processes[0]?.started).toEqual([1, 2, 3])
    processes[0]?.report(done(3))
    expect(await runs[1]?.result).toEqual(FINISHED)
  })

  test('behind a long one waits for it where there is no other slot', async () => {
    const { clock, processes, run, teach, settle } = world(1)
    await teach('f', 1)
    const runs = [run(), run()]
    await settle()
    await clock.advance(100)
    expect(processes[0]?.started).toEqual([1, 2, 3])
    processes[0]?.report(done(2, 100), done(3))
    expect(await runs[1]?.result).toEqual(FINISHED)
  })

  test('is no reason for a timer where there is no other slot; once there is, what waits behind it moves', async () => {
    const { clock, pool, processes, run, teach } = world(1)
    await teach('f', 1)
    const timers = clock.pending
    run({ timeoutMs: 90_000 })
    run({ timeoutMs: 90_000 })
    await clock.advance(1000)
    expect(clock.pending).toBe(timers)
    expect(processes.map(({ started }) => started.length)).toEqual([3])
    pool.resize(2)
    await clock.advance(0)
    expect(processes.map(({ started }) => started.length)).toEqual([3, 1])
  })

  test('and that nobody wants any more does not run on', async () => {
    const { clock, processes, run, teach, settle } = world()
    await teach('f', 1)
    const [first, second] = [run(), run()]
    await settle()
    second.kill('cancelled')
    expect(processes[0]?.killed).toBe(false)
    processes[0]?.report(done(2))
    expect(await first.result).toEqual(FINISHED)
    await clock.advance(100)
    expect(processes[0]?.killed).toBe(true)
  })
})

describe('a run that is killed', () => {
  test('before it has begun never begins', async () => {
    const { processes, run, settle, pool } = world()
    const [first, second] = [run(), run()]
    second.kill('cancelled')
    expect([await second.result, pool.queued]).toEqual([{ kind: 'inconclusive', reason: 'cancelled' }, 0])
    await settle()
    processes[0]?.report(done(1))
    await first.result
    expect(processes[0]?.started).toEqual([1])
  })

  test('after a pause of the agent does not cost its process, whose word was waiting to be read', async () => {
    const { clock, processes, run, settle } = world()
    const first = run({ timeoutMs: 60_000 })
    await settle()
    await clock.advance(2000)
    first.kill('its home has given it to another')
    expect(processes[0]?.killed).toBe(false)
    processes[0]?.report(done(1))
    const second = run()
    await settle()
    await clock.advance(100)
    expect([processes.length, processes[0]?.started, processes[0]?.killed]).toEqual([1, [1, 2], false])
    second.kill('cancelled')
    await clock.advance(30)
    expect(processes[0]?.killed).toBe(false)
    await clock.advance(30)
    expect(processes[0]?.killed).toBe(true)
  })

  test('when it has only begun does not cost its process: it may be over at once', async () => {
    const { clock, processes, run, settle, events } = world()
    const [first, second] = [run(), run()]
    await settle()
    first.kill('cancelled')
    expect(await first.result).toEqual({ kind: 'inconclusive', reason: 'cancelled' })
    processes[0]?.report(done(1))
    await settle()
    await clock.advance(30)
    processes[0]?.report(done(2))
    expect(await second.result).toEqual(FINISHED)
    expect([processes.length, events]).toEqual([1, ['sandbox.spawned']])
  })

  test('and is not over soon ends its process', async () => {
    const { clock, processes, run, settle } = world()
    const one = run()
    await settle()
    one.kill('cancelled')
    await clock.advance(39)
    expect(processes[0]?.killed).toBe(false)
    await clock.advance(2)
    expect(processes[0]?.killed).toBe(true)
  })

  test('twice, or after its end, changes nothing', async () => {
    const { processes, run, settle } = world()
    const one = run()
    await settle()
    processes[0]?.report(done(1))
    one.kill('late')
    expect([await one.result, processes[0]?.killed]).toEqual([FINISHED, false])
  })
})
