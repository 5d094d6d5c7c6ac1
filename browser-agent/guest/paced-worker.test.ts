import { expect, test } from 'vitest'
import { FakeClock } from '../../simulations/clock.ts'
import { paceWorker } from './paced-worker.ts'

/** A worker that takes as many ms for a frame as it has bytes, and answers with the frame. */
const start = (canSleep: boolean) => {
  const clock = new FakeClock()
  let computedMs = 0
  let sleptMs = 0
  const sent: { length: number; atMs: number }[] = []
  const now = () => clock.monotonic() + computedMs + sleptMs
  const worker = paceWorker(
    {
      now,
      sleep: canSleep ? (ms) => (sleptMs += ms) : undefined,
      ran: () => {},
      send: ({ length }) => sent.push({ length, atMs: now() }),
      after: (ms, run) => void clock.after(ms, run),
    },
    ({ send, pace }) => ({
      frame: (frame) => {
        computedMs += frame.length
        if (pace.due()) pace.rest()
        send(frame)
      },
    }),
  )
  const give = (...lengths: number[]) => {
    for (const length of lengths) worker.frame(new Uint8Array(length))
  }
  return { clock, worker, sent, give, slept: () => sleptMs }
}

test('a thread that can sleep does, before it answers', () => {
  const { worker, sent, give, slept } = start(true)
  worker.share(0.25)
  give(100)
  expect(slept()).toBe(300)
  expect(sent).toEqual([{ length: 100, atMs: 400 }])
})

test('one that cannot answers as late, and leaves the next frame until then', async () => {
  const { clock, worker, sent, give } = start(false)
  worker.share(0.25)
  give(100, 10, 20)
  expect(sent).toEqual([])
  await clock.advance(299)
  expect(sent).toEqual([])
  await clock.advance(1)
  expect(sent).toEqual([{ length: 100, atMs: 400 }])
  await clock.advance(1000)
  expect(sent.map(({ length }) => length)).toEqual([100, 10, 20])
})

test('at a whole core nothing is held back', () => {
  const { sent, give } = start(false)
  give(100, 10)
  expect(sent).toEqual([
    { length: 100, atMs: 100 },
    { length: 10, atMs: 110 },
  ])
})
