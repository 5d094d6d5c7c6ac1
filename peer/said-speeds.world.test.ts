import { expect, test } from 'vitest'
import { machine, publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { createCostModelHost, FUEL_PER_MS, MODEL_FUNCTION } from '../simulations/cost-model.ts'
import { withKeyedHashes } from '../simulations/keyed-hash.ts'
import type { PeerSetup } from '../simulations/world.ts'

const USUAL = 4
const CALLS = 12
/** Until a newcomer has measured itself, and said so. */
const MEASURED_MS = 25_000

/** Says that it is `said` times as fast as the model, and is `speed` times as fast in whatever comes later. */
const lender = (speed: number, said = speed): PeerSetup => ({
  policy: { slots: 1 },
  sandboxHost: (_, clock) => {
    const fromMs = clock.monotonic()
    return createCostModelHost(clock, () => (clock.monotonic() - fromMs < MEASURED_MS ? said : speed))
  },
})

test('a newcomer that says it is slow is not asked while others are free, and one that says it is fast gains nothing', async () => {
  const world = await worldFor('said speeds', {
    machine: withKeyedHashes(machine),
    peers: 1 + USUAL,
    setup: (i) => (i === 0 ? { policy: { slots: 0 } } : lender(1)),
  })
  const [caller] = world.peers
  const model = await publish(caller!, new TextDecoder().decode(MODEL_FUNCTION.code))
  let id = 0
  const executorOf = async () => {
    const { performed } = await world.until(caller!.peer.call(requestOf(model, { id: id++, ms: 600 })))
    return performed[0]!.executor
  }
  for (let n = 0; n < USUAL; n++) await executorOf()
  const comes = async (setup: PeerSetup) => {
    const born = await world.add(setup)
    await world.until(born.peer.join(caller!.address))
    return born.peerId
  }
  const slow = await comes(lender(0.4))
  const boaster = await comes(lender(1, 1000))
  await world.clock.advance(MEASURED_MS + 1000)
  const said = new Map(caller!.peer.status().neighbours.map(({ peer, speed }) => [peer, speed]))
  expect([said.get(slow), said.get(boaster)]).toEqual([0.4 * FUEL_PER_MS, 1000 * FUEL_PER_MS])
  const asked: string[] = []
  for (let n = 0; n < CALLS; n++) asked.push(await executorOf())
  expect(asked).not.toContain(slow)
  // If it were believed, all would go to it until it had been seen to run a dozen times.
  expect(asked.filter((peer) => peer === boaster).length).toBeLessThan(CALLS)
})
