import { expect, test } from 'vitest'
import { inputsOf } from '../peer/inputs.ts'
import { remoteHomesOf } from '../peer/remote-homes.ts'
import { encodeValue } from '../protocol/values.ts'
import { callerAnd, elsewhere, liar } from '../scripts/test/receipt-files.ts'
import { joinBy, publish, worldFor } from '../scripts/test/world.ts'
import type { WorldPeer } from '../simulations/world.ts'
import type { BackendDispute } from './backend.ts'
import { createPeerBackend } from './peer-backend.ts'

const calling = async (name: string) => {
  const world = await callerAnd(name, liar)
  const [caller] = world.peers as [WorldPeer]
  const { cid } = await publish(caller, 'export default (x) => 2 * x')
  const work = { function: cid.toString(), export: 'default', verify: 'self', timeoutMs: 60_000, remote: false }
  return { world, backend: createPeerBackend(caller.peer), work, liarId: world.peers[1]!.peerId }
}

const convicted = async ({ proof }: BackendDispute): Promise<string[]> =>
  (await elsewhere().verify(proof!)).receipts.map(({ verdict, signer }) => `${verdict} ${signer}`)

test('a call that asks for its receipts gets a proof against each liar', async () => {
  const { world, backend, work, liarId } = await calling('call')
  const result = await world.until(backend.call({ ...work, input: encodeValue(21), receipt: true }))
  expect(result.disputes).toMatchObject([{ liar: liarId }])
  expect(await convicted(result.disputes[0]!)).toEqual([`wrong ${liarId}`])
})

test('a call that does not gets none', async () => {
  const { world, backend, work } = await calling('no receipt')
  const result = await world.until(backend.call({ ...work, input: encodeValue(21), receipt: false }))
  expect(result.disputes).toHaveLength(1)
  expect(result.disputes[0]).not.toHaveProperty('proof')
})

test('a map gets one against each liar, the first time', async () => {
  const { world, backend, work, liarId } = await calling('map')
  const inputs = inputsOf(Array.from({ length: 8 }, (_, i) => encodeValue(i)))
  const disputes: BackendDispute[] = []
  const mapAll = async () => {
    for await (const items of backend.map({ ...work, inputs, unordered: true }))
      for (const item of items) if ('result' in item) disputes.push(...item.result.disputes)
  }
  await world.until(mapAll())
  expect(disputes.length).toBeGreaterThan(1)
  const [first, ...others] = disputes
  expect(await convicted(first!)).toEqual([`wrong ${liarId}`])
  for (const other of others) expect(other).not.toHaveProperty('proof')
})

test('a peer that keeps nothing durable has it kept by its home', async () => {
  const world = await worldFor('durable', { peers: 2 })
  const caller = await joinBy(world, world.peers[0] as WorldPeer)
  const { cid } = await publish(caller, 'export default (x) => 2 * x')
  const backend = createPeerBackend(caller.peer, remoteHomesOf(caller.ports, caller.peer))
  const call = { function: cid.toString(), export: 'default', timeoutMs: 60_000, remote: false, input: encodeValue(21) }
  const id = await world.until(backend.durable.start(call))
  const { outcome } = await world.until(backend.durable.wait(id))
  expect(outcome?.result).toEqual({ ok: true, value: encodeValue(42) })
  expect(await backend.durable.cancel(id)).toBe(false)
})
