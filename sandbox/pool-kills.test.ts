import { describe, expect, test } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
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

  describe('has those sent behind it wait where no other has room', () => {
    const full = async () => {
      const made = world(2)
      await made.teach('f', 1)
      const [, , behind] = [made.run(), made.run({ functionId: 'other' }), made.run()]
      await made.clock.advance(1000)
      const [process, second] = made.processes as [ToldProcess, ToldProcess]
      expect([process.started, second.started]).toEqual([[1, 2, 4], [3]])
      return { ...made, process, second, behind }
    }

    test('until one has', async () => {
      const { settle, process, second, behind } = await full()
      second.report(done(3, 1000))
      await settle()
      expect([process.started, second.started]).toEqual([
        [1, 2, 4],
        [3, 4],
      ])
      second.report(done(4))
      expect(await behind.result).toEqual(FINISHED)
    })

    test('not behind another that takes too long, though it was to be short', async () => {
      const { clock, processes, run, teach } = world(2)
      await teach('f', 1)
      await teach('g', 3)
      run()
      run({ functionId: 'long' })
      processes[1]?.report(done(4))
      run({ functionId: 'g' })
      run()
      await clock.advance(1000)
      expect(processes.map(({ started }) => started)).toEqual([
        [1, 2, 3, 6],
        [4, 5],
      ])
    })

    test('until it ends: they are wanted there, however long they take', async () => {
      const { clock, process, second, behind } = await full()
      process.report(done(2, 1000))
      await clock.advance(1000)
      expect([process.killed, second.started]).toEqual([false, [3]])
      process.report(done(4, 1000))
      expect(await behind.result).toEqual(FINISHED)
    })
  })

  test.each([
    ['as long as another process would take to come up', 200, 200],
    ['a second at most', 5000, 1000],
  ])('and is wanted no more has %s', async (_, startMs, hasMs) => {
    const { clock, processes, run, settle } = world(1, 60_000, undefined, true)
    const unwanted = run()
    await clock.advance(startMs)
    const [process] = processes as [ToldProcess]
    process.up()
    await settle()
    unwanted.kill('cancelled')
    await clock.advance(hasMs - 1)
    expect(process.killed).toBe(false)
    await clock.advance(1)
    expect(process.killed).toBe(true)
  })

  test.each(['its timers', 'what its processes said'])(
    'does not look so to an agent that was itself stopped, whichever it sees first: %s',
    async (first) => {
      const { clock, processes, run, teach, settle } = world(2)
      const after = clock.after.bind(clock)
      const late: (() => void)[] = []
      clock.after = (ms, ring) => after(ms, () => void late.push(ring))
      await teach('f', 1)
      run({ timeoutMs: 60_000 })
      run({ timeoutMs: 60_000, functionId: 'other' })
      const behind = run({ timeoutMs: 60_000 })
      await clock.advance(2000)
      clock.after = after
      const ring = () => {
        for (const one of late.splice(0)) one()
      }
      if (first === 'its timers') ring()
      processes[1]?.report(done(3))
      ring()
      await clock.advance(39)
      processes[0]?.report(done(2), done(4))
      expect(await behind.result).toEqual(FINISHED)
      await settle()
      expect(processes.map(({ started }) => started)).toEqual([[1, 2, 4], [3]])
    },
  )

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

test('a run with a long journal is not sent ahead: to begin it takes long', async () => {
  const { processes, run, teach, settle } = world(1)
  await teach('f', 1)
  const entry = { entry: 'request' as const, after: 0, kind: 'call' as const, arguments: encodeValue(1) }
  const journal = Array.from({ length: 200 }, (_, n) => ({ ...entry, n }))
  run()
  run({ journal })
  run({ journal: journal.slice(0, 20) })
  await settle()
  expect(processes.map(({ started }) => started)).toEqual([[1, 2]])
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
