/** A peer that passes on no effects, as a page is: functions that declare some run elsewhere, all others there too. */
import { expect, test } from 'vitest'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { PeerSetup, WorldPeer } from '../simulations/world.ts'
import { hostAnd, join } from './attacked-host.ts'

const SLEEPS = 'export default async (x, env, ctx) => { await new Promise((r) => setTimeout(r, 1)); return 3 * x }'

/** Peer 0 calls and lends nothing. */
const callerAnd = (name: string, ...setups: PeerSetup[]) =>
  worldFor(name, { peers: 1 + setups.length, setup: (i) => setups[i - 1] ?? { policy: { slots: 0 } } })

test('what requests something goes to who serves it, without asking the other; what is pure goes to either', async () => {
  const world = await callerAnd('served elsewhere', { effects: [] }, {})
  const [caller, without, serving] = world.peers as [WorldPeer, WorldPeer, WorldPeer]
  const sleeps = await publish(caller, SLEEPS, { effects: ['sleep'] })
  const executors = new Set<string>()
  for (let i = 0; i < 5; i++) {
    const result = await world.until(caller.peer.call(requestOf(sleeps, i)))
    expect(returned(result)).toBe(3 * i)
    executors.add(result.performed[0]!.executor)
  }
  expect([...executors]).toEqual([serving.peerId])
  expect(without.peer.status().last_refusal).toBe(null)
  const pure = await publish(caller, 'export default (x) => 2 * x')
  serving.peer.pause()
  await world.clock.advance(200)
  const result = await world.until(caller.peer.call(requestOf(pure, 4)))
  expect([returned(result), result.performed[0]!.executor]).toEqual([8, without.peerId])
})

test('who sends it all the same is refused, and told why', async () => {
  const { world, host, caller, stillServes } = await hostAnd('not served', { effects: [] })
  const sleeps = await publish(caller, SLEEPS, { effects: ['sleep'] })
  await publish(host, SLEEPS, { effects: ['sleep'] })
  const peer = await join(world, host)
  await peer.say(await peer.invoke(sleeps, [1]))
  expect(await peer.next('failed')).toMatchObject({
    ids: [1],
    code: 'E_EFFECT_UNSERVED',
    message: 'this peer passes on no `sleep`; ask one that advertises it',
  })
  await stillServes()
})
