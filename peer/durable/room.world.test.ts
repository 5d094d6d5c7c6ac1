/** Durable invocations at a home that has little room for them. */
import { expect, test } from 'vitest'
import { Outcome } from '../../protocol/outcome.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { WorldPeer } from '../../simulations/world.ts'
import { openStorageEngine } from '../state/storage-engine.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { PIECES } from './names.ts'

/** Asks so often, one behind the other: each answer is kept before it is given. */
const CODE = `export default async (n, env, ctx) => {
  for (let i = 0; i < n; i++) await ctx.now()
  return n
}`
const KEYS = 30

test('one whose journal has no room ends with the reason, and makes room for the next', async () => {
  const quotaOf = (holder: string) => ({ keys: holder === PIECES ? KEYS : 1000, bytes: 2 ** 20 })
  const state = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const setup = (i: number) => (i === 0 ? { policy: { slots: 0 }, state } : {})
  const world = await worldFor('room', { peers: 2, setup })
  const { durable } = (world.peers[0] as WorldPeer).peer
  const published = await publish(world.peers[0] as WorldPeer, CODE, { effects: ['now'] })
  const run = async (n: number) => {
    const id = await world.until(durable.start(requestOf(published, n, { level: { level: 'self' } })))
    return { id, end: await world.until(durable.wait(id)) }
  }
  const small = await run(1)
  expect(small.end.state).toBe('done')
  const large = await run(2 * KEYS)
  expect(large.end).toMatchObject({ state: 'failed', outcome: undefined, error: { code: 'E_STATE_QUOTA' } })
  // It was forgotten for that before.
  await expect(durable.end(small.id)).rejects.toMatchObject({ code: 'E_USAGE' })
  // Room is looked for once a second.
  await world.clock.advance(1000)
  const next = await run(2)
  expect(Outcome.decode(next.end.outcome as Uint8Array).result).toMatchObject({ ok: true })
  await expect(durable.end(large.id)).rejects.toMatchObject({ code: 'E_USAGE' })
  expect((await durable.list(true)).map(({ id }) => id)).toEqual([next.id])
})
