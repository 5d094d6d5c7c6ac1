/** What a home has kept of a caller's invocations is damaged: its word, or the record of what runs by it. */
import { expect, test } from 'vitest'
import type { EffectKind } from '../../protocol/effects.ts'
import { joinBy, publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { WorldPeer } from '../../simulations/world.ts'
import { remoteHomesOf } from '../remote-homes.ts'
import type { Write } from '../state/engine.ts'
import { INVOCATIONS, placeOfPeer } from './names.ts'

const CODE = `export default async (ms) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
}
export const outer = async (ms, { DB }, ctx) => {
  DB.put('outer', 1)
  return ctx.call('#default', ms)
}`
const ABOUT = {
  exports: ['default', 'outer'],
  effects: ['call', 'put', 'sleep'] as EffectKind[],
  env: [{ name: 'DB', kind: 'state' as const }],
}

/** Peer 0 is the home; each of the inputs is waited for by `outer`, and by what that calls. */
const scene = async (name: string, inputs: readonly number[]) => {
  const setup = (i: number) => (i === 0 ? { policy: { slots: 0 } } : {})
  const world = await worldFor(name, { peers: 3, setup })
  const home = world.peers[0] as WorldPeer
  const caller = await joinBy(world, home, { policy: { slots: 0 } })
  const published = await publish(caller, CODE, ABOUT)
  const homes = remoteHomesOf(caller.ports, caller.peer)
  const ids: string[] = []
  for (const input of inputs) {
    const about = { level: { level: 'self' as const }, grants: { DB: { state: 'shop' } }, timeoutMs: 3_600_000 }
    ids.push(await world.until(homes.start(requestOf(published, input, { export: 'outer', ...about }))))
  }
  const { durable } = home.peer
  while ((await durable.list(false)).length < 2 * inputs.length) await world.clock.advance(100)
  const change = async (...writes: Write[]) => {
    const revision = await home.state.revision()
    await world.until(home.state.commit({ id: `damage-${revision}`, revision, reads: [], ranges: [], writes }))
  }
  return { world, home, caller, homes, ids, durable, change }
}

test('the word of a caller that is missing or unreadable ends what runs by it, says so, and no other of that caller', async () => {
  const damages = [undefined, Uint8Array.of(0xa0), Uint8Array.of(0xa1, 1)]
  const { world, home, homes, ids, durable, change } = await scene(
    'damaged words',
    [...damages, 0].map(() => 60_000),
  )
  const sound = ids.at(-1) as string
  const damaged = ids.slice(0, -1)
  await change(
    ...damaged.map((key, i): Write => {
      const own = { namespace: '.delegations', key }
      const bytes = damages[i]
      return bytes ? { ...own, put: bytes } : { ...own, delete: true }
    }),
  )
  const { standing, missing } = await world.until(homes.delegations())
  expect([standing.map(({ id }) => id), missing]).toEqual([[sound], []])
  for (const id of damaged) {
    const refused = { code: 'E_STORAGE', message: expect.stringContaining(`invocation ${id} is damaged`) }
    await expect(world.until(homes.revoke(id))).rejects.toMatchObject(refused)
    while (!(await durable.end(id))) await world.clock.advance(1000)
    expect(await world.until(homes.end(id))).toMatchObject({ state: 'failed', error: refused })
  }
  while ((await durable.list(false)).length > 2) await world.clock.advance(1000)
  const states = (await durable.list(true)).map(({ state }) => state)
  expect(states.filter((state) => state === 'cancelled').length).toBe(damaged.length)
  expect(await world.until(homes.wait(sound))).toMatchObject({ state: 'done' })
  expect(home.events.filter(({ name }) => name === 'peer.misbehaved')).toEqual([])
})

test('one of a caller whose record is unreadable is removed by the owner of its home, with what it has called and has kept', async () => {
  const { world, home, caller, homes, ids, durable, change } = await scene('damaged records', [60_000, 60_000])
  const [id, other] = ids as [string, string]
  await change({ namespace: INVOCATIONS, key: id, put: Uint8Array.of(0xa0) })
  await expect(world.until(homes.cancel(id))).rejects.toMatchObject({ code: 'E_STORAGE' })
  expect(await durable.end(id)).toMatchObject({ error: { message: expect.stringContaining(`wayside cancel ${id}`) } })
  expect(await world.until(durable.cancel(id))).toBe(true)
  await expect(durable.end(id)).rejects.toMatchObject({ code: 'E_USAGE' })
  const range = { namespace: placeOfPeer(caller.ports.crypto, caller.peerId), prefix: `${id}/`, limit: 10 }
  expect((await home.state.list(range, await home.state.revision())).entries).toEqual([])
  const states = (await durable.list(true)).map((one) => one.state).sort()
  expect(states).toEqual(['cancelled', 'running', 'running'])
  expect(await world.until(homes.wait(other))).toMatchObject({ state: 'done' })
})
