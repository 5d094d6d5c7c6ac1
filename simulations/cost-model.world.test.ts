import { expect, test } from 'vitest'
import { machine, publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { createCostModelHost, MODEL_FUNCTION, modelResult } from './cost-model.ts'
import { withKeyedHashes } from './keyed-hash.ts'
import type { PeerSetup } from './world.ts'

const lender = (slots: number, speed: number): PeerSetup => ({
  policy: { slots },
  sandboxHost: (_, clock) => createCostModelHost(clock, () => speed),
})

test('a world of machines of different speeds takes the time that they take, and nothing else differs', async () => {
  const setups = [lender(0, 1), lender(1, 1), lender(4, 2)]
  const world = await worldFor('speeds', {
    machine: withKeyedHashes(machine),
    peers: setups.length,
    setup: (i) => setups[i] as PeerSetup,
    keepsEvent: (name) => name === 'task.answered',
  })
  const [caller, slow, fast] = world.peers
  const model = await publish(caller!, new TextDecoder().decode(MODEL_FUNCTION.code))
  const call = (id: number) => caller!.peer.call(requestOf(model, { id, ms: 90 }))
  const beganMs = world.clock.monotonic()
  const results = await world.until(Promise.all(Array.from({ length: 90 }, (_, id) => call(id))))
  expect(results.map(returned)).toEqual(results.map((_, id) => modelResult(id)))
  // Nine slots' worth of work: 90 tasks of 90 ms take 900 ms, and at most a window more at the end.
  const tookMs = world.clock.monotonic() - beganMs
  expect(tookMs).toBeGreaterThanOrEqual(900)
  expect(tookMs).toBeLessThan(1300)
  const answered = [slow, fast].map((one) => one!.events.map(({ fields }) => fields.fuel))
  expect(answered[1]!.length).toBeGreaterThan(5 * answered[0]!.length)
  expect(new Set(answered.flat()).size).toBe(1)
  expect(caller!.events).toEqual([])
})
