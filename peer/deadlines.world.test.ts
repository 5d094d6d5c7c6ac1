import { expect, test } from 'vitest'
import { publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { withFrames } from '../simulations/channels.ts'
import type { PeerSetup, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'

const TIMEOUT_MS = 1000

/** Answers, and signs nothing. */
const unsigning: PeerSetup = {
  ports: (ports) => withFrames(ports, { sent: (frame) => (frame.t === 'receipts' ? [] : [frame]) }),
}

test.each(['audit', 'self'])('a call at %s whose receipt does not come ends by its deadline', async (level) => {
  const world = await worldFor(level, { peers: 2, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : unsigning) })
  const [caller] = world.peers as [WorldPeer]
  const double = await publish(caller, 'export default (x) => 2 * x')
  const fromMs = world.clock.monotonic()
  const call = caller.peer.call(requestOf(double, 21, { level: ensureLevel(level), timeoutMs: TIMEOUT_MS }))
  await expect(world.until(call)).rejects.toMatchObject({ code: 'E_TIMEOUT' })
  expect(world.clock.monotonic() - fromMs).toBeLessThan(TIMEOUT_MS + 100)
})
