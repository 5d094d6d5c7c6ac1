import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { machine, publish, requestOf, returned } from '../scripts/test/world.ts'
import { lyingHost, slowHost } from '../simulations/adversaries.ts'
import { createWorld, type World, type WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'

const SUM = `
  export default async (x, env, ctx) => (await ctx.call('#part', x)) + (await ctx.call('#part', x + 1))
  export const part = (x) => 10 * x
`

interface Scenario {
  seed: number
  level: string
  latencyMs: number
  /** Pauses before each misfortune; it befalls somebody who is at work then. */
  gapsMs: number[]
  /** They fall silent, and live on; else they die. */
  silent: boolean
  liar: boolean
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(2 ** 31),
  level: fc.constantFrom('audit', 'self', 'quorum:2', 'quorum:3'),
  latencyMs: fc.constantFrom(0, 7, 30),
  gapsMs: fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 3 }),
  silent: fc.boolean(),
  liar: fc.boolean(),
})

/** Eight executors that take 100 ms over a step, the last perhaps a liar, and a caller that lends nothing. */
const worldOf = ({ seed, latencyMs, liar }: Scenario): Promise<World> =>
  createWorld({
    ...{ machine, seed, peers: 9, latencyMs: () => latencyMs },
    setup: (i) =>
      i === 0
        ? { policy: { slots: 0 } }
        : { sandboxHost: (host, clock) => slowHost(liar && i === 8 ? lyingHost(host) : host, clock, () => 100) },
  })

const strike = async (world: World, { seed, gapsMs, silent }: Scenario): Promise<void> => {
  const living = [...world.peers]
  for (const ms of gapsMs) {
    await world.clock.advance(ms)
    const busy = living.filter(({ peer }) => peer.status().running.length > 0)
    const victim = busy[seed % Math.max(1, busy.length)]
    if (!victim) continue
    living.splice(living.indexOf(victim), 1)
    if (silent) world.hub.partition(world.peers[0]!.peerId, victim.peerId)
    else world.kill(victim)
  }
}

test('whoever dies, falls silent or lies: a call with effects has its result, and soon', async () => {
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const world = await worldOf(scenario)
    await world.clock.advance(2000)
    const caller = world.peers[0] as WorldPeer
    const sum = await publish(caller, SUM, { exports: ['default', 'part'], effects: ['call'] })
    const call = caller.peer.call(requestOf(sum, 3, { level: ensureLevel(scenario.level) }))
    await strike(world, scenario)
    const fromMs = world.clock.monotonic()
    const result = await world.until(call)
    expect(returned(result)).toBe(70)
    expect(world.clock.monotonic() - fromMs).toBeLessThan(20_000)
    for (const { liar } of result.disputes) expect([scenario.liar, liar]).toEqual([true, world.peers[8]!.peerId])
    for (const { events } of world.peers) {
      const faults = events.filter(({ name }) => name === 'internal.error' || name === 'peer.misbehaved')
      expect(faults).toEqual([])
    }
  })
  await checkProperty('chaos', property, { runs: 15 })
})
