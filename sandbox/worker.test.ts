import { describe, expect, test, vi } from 'vitest'
import { encodeValue } from '../protocol/values.ts'
import { Bases } from './base.ts'
import { bytesOf, limits, seed, sha256, wasm } from './fixture.ts'
import { type Command, encodeFrame, type Report, type RunRecord } from './frames.ts'
import { decodeReports } from './reports.ts'
import { serveSandbox } from './worker.ts'

/** A worker whose clock goes on by `stepMs` with each look at it. */
const worker = (stepMs = 0) => {
  const sent: Report[][] = []
  let nowMs = 0
  const served = serveSandbox({
    wasm,
    send: (frame) => sent.push(decodeReports(frame)),
    hash: sha256,
    now: () => {
      nowMs += stepMs
      return nowMs
    },
  })
  const tell = (commands: Command[], more?: boolean) => served.frame(encodeFrame(commands), more)
  return { tell, raw: served.frame.bind(served), sent, ids: () => sent.map((reports) => reports.map(([, id]) => id)) }
}

const runs = (module: string, ids: readonly number[]): Command[] => {
  const records = ids.map((id): RunRecord => [id, encodeValue(null), seed, []])
  const { fuel, memory_bytes, output_bytes } = limits
  return [
    ['code', module, 'javascript', [], bytesOf(module), [], []],
    ['runs', module, 'default', ['call'], fuel, memory_bytes, output_bytes, records, 'someone'],
  ]
}

const QUICK = 'export default () => 1'

test('that was told to prepare has a base image when the first run comes, and gives the same outcome', () => {
  const outcomes = [true, false].map((prepares) => {
    const bases = new Bases(wasm)
    const made = vi.spyOn(bases, 'of')
    const sent: Report[] = []
    const send = (frame: Uint8Array) => sent.push(...decodeReports(frame))
    const served = serveSandbox({ wasm, bases, send, hash: sha256, now: () => 0 })
    if (prepares) served.prepare()
    expect(made.mock.calls).toEqual(prepares ? [[[]]] : [])
    served.frame(encodeFrame(runs(QUICK, [1])))
    return sent
  })
  expect(outcomes[0]?.map(([kind]) => kind)).toEqual(['done'])
  expect(outcomes[0]).toEqual(outcomes[1])
})

test('rests where its host wants it to, having sent what waits: a slower machine, and the same outcome', () => {
  const sent: Report[] = []
  const sentBeforeRest: number[] = []
  let [nowMs, restedMs] = [0, 0]
  const served = serveSandbox({
    wasm,
    send: (frame) => sent.push(...decodeReports(frame)),
    hash: sha256,
    now: () => nowMs,
    pace: {
      due: () => {
        nowMs += 0.25
        return nowMs - restedMs >= 1
      },
      rest: () => {
        sentBeforeRest.push(sent.length)
        nowMs += 9
        restedMs = nowMs
      },
    },
  })
  const slow = 'export default () => { for (let i = 0; i < 1e6; i++); return 1 }'
  served.frame(encodeFrame([...runs(QUICK, [1]), ...runs(slow, [2])]))
  expect(sentBeforeRest[0]).toBe(1)
  expect(sentBeforeRest.length).toBeGreaterThan(3)
  const [, , outcome, micros] = sent.at(-1) as Extract<Report, { 0: 'done' }>
  expect(micros).toBeGreaterThanOrEqual(9000 * sentBeforeRest.length)
  const { tell, sent: unpaced } = worker()
  tell(runs(slow, [2]))
  expect(unpaced.flat().at(-1)?.[2]).toEqual(outcome)
})

describe('a worker', () => {
  test('sends the reports of short runs together', () => {
    const { tell, ids } = worker()
    tell(runs(QUICK, [1, 2, 3]))
    expect(ids()).toEqual([[1, 2, 3]])
  })

  test('keeps them while the next frame is here already', () => {
    const { tell, ids } = worker()
    tell(runs(QUICK, [1]), true)
    expect(ids()).toEqual([])
    tell(runs(QUICK, [2]), false)
    expect(ids()).toEqual([[1, 2]])
  })

  test('keeps none for long', () => {
    const { tell, ids } = worker(2)
    tell(runs(QUICK, [1, 2]), true)
    tell(runs(QUICK, [3]), true)
    expect(ids()).toEqual([[1], [2], [3]])
  })

  test('keeps none while it computes for long', () => {
    const slow = 'export default () => { for (let i = 0; i < 1e6; i++); return 1 }'
    const { tell, sent } = worker(0.4)
    tell([...runs(QUICK, [1]), ...runs(slow, [2])])
    expect(sent.map(([report]) => report?.slice(0, 2))).toEqual([
      ['done', 1],
      ['done', 2],
    ])
  })

  test('begins each run from the image, also after a rest', () => {
    const counter = 'let count = 0\nexport default () => ++count'
    const { tell, sent } = worker()
    tell(runs(counter, [1, 2]))
    tell(runs(counter, [3]))
    const outcomes = sent.flat().map(([, , outcome]) => outcome)
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[2]).toEqual(outcomes[0])
  })

  test('tells of an image that took long to make, by which another needs no code', () => {
    const module = 'console.log("loading"); export default () => 1'
    const [code, begin] = runs(module, [1]) as [Command, Command]
    const { tell, sent } = worker(10)
    tell([code, begin])
    const images = sent.flat().filter((report) => report[0] === 'image')
    expect(images).toEqual([['image', limits.memory_bytes, module, expect.any(Uint8Array)]])
    const file = images[0]?.[3] as Uint8Array
    const other = worker()
    other.raw(file)
    other.tell([['image', module, limits.memory_bytes], begin])
    expect(other.sent.flat().map(([, , outcome]) => outcome)).toEqual([sent.flat()[0]?.[2]])
  })

  test('tells of none that took no time, and asks for the code of what it is given a wrong one for', () => {
    const { tell, raw, sent } = worker()
    const [code, begin] = runs(QUICK, [1]) as [Command, Command]
    raw(Uint8Array.of(0, 0, 0, 0, 1, 2, 3))
    tell([['image', QUICK, limits.memory_bytes], begin])
    expect(sent.flat()).toEqual([['lacks', 1]])
    tell([code, begin])
    expect(sent.flat().map(([kind]) => kind)).toEqual(['lacks', 'done'])
  })
})
