/** How soon what is delayed is tried again. */
import { expect, test } from 'vitest'
import type { DurableRecord } from '../../protocol/durable.ts'
import { MeshError } from '../../protocol/errors.ts'
import { FakeClock } from '../../simulations/clock.ts'
import type { Delegations } from './delegations.ts'
import { drive } from './drive.ts'
import type { StoredRun } from './kept-run.ts'

test('twice as late each time, up to 10 s, and soon again once it has got further than ever', async () => {
  const clock = new FakeClock()
  const beganMs = clock.monotonic()
  const triedMs: number[] = []
  const run = { id: 'one', journal: [] as object[], fail: async () => {} }
  // What it comes to before it is delayed again, by attempts.
  const reaches = [...Array(16).fill(3), 2, 4, 4, 1, 5]
  const driving = drive(
    { clock, log: { event: () => {} } },
    {
      durable: run as unknown as StoredRun,
      record: { level: 'self', deadline_ms: clock.now() + 1e9 } as DurableRecord,
      input: new Uint8Array(),
      abort: new AbortController().signal,
      delegations: {} as Delegations,
      cancelCalls: async () => {},
      call: async () => {
        triedMs.push(clock.monotonic() - beganMs)
        const reached = reaches[triedMs.length - 1]
        if (reached === undefined) return {} as never
        run.journal = Array.from({ length: reached }, () => ({}))
        throw new MeshError('E_BUSY', 'no room')
      },
    },
  )
  await clock.advance(1_000_000)
  await driving
  const waits = triedMs.slice(1).map((ms, i) => ms - (triedMs[i] as number))
  const far = [100, 200, 400, 800, 1600, 3200, 6400, ...Array(9).fill(10_000)]
  expect(waits).toEqual([...far, 10_000, 100, 200, 400, 100])
})
