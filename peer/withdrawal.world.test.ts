import { expect, test } from 'vitest'
import { publish, requestOf, worldFor } from '../scripts/test/world.ts'
import { slowHost } from '../simulations/adversaries.ts'

test('who withdraws runs nothing at once, and takes work again when it resumes', async () => {
  const slow = { sandboxHost: (host, clock) => slowHost(host, clock, () => 5000) } satisfies Parameters<
    Awaited<ReturnType<typeof worldFor>>['add']
  >[0]
  const world = await worldFor('withdrawn', { peers: 2, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : slow) })
  const [caller, executor] = world.peers as [(typeof world.peers)[0], (typeof world.peers)[0]]
  const double = await publish(caller, 'export default (x) => 2 * x')
  const call = () => caller.peer.call(requestOf(double, 21, { timeoutMs: 60_000 }))
  const given = call()
  const refused = expect(given).rejects.toMatchObject({ code: 'E_PAUSED' })
  await world.clock.advance(1000)
  expect(executor.peer.status().running).toHaveLength(1)
  executor.peer.withdraw()
  expect(executor.peer.status().running).toEqual([])
  // Nobody else lends.
  await world.clock.advance(10_000)
  await refused
  executor.peer.resume()
  await world.clock.advance(1000)
  const { performed } = await world.until(call())
  expect(performed.map((one) => one.executor)).toEqual([executor.peerId])
})
