import { describe, expect, test } from 'vitest'
import type { EffectRequest } from '../protocol/journal.ts'
import { decodeValue, encodeValue } from '../protocol/values.ts'
import type { Report } from './frames.ts'
import { done, FINISHED, ok, type ToldProcess, world } from './pool-fixture.ts'

describe('a run that waits', () => {
  const request = (id: number, n: number, after = 0): Report => ['request', id, n, after, 'call', encodeValue(n)]

  const waiting = async (slots = 1) => {
    const setting = world(slots)
    const seen: EffectRequest[] = []
    const run = setting.run({ onRequest: (effect) => void seen.push(effect) })
    await setting.settle()
    const [process] = setting.processes as [ToldProcess]
    process.report(request(1, 0), request(1, 1), ['waiting', 1])
    return { ...setting, one: run, seen, process }
  }

  test('gives its slot to others, and goes on where it is when it is answered', async () => {
    const { one, process, run, pool, settle, seen } = await waiting()
    expect([
      one.state(),
      pool.free,
      seen.map(({ n, after, kind, arguments: bytes }) => [n, after, kind, decodeValue(bytes)]),
    ]).toEqual([
      'waiting',
      1,
      [
        [0, 0, 'call', 0],
        [1, 0, 'call', 1],
      ],
    ])
    const other = run()
    await settle()
    process.report(done(2))
    expect(await other.result).toEqual(FINISHED)
    one.answer(1, ok('x'))
    await settle()
    expect(process.of('answer')).toEqual([['answer', 1, 1, ok('x')]])
    expect(one.state()).toBe('running')
    process.report(done(1))
    expect(await one.result).toEqual(FINISHED)
  })

  test('drops answers that it does not wait for', async () => {
    const { one, process, settle } = await waiting()
    one.answer(5, ok(0))
    one.answer(0, ok(0))
    one.answer(0, ok(1))
    await settle()
    expect(process.of('answer')).toEqual([['answer', 1, 0, ok(0)]])
  })

  const journalOf = (process: ToldProcess | undefined) =>
    process?.of('runs')[0]?.[7][0]?.[3].map(({ entry, n }) => `${entry} ${n}`)

  test('goes on elsewhere with its journal when its process turns out to compute something long', async () => {
    const { clock, one, process, processes, run, settle, seen } = await waiting(2)
    run()
    await settle()
    expect(process.started).toEqual([1, 2])
    one.answer(0, ok('x'))
    await settle()
    expect([process.of('answer'), processes.length]).toEqual([[['answer', 1, 0, ok('x')]], 1])
    await clock.advance(40)
    expect(processes[1]?.started).toEqual([1])
    expect(journalOf(processes[1])).toEqual(['request 0', 'request 1', 'answer 0'])
    processes[1]?.report(request(1, 0), request(1, 1), request(1, 2, 1), ['waiting', 1])
    expect(seen.map(({ n }) => n)).toEqual([0, 1, 2])
    process.report(done(2, 50), request(1, 2, 1), ['waiting', 1])
    await settle()
    expect(process.of('drop')).toEqual([['drop', 1]])
    one.answer(1, ok('y'))
    await settle()
    expect(processes[1]?.of('answer')).toEqual([['answer', 1, 1, ok('y')]])
    processes[1]?.report(done(1))
    expect(await one.result).toEqual(FINISHED)
  })

  test('goes on where it is behind what is shorter than its own beginning would be', async () => {
    const { clock, processes, run, settle } = world(2)
    const [one, other] = [run(), run()]
    await clock.advance(300)
    const [process, second] = processes as [ToldProcess, ToldProcess]
    process.report(request(1, 0), ['waiting', 1])
    second.report(done(2, 300))
    await other.result
    const [short] = [run(), run()]
    await settle()
    expect([process.started, second.started]).toEqual([
      [1, 4],
      [2, 3],
    ])
    second.report(done(3))
    await short.result
    one.answer(0, ok('x'))
    await clock.advance(299)
    expect(second.started).toEqual([2, 3])
    await clock.advance(1)
    expect(second.started).toEqual([2, 3, 1])
    expect(one.state()).toBe('running')
  })

  test('does not wait long behind what has been computed for long when it is answered', async () => {
    const { clock, one, processes, run } = await waiting(2)
    run()
    await clock.advance(1000)
    one.answer(0, ok('x'))
    await clock.advance(0)
    expect(processes[1]?.started).toEqual([1])
  })

  /** Three runs at two processes: the first waits for an answer where the third computes, the second computes in the other. */
  const crowded = async (made = world(2)) => {
    const [one] = [made.run(), made.run(), made.run()]
    await made.clock.advance(0)
    const [process, second] = made.processes as [ToldProcess, ToldProcess]
    process.report(request(1, 0), ['waiting', 1])
    await made.settle()
    return { ...made, one, process, second }
  }

  test('stays behind what is long while no other has room, and moves before what has not begun', async () => {
    const { clock, one, process, second, run, settle } = await crowded()
    expect([process.started, second.started]).toEqual([[1, 3], [2]])
    run()
    one.answer(0, ok('x'))
    await clock.advance(1000)
    expect(second.started).toEqual([2])
    second.report(done(2, 1000))
    await settle()
    expect(second.started).toEqual([2, 1])
    process.report(done(3, 1000), done(1))
    expect(await one.result).toEqual(FINISHED)
  })

  test('moves when the other process ends, and a new one has room', async () => {
    const { clock, one, processes, second, settle } = await crowded()
    one.answer(0, ok('x'))
    await clock.advance(1000)
    second.crash()
    await settle()
    expect(processes[2]?.started).toEqual([1])
  })

  test('moves where a process of another engine makes room', async () => {
    const { clock, processes, run, settle } = world(2)
    const [one, other] = [run({ engine: 'new' }), run({ engine: 'old' })]
    await settle()
    const [process, second] = processes as [ToldProcess, ToldProcess]
    process.report(request(1, 0), ['waiting', 1])
    second.report(done(2))
    await other.result
    run({ engine: 'new', timeoutMs: 60_000 })
    await settle()
    one.answer(0, ok('x'))
    await clock.advance(1000)
    expect([process.started, second.killed, processes[2]?.started]).toEqual([[1, 3], true, [1]])
  })

  test('stays where an agent that was itself stopped is first given its answer', async () => {
    const made = world(2)
    const { clock, settle } = made
    const after = clock.after.bind(clock)
    // None of its timers has rung when it goes on.
    clock.after = (ms) => after(ms, () => {})
    const { one, process, second } = await crowded(made)
    second.report(done(2))
    await clock.advance(2000)
    one.answer(0, ok('x'))
    await settle()
    expect([process.of('answer').length, second.started]).toEqual([1, [2]])
  })

  test('is not lost with what nobody wants any more before that has taken as long as its own beginning would', async () => {
    const { clock, processes, run, settle } = world(1)
    const one = run()
    await clock.advance(300)
    const [process] = processes as [ToldProcess]
    process.report(request(1, 0), ['waiting', 1])
    const unwanted = run()
    await settle()
    unwanted.kill('cancelled')
    await clock.advance(299)
    expect(process.killed).toBe(false)
    await clock.advance(1)
    expect(process.killed).toBe(true)
    one.answer(0, ok('x'))
    await settle()
    expect(processes[1]?.started).toEqual([1])
  })

  test('is where few others wait', async () => {
    const { processes, run, settle } = world(2)
    run()
    run()
    await settle()
    const [process, second] = processes as [ToldProcess, ToldProcess]
    second.report(request(2, 0), ['waiting', 2])
    process.report(request(1, 0), ['waiting', 1])
    for (const [id, taker] of [
      [3, process],
      [4, second],
    ] as const) {
      run()
      await settle()
      taker.report(request(id, 0), ['waiting', id])
    }
    expect(processes.map(({ started }) => started)).toEqual([
      [1, 3],
      [2, 4],
    ])
  })

  test('survives its process', async () => {
    const { one, process, processes, run, settle } = await waiting()
    const other = run()
    await settle()
    process.crash()
    expect(await other.result).toEqual({ kind: 'inconclusive', reason: 'its process ended: signal SIGSEGV' })
    expect([one.state(), one.alive(), processes.length]).toEqual(['waiting', true, 1])
    one.answer(0, ok('x'))
    await settle()
    expect(processes[1]?.started).toEqual([1])
    processes[1]?.report(done(1))
    expect(await one.result).toEqual(FINISHED)
  })

  test('does not keep its instance for ever when many wait', async () => {
    const { processes, run, settle } = world()
    const runs = []
    for (let id = 1; id <= 20; id++) {
      runs.push(run())
      await settle()
      processes[0]?.report(request(id, 0), ['waiting', id])
    }
    await settle()
    expect(processes[0]?.of('drop').map(([, id]) => id)).toEqual([1, 2, 3, 4])
    expect(runs.map((one) => one.state())).toEqual(runs.map(() => 'waiting'))
    runs[0]?.answer(0, ok('x'))
    await settle()
    expect(processes[0]?.started.at(-1)).toBe(1)
  })

  test('is timed from its start, waiting included', async () => {
    const { one, clock, process } = await waiting()
    await clock.advance(9900)
    expect(one.state()).toBe('waiting')
    await clock.advance(200)
    expect(await one.result).toEqual({ kind: 'inconclusive', reason: 'no result within 10000 ms' })
    expect([process.killed, process.of('drop')]).toEqual([false, [['drop', 1]]])
  })

  test('that is killed is let go, without its process', async () => {
    const { one, process, settle } = await waiting()
    one.kill('cancelled')
    expect([await one.result, one.state()]).toEqual([{ kind: 'inconclusive', reason: 'cancelled' }, 'done'])
    await settle()
    expect([process.killed, process.of('drop')]).toEqual([false, [['drop', 1]]])
  })

  test('for nothing is ended', async () => {
    const { processes, run, settle } = world()
    const one = run()
    await settle()
    processes[0]?.report(['waiting', 1])
    expect(await one.result).toEqual({ kind: 'inconclusive', reason: 'it waits for nothing' })
  })
})
