/** What tests of attacks share: a peer that lends, and an honest caller whom it must still serve afterwards. */
import { expect } from 'vitest'
import { EFFECT_KINDS, type EffectKind } from '../protocol/effects.ts'
import { type ScriptedPeer, scriptedPeer } from '../scripts/test/scripted-peer.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import type { OwnerPolicy } from './owner-policy.ts'

export const DOUBLE = 'export default (x) => 2 * x'

/** A host that lends, an honest caller that lends nothing, and the function that it calls. */
export const hostAnd = async (
  name: string,
  { delayMs = 0, policy = {} as Partial<OwnerPolicy>, effects = EFFECT_KINDS as readonly EffectKind[] } = {},
) => {
  const world = await worldFor(name, {
    peers: 2,
    setup: (i) =>
      i === 0
        ? delayMs === 0
          ? { policy, effects }
          : { policy, effects, sandboxHost: (host, clock) => slowHost(host, clock, () => delayMs) }
        : { policy: { slots: 0 } },
  })
  const [host, caller] = world.peers as [WorldPeer, WorldPeer]
  const double = await publish(caller, DOUBLE)
  await publish(host, DOUBLE)
  const stillServes = async () => {
    expect(returned(await world.until(caller.peer.call(requestOf(double, 4))))).toBe(8)
    expect(host.events.filter(({ name: event }) => event === 'internal.error')).toEqual([])
  }
  return { world, host, caller, double, stillServes }
}

export const join = async (world: World, host: WorldPeer, slots = 0) => (await scriptedPeer(world)).join(host, slots)
export const running = ({ peer }: WorldPeer) => peer.status().running.length
export const codesOf = (peer: ScriptedPeer) => peer.all('bye').map(({ code }) => code)
