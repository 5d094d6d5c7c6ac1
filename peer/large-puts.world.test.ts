/** Large values as functions put them: as blocks, with whoever runs them killed, restarted or lying. */
import { describe, expect, test } from 'vitest'
import { createCrypto } from '../node/crypto.ts'
import { rawCid } from '../protocol/cid.ts'
import { type EffectKind, type LargePut, largePutIn } from '../protocol/effects.ts'
import { BLOCKS_PROTOCOL, BlockFrame } from '../protocol/frames.ts'
import type { StateGrant } from '../protocol/grants.ts'
import type { JournalEntry } from '../protocol/journal.ts'
import { MIB, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import { Outcome } from '../protocol/outcome.ts'
import type { Channel } from '../protocol/ports.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import { ENGINES } from '../sandbox/engines.ts'
import { createSandboxPool } from '../sandbox/pool.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import { forgingHost, withholdingHost } from '../simulations/adversaries.ts'
import { delegated, withChannels } from '../simulations/channels.ts'
import type { PeerSetup, World, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'
import { receiptFileOf } from './receipt-file.ts'
import { journalBytes } from './sizes.ts'
import { openStorageEngine } from './state/storage-engine.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { verifyReceiptFile } from './verify-file.ts'

const EFFECTS: EffectKind[] = ['get', 'list', 'put', 'sleep']
const ABOUT = {
  effects: EFFECTS,
  env: [{ name: 'DB', kind: 'state' as const }],
  exports: ['default', 'blindly', 'slowly'],
}
const BYTES = 0.75 * MIB
const crypto = createCrypto()
const cidOf = (value: Value) => rawCid(crypto, encodeValue(value)).toString()

/** Paints on what there was, and looks at it in the home's list. */
const PAINT = `
  const paint = async ({ bytes, fill }, { DB }) => {
    const before = await DB.get('a')
    const picture = new Uint8Array(bytes).fill(fill)
    picture[1] = before ? before[1] + 1 : 0
    DB.put('a', picture)
    return picture[1]
  }
  export default async (wish, env) => {
    const strokes = await paint(wish, env)
    const { entries } = await env.DB.list()
    return [strokes, entries[0].value.length, entries[0].value[0]]
  }
  export const blindly = ({ bytes, fill }, { DB }) => DB.put('a', new Uint8Array(bytes).fill(fill))
  export const slowly = async (wish, env) => {
    const strokes = await paint(wish, env)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const { entries } = await env.DB.list()
    return [strokes, entries[0].value.length, entries[0].value[0]]
  }`

const picture = (fill: number, strokes: number, bytes = BYTES) => {
  const painted = new Uint8Array(bytes).fill(fill)
  painted[1] = strokes
  return painted
}

const home = (world: World) => world.peers[0] as WorldPeer
const meshFor = (name: string, peers: number, setup: (i: number) => PeerSetup = () => ({})) =>
  worldFor(name, { peers, setup: (i) => (i === 0 ? { policy: { slots: 0 } } : setup(i)) })

interface Wish {
  export?: string
  bytes?: number
  grant?: Partial<StateGrant>
}
const wishOf = async (world: World, level: string, { export: name = 'default', bytes = BYTES, grant }: Wish = {}) => {
  const wish = { level: ensureLevel(level), grants: { DB: { state: 'album', ...grant } }, export: name }
  return requestOf(await publish(home(world), PAINT, ABOUT), { bytes, fill: 7 }, wish)
}
const paint = async (world: World, level: string, wish?: Wish) =>
  home(world).peer.call(await wishOf(world, level, wish))

const keptIn = async (world: World) => {
  const { value } = await world.until(home(world).peer.state.get('album', 'a'))
  return value && rawCid(crypto, value).toString()
}

const putsIn = (journal: readonly JournalEntry[]): LargePut[] =>
  journal.flatMap((one) => (one.entry === 'request' ? (largePutIn(one.kind, one.arguments) ?? []) : []))

const eventsOf = (world: World, name: string) => home(world).events.filter((one) => one.name === name)

test.each(['self', 'quorum:2'])('at %s a function puts what is large, and its journal names blocks', async (level) => {
  const world = await meshFor(`large puts at ${level}`, 4)
  const bytes = 2.25 * MIB
  // Each reads what the other writes: one runs again.
  const results = await world.until(Promise.all([1, 2].map(() => paint(world, level, { bytes }))))
  expect(results.map((one) => (returned(one) as number[])[0]).sort()).toEqual([0, 1])
  const encoded = encodeValue(picture(7, 1, bytes))
  expect(await keptIn(world)).toBe(rawCid(crypto, encoded).toString())
  const last = results.find((one) => (returned(one) as number[])[0] === 1)
  if (!last) throw new Error('none was the last')
  expect(last.disputes).toEqual([])
  expect(last.verification.by).toBe(level.split(':')[0])
  const journal = last.performed.map(({ item }) => item.journal).find(({ length }) => length > 0) ?? []
  expect(journalBytes(journal)).toBeLessThan(8192)
  const [put] = putsIn(journal)
  expect(put).toMatchObject({ binding: 'DB', key: 'a', bytes: encoded.length })
  const blocks = Array.from({ length: Math.ceil(encoded.length / STATE_BLOCK_BYTES) }, (_, i) => i * STATE_BLOCK_BYTES)
  expect(put?.blocks).toEqual(
    blocks.map((at) => rawCid(crypto, encoded.subarray(at, at + STATE_BLOCK_BYTES)).toString()),
  )
  expect(eventsOf(world, 'call.withheld')).toEqual([])
  // Whoever runs it again makes the blocks again: the file carries none of what it put.
  const file = await world.until(receiptFileOf(last, (cid) => home(world).peer.block(cid)))
  const pool = createSandboxPool(home(world).ports, { slots: 1, idleMs: 1000 })
  const sandbox = { pool, engines: ENGINES, timeoutMs: 60_000 }
  const { receipts } = await world.until(verifyReceiptFile({ crypto }, sandbox, file))
  expect(receipts.map(({ verdict }) => verdict)).toEqual(receipts.map(() => 'right'))
  await pool.stop()
})

/** Sends other bytes than were asked for. */
const corrupting = (channel: Channel): Channel => ({
  ...delegated(channel),
  send: (bytes) => {
    const frame = BlockFrame.decode(bytes)
    if (frame.t !== 'block') return channel.send(bytes)
    const other = frame.bytes.slice()
    other[0] = (other[0] as number) ^ 1
    return channel.send(BlockFrame.encode({ ...frame, bytes: other }))
  },
})
const LIARS: Record<string, PeerSetup> = {
  'withholds its blocks': { sandboxHost: withholdingHost },
  'sends other bytes': { ports: (ports) => withChannels(ports, corrupting, BLOCKS_PROTOCOL) },
}

/** It reads nothing, so that no home has to run it but to verify. */
const paintBlindly = (world: World, level: string, wish: Wish = {}) =>
  paint(world, level, { ...wish, export: 'blindly' })
const BLIND = cidOf(new Uint8Array(BYTES).fill(7))

describe.each(Object.entries(LIARS))('an executor that %s', (name, liar) => {
  test('is done without at a quorum, where another gives them', async () => {
    const world = await meshFor(`${name}, one`, 3, (i) => (i === 1 ? liar : {}))
    const result = await world.until(paintBlindly(world, 'quorum:2'))
    expect(result.verification.by).toBe('quorum')
    expect(eventsOf(world, 'call.withheld')).toEqual([])
    expect(await keptIn(world)).toBe(BLIND)
  })

  test('is done without where all are: the home runs the function itself', async () => {
    const world = await meshFor(`${name}, all`, 3, () => liar)
    const result = await world.until(paintBlindly(world, 'quorum:2'))
    expect(result.verification.by).toBe('self')
    expect(eventsOf(world, 'call.withheld')).toMatchObject([{ fields: { code: 'E_BLOCK_MISSING' } }])
    expect(await keptIn(world)).toBe(BLIND)
  })
})

test.each(['self', 'quorum:2'])('an executor that names other blocks is found out at %s', async (level) => {
  const world = await meshFor(`forged at ${level}`, 4, (i) => (i === 1 ? { sandboxHost: forgingHost } : {}))
  // Until it has lied about a put.
  for (let strokes = 0; eventsOf(world, 'call.disputed').length === 0; strokes++) {
    expect(returned(await world.until(paint(world, level)))).toEqual([strokes, BYTES, 7])
    expect(await keptIn(world)).toBe(cidOf(picture(7, strokes)))
  }
})

test('bytes are held against the grant, and against the quota of the namespace, before anything is fetched', async () => {
  const quotaOf = () => ({ keys: 1000, bytes: BYTES })
  const state = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const setup = (i: number) => (i === 0 ? { policy: { slots: 0 }, state } : { sandboxHost: withholdingHost })
  const world = await worldFor('charged', { peers: 3, setup })
  for (const [code, grant] of [
    ['E_GRANT', { bytes: BYTES }],
    ['E_STATE_QUOTA', {}],
  ] as const) {
    const refused = world.until(paintBlindly(world, 'quorum:2', { grant }))
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining('bytes') })
  }
  expect(eventsOf(world, 'call.withheld')).toEqual([])
  expect(await keptIn(world)).toBeUndefined()
})

test('a durable invocation goes on when its executor and its home are killed behind what it put', async () => {
  const world = await meshFor('durable', 4)
  const id = await world.until(home(world).peer.durable.start(await wishOf(world, 'self', { export: 'slowly' })))
  const executor = () => world.peers.slice(1).find(({ peer }) => peer.status().running.length > 0)
  while (!executor()) await world.clock.advance(50)
  await world.clock.advance(300)
  world.kill(executor() as WorldPeer)
  while (!executor()) await world.clock.advance(50)
  world.kill(home(world))
  const reborn = await world.restart(home(world), { policy: { slots: 0 } })
  const other = world.peers.slice(1).find(({ peer }) => peer.status().running.length === 0) as WorldPeer
  await world.until(reborn.peer.join(other.address))
  const end = await world.until(reborn.peer.durable.wait(id))
  expect(end.state).toBe('done')
  expect(Outcome.decode(end.outcome as Uint8Array).result).toEqual({ ok: true, value: encodeValue([0, BYTES, 7]) })
  const { value } = await world.until(reborn.peer.state.get('album', 'a'))
  expect(value && rawCid(crypto, value).toString()).toBe(cidOf(picture(7, 0)))
})
