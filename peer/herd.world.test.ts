import { expect, test } from 'vitest'
import { machine, publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { createCostModelHost, MODEL_FUNCTION } from '../simulations/cost-model.ts'
import { withKeyedHashes } from '../simulations/keyed-hash.ts'
import type { World, WorldPeer } from '../simulations/world.ts'

const ONE_WAY_MS = 40
const EXECUTORS = 16
const INVOKERS = 16
/** All know which is the fastest, and all believe it idle. */
const speedOf = (executor: number): number => 2 - executor / EXECUTORS

const crowd = async (name: string) => {
  const world = await worldFor(name, {
    machine: withKeyedHashes(machine),
    peers: EXECUTORS + INVOKERS,
    setup: (i) => ({
      policy: { slots: i < EXECUTORS ? 1 : 0 },
      sandboxHost: (_, clock) => createCostModelHost(clock, () => speedOf(i)),
    }),
    latencyMs: () => ONE_WAY_MS,
  })
  const invokers = world.peers.slice(EXECUTORS)
  await world.clock.advance(20_000)
  const functions = await Promise.all(
    invokers.map((one) => publish(one, new TextDecoder().decode(MODEL_FUNCTION.code))),
  )
  let id = 0
  const begin = (i: number) => (invokers[i] as WorldPeer).peer.call(requestOf(functions[i]!, { id: id++, ms: 1000 }))
  // One after another, so that each learns how fast they are without standing in another's way.
  for (let i = 0; i < INVOKERS; i++) for (let n = 0; n < 12; n++) await world.until(begin(i))
  await world.clock.advance(5000)
  return { world, begin }
}

const executorsOf = async (world: World, calls: ReturnType<Awaited<ReturnType<typeof crowd>>['begin']>[]) => {
  const results = await world.until(Promise.all(calls))
  const counts = new Map<string, number>()
  for (const { performed } of results) {
    const { executor } = performed[0]!
    counts.set(executor, (counts.get(executor) ?? 0) + 1)
  }
  return { results, most: Math.max(...counts.values()) }
}

test('many who choose at the same moment by the same old load do not all choose the same', async () => {
  const { world, begin } = await crowd('at once')
  const fromMs = world.clock.monotonic()
  const { results, most } = await executorsOf(
    world,
    Array.from({ length: INVOKERS }, (_, i) => begin(i)),
  )
  // Best by old load: all at the fastest, sixteen times the mean, the last done after 8 s.
  const mean = INVOKERS / EXECUTORS
  expect(most / mean).toBeLessThanOrEqual(4)
  expect(world.clock.monotonic() - fromMs).toBeLessThan(3000)
  const executions = results.reduce((sum, one) => sum + one.executions, 0)
  expect(executions / INVOKERS).toBeLessThanOrEqual(1.25)
})
