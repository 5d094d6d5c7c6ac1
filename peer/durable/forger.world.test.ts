/** An executor that forges what functions read, write and fetch delays what is durable, and changes nothing about it. */
import { expect, test } from 'vitest'
import type { Grants } from '../../protocol/grants.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { WebAnswer } from '../../protocol/ports.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import { forgingHost } from '../../simulations/adversaries.ts'
import type { WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const ORIGIN = 'https://bank.example'
const ORDER = `export default async (n, { DB, PAY }) => {
  if ((await DB.get('order/' + n)) !== null) throw new Error('ordered before')
  const left = await DB.get('left')
  DB.put('left', left - 1)
  DB.put('order/' + n, 'reserved')
  const paid = await (await PAY.fetch('${ORIGIN}/pay', { method: 'POST', body: 'order ' + n })).text()
  DB.put('order/' + n, paid)
  return paid
}
export const open = (left, { DB }) => DB.put('left', left)`
const GRANTS: Grants = { DB: { state: 'shop' }, PAY: { fetch: [ORIGIN], methods: ['POST'], onUnknown: 'fail' } }
const ORDERS = 12
const STOCK = 1000

test.each(['self', 'quorum:2'])('at %s', async (level) => {
  const asked: string[] = []
  const exchange = async ({ method, body }: { method: string; body: Uint8Array | null }): Promise<WebAnswer> => {
    const what = `${method} ${Buffer.from(body ?? []).toString()}`
    asked.push(what)
    return { kind: 'answered', status: 200, headers: [], body: new TextEncoder().encode(`did ${what}`) }
  }
  const home = { policy: { slots: 0 }, web: { resolve: async () => ['93.184.215.14'], exchange } }
  const world = await worldFor(level, {
    peers: 5,
    setup: (i) => (i === 0 ? home : i === 1 ? { sandboxHost: forgingHost } : {}),
  })
  const { peer } = world.peers[0] as WorldPeer
  const env = [
    { name: 'DB', kind: 'state' as const },
    { name: 'PAY', kind: 'fetch' as const },
  ]
  const shop = await publish(world.peers[0] as WorldPeer, ORDER, {
    ...{ exports: ['default', 'open'], effects: ['fetch', 'get', 'put'], env },
  })
  const wanted = (input: Value, changes = {}) =>
    requestOf(shop, input, { level: ensureLevel(level), grants: GRANTS, timeoutMs: 600_000, ...changes })
  await world.until(peer.call(wanted(STOCK, { export: 'open' })))
  const { state, events } = world.peers[0] as WorldPeer
  const wasCaught = () => events.some(({ name }) => name === 'call.disputed' || name === 'peer.misbehaved')
  let ordered = 0
  while (ordered === 0 || !wasCaught()) {
    const begunMs = world.clock.monotonic()
    const numbers = Array.from({ length: ORDERS }, () => ordered++)
    const ids = await world.until(Promise.all(numbers.map((n) => peer.durable.start(wanted(n)))))
    const ends = await world.until(Promise.all(ids.map((id) => peer.durable.wait(id))))
    const said = ends.map(({ outcome }) => Outcome.decode(outcome as Uint8Array).result)
    expect(said.map((result) => result.ok && decodeValue(result.value))).toEqual(
      numbers.map((n) => `did POST order ${n}`),
    )
    expect(world.clock.monotonic() - begunMs).toBeLessThan(60_000)
  }
  expect([...asked].sort()).toEqual(Array.from({ length: ordered }, (_, n) => `POST order ${n}`).sort())
  const [left] = await state.read('shop', ['left'], await state.revision())
  expect(decodeValue(left?.value as Uint8Array)).toBe(STOCK - ordered)
})
