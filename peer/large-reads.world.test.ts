/** Large values as functions read them: as blocks, with whoever runs them killed on the way. */
import { expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { RecordedInvocation } from '../protocol/durable.ts'
import type { EffectKind } from '../protocol/effects.ts'
import { MIB, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import { ReceiptFile } from '../protocol/records.ts'
import { encodeValue } from '../protocol/values.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { blocksIn } from './large-answers.ts'
import { receiptFileOf } from './receipt-file.ts'
import { Blocks } from './receipt-reading.ts'
import { journalBytes } from './sizes.ts'

const EFFECTS: EffectKind[] = ['get', 'list', 'now', 'put']
const ABOUT = { effects: EFFECTS, env: [{ name: 'DB', kind: 'state' as const }] }
const GRANTS = { DB: { state: 'album' } }
const BYTES = 1.25 * MIB

/** Reads one photograph and a page of all, and adds up what it finds. */
const LOOK = `export default async (name, { DB }, ctx) => {
  const photo = await DB.get(name)
  await ctx.now()
  const { entries } = await DB.list({ prefix: 'photo/' })
  DB.put('seen', photo.length)
  let sum = 0
  for (let i = 0; i < photo.length; i += 4099) sum += photo[i]
  return [photo.length, sum, entries.length]
}`

const photoOf = (fill: number) => {
  const photo = new Uint8Array(BYTES).fill(fill)
  photo[4099] = 9
  return photo
}
const sumOf = (photo: Uint8Array) => photo.filter((_, i) => i % 4099 === 0).reduce((sum, byte) => sum + byte, 0)

const home = (world: World) => world.peers[0] as WorldPeer
const meshFor = (name: string) => worldFor(name, { peers: 5, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : {}) })

const look = async (world: World, level: string) => {
  const cid = await publish(home(world), LOOK, ABOUT)
  return home(world).peer.call(requestOf(cid, 'photo/1', { level: ensureLevel(level), grants: GRANTS }))
}

test.each(['self', 'quorum:2'])('at %s a function reads what is large, and its journal stays small', async (level) => {
  const world = await meshFor(`large reads at ${level}`)
  const { state } = home(world).peer
  for (const n of [1, 2]) await world.until(state.put('album', `photo/${n}`, encodeValue(photoOf(n))))
  const result = await world.until(look(world, level))
  expect(returned(result)).toEqual([BYTES, sumOf(photoOf(1)), 2])
  expect(result.disputes).toEqual([])
  const journal = result.performed[0]?.item.journal ?? []
  expect(journalBytes(journal)).toBeLessThan(8192)
  const blocks = blocksIn(journal)
  expect(blocks.length).toBeGreaterThan((3 * BYTES) / STATE_BLOCK_BYTES)
  const file = await world.until(receiptFileOf(result, (cid) => home(world).peer.block(cid)))
  const carried = new Blocks(createCrypto(), ReceiptFile.decode(file).blocks)
  for (const cid of blocks) expect(carried.find(cid)).toBeDefined()
  expect((await world.until(state.get('album', 'seen'))).value).toEqual(encodeValue(BYTES))
})

test('executors that are killed while they read, and the value that is replaced meanwhile, change nothing', async () => {
  const world = await meshFor('killed while they read')
  const { state } = home(world).peer
  await world.until(state.put('album', 'photo/1', encodeValue(photoOf(1))))
  const calls = Promise.all(Array.from({ length: 2 }, () => look(world, 'self')))
  for (const n of [1, 2]) {
    await world.until(state.put('album', 'photo/2', encodeValue(photoOf(n))))
    world.kill(world.peers[n] as WorldPeer)
  }
  for (const result of await world.until(calls)) {
    const [length, sum] = returned(result) as number[]
    expect([length, sum]).toEqual([BYTES, sumOf(photoOf(1))])
  }
  await world.until(state.put('album', 'photo/2', undefined))
  await world.until(state.put('album', 'photo/1', undefined))
})

/** Reads, waits, and looks at what it has read again. */
const WAIT = `export default async (name, { DB }) => {
  const photo = await DB.get(name)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  DB.put('seen', photo.length)
  return photo.length
}`

test('a durable invocation goes on with what it has read when its home was killed, and its record carries it', async () => {
  const world = await meshFor('durable')
  await world.until(home(world).peer.state.put('album', 'photo/1', encodeValue(photoOf(1))))
  const cid = await publish(home(world), WAIT, { ...ABOUT, effects: ['get', 'put', 'sleep'] })
  const request = requestOf(cid, 'photo/1', { level: ensureLevel('self'), grants: GRANTS })
  const id = await world.until(home(world).peer.durable.start(request))
  await world.clock.advance(900)
  world.kill(home(world))
  const reborn = await world.restart(home(world), { policy: { slots: 0 } })
  await world.until(reborn.peer.join(world.peers[1]?.address as string))
  const end = await world.until(reborn.peer.durable.wait(id))
  expect(end.state).toBe('done')
  expect(Outcome.decode(end.outcome as Uint8Array).result).toEqual({ ok: true, value: encodeValue(BYTES) })
  const recorded = RecordedInvocation.decode(await world.until(reborn.peer.durable.recorded(id)))
  const carried = new Blocks(createCrypto(), recorded.blocks)
  const blocks = blocksIn(recorded.journal.map(({ entry }) => entry))
  expect(blocks).toHaveLength(Math.ceil((BYTES + 1) / STATE_BLOCK_BYTES))
  for (const cid of blocks) expect(carried.find(cid)).toBeDefined()
})
