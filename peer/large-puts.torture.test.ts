/** What was put before a checkpoint is kept with it: whoever goes on from there makes it no more. Each run computes for seconds. */
import { expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { rawCid } from '../protocol/cid.ts'
import { MIB, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import { splitBytes } from '../protocol/split.ts'
import { encodeValue } from '../protocol/values.ts'
import { publish, requestOf, worldFor } from '../scripts/test/world.ts'
import type { WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { checkpointsName, codeName, PIECES } from './durable/names.ts'

const BYTES = 1.25 * MIB

/** Puts, computes for longer than a checkpoint is due for, and waits twice. */
const CODE = `
  const bytes = new Uint8Array(250_000)
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (size, { DB }) => {
    DB.put('a', new Uint8Array(size).fill(7))
    for (let k = 0; k < 90_000; k++) bytes.fill(k)
    await sleep(900)
    await sleep(900)
    return 'painted'
  }`

test('a durable invocation that goes on from a checkpoint commits what it put before that', async () => {
  const crypto = createCrypto()
  const world = await worldFor('puts before a checkpoint', {
    peers: 4,
    setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}),
  })
  const home = world.peers[0] as WorldPeer
  const about = { effects: ['put' as const, 'sleep' as const], env: [{ name: 'DB', kind: 'state' as const }] }
  const wish = { level: ensureLevel('self'), grants: { DB: { state: 'album' } } }
  const request = requestOf(await publish(home, CODE, about), BYTES, wish)
  const id = await world.until(home.peer.durable.start(request))
  const executor = () => world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
  const keysIn = async (name: string) => {
    const range = { namespace: PIECES, prefix: `${name}/`, limit: 1000 }
    const { entries } = await home.state.list(range, await home.state.revision())
    return entries.map(({ key }) => key)
  }
  // Its checkpoint is kept, behind the blocks.
  while ((await keysIn(checkpointsName(id))).length === 0) await world.clock.advance(50)
  const blocks = splitBytes(crypto, encodeValue(new Uint8Array(BYTES).fill(7)), STATE_BLOCK_BYTES)
  const kept = await keysIn(codeName(id))
  expect(kept).toEqual(expect.arrayContaining(blocks.map(({ cid }) => `${codeName(id)}/${cid}`)))
  await world.clock.advance(900)
  world.kill(executor() as WorldPeer)
  world.kill(home)
  const reborn = await world.restart(home, { policy: { slots: 0 } })
  const other = world.peers.slice(1).find(({ peer }) => peer.status().running.length === 0) as WorldPeer
  await world.until(reborn.peer.join(other.address))
  const end = await world.until(reborn.peer.durable.wait(id))
  expect(end.state).toBe('done')
  const { value } = await world.until(reborn.peer.state.get('album', 'a'))
  expect(value && rawCid(crypto, value).toString()).toBe(
    rawCid(crypto, encodeValue(new Uint8Array(BYTES).fill(7))).toString(),
  )
})
