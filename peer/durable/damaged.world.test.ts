/** A home that finds what it kept of durable invocations damaged starts all the same, and goes on with all others. */
import { expect, test } from 'vitest'
import { Outcome } from '../../protocol/outcome.ts'
import { decodeValue } from '../../protocol/values.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { World, WorldPeer } from '../../simulations/world.ts'
import type { Entry, Write } from '../state/engine.ts'
import { INVOCATIONS, PIECES } from './names.ts'

const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (x, env, ctx) => {
    await ctx.now()
    await sleep(100)
    await ctx.random(4)
    await sleep(60_000)
    return 10 * x
  }`
const home = (world: World) => world.peers[0] as WorldPeer
const setup = (i: number) => (i === 0 ? { policy: { slots: 0 } } : {})

/** Of an invocation, in order. */
const kept = async ({ state }: WorldPeer, id: string, what: string): Promise<Entry[]> => {
  const range = { namespace: PIECES, prefix: `${id}/${what}/`, limit: 100 }
  return (await state.list(range, await state.revision())).entries
}
const put = ({ key }: Entry, value: Uint8Array): Write => ({ namespace: PIECES, key, put: value })
const remove = ({ key }: Entry): Write => ({ namespace: PIECES, key, delete: true })

type Damage = [says: RegExp, of: (home: WorldPeer, id: string, other: string) => Promise<Write[]>]
const DAMAGES: Damage[] = [
  [/its record cannot be read/, async (_, id) => [{ namespace: INVOCATIONS, key: id, put: Uint8Array.of(0xa0) }]],
  [/its input is missing/, async (one, id) => (await kept(one, id, 'input')).map(remove)],
  [/part 1 of its journal is missing/, async (one, id) => (await kept(one, id, 'journal')).slice(1, 2).map(remove)],
  [
    /part 0 of its journal was changed/,
    async (one, id) => (await kept(one, id, 'journal')).slice(0, 1).map((part) => put(part, Uint8Array.of(1))),
  ],
  [
    /part 2 of its journal was changed/,
    async (one, id, other) => {
      const [theirs, mine] = [await kept(one, other, 'journal'), await kept(one, id, 'journal')]
      return [put(mine[2] as Entry, theirs[2]?.value as Uint8Array)]
    },
  ],
]

test('each says in `ps` and `wait` what is wrong with it, those behind it end, and a home that starts again tells the same', async () => {
  const world = await worldFor('damaged', { peers: 3, setup })
  const published = await publish(home(world), CODE, { effects: ['now', 'random', 'sleep'] })
  const request = (n: number) =>
    requestOf(published, n, { level: { level: 'self' }, remote: false, timeoutMs: 600_000 })
  const started = Array.from({ length: DAMAGES.length + 2 }, (_, n) => home(world).peer.durable.start(request(n)))
  const all = await world.until(Promise.all(started))
  await world.clock.advance(10_000)
  // As they are found: the sound ones last.
  const ids = [...all].sort()
  const [damaged, sound] = [ids.slice(0, DAMAGES.length), ids.slice(DAMAGES.length)]
  const { state } = home(world)
  const writes = await Promise.all(DAMAGES.map(([, of], i) => of(home(world), ids[i] as string, sound[0] as string)))
  expect(writes.every(({ length }) => length > 0)).toBe(true)

  const revision = await state.revision()
  await world.until(state.commit({ id: 'damage', revision, reads: [], ranges: [], writes: writes.flat() }))
  const restart = async () => {
    world.kill(home(world))
    const reborn = await world.restart(home(world), setup(0))
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
  }
  for (let starts = 0; starts < 2; starts++) {
    await restart()
    const { durable } = home(world).peer
    for (const id of sound) {
      const { outcome } = await world.until(durable.wait(id))
      const { result } = Outcome.decode(outcome as Uint8Array)
      expect(result.ok && decodeValue(result.value)).toBe(10 * all.indexOf(id))
    }
    for (const [i, [says]] of DAMAGES.entries()) {
      const id = damaged[i] as string
      const end = await world.until(durable.wait(id))
      expect(end).toMatchObject({ state: 'failed', outcome: undefined, error: { code: 'E_STORAGE' } })
      expect(end.error?.message).toMatch(says)
      expect(end.error?.message).toContain(id)
      await expect(durable.recorded(id)).rejects.toMatchObject({ code: 'E_STORAGE' })
    }
    const listed = (await durable.list(true)).filter(({ id }) => damaged.includes(id))
    expect(listed.map((one) => one.state)).toEqual(damaged.map(() => 'failed'))
    expect(await durable.list(false)).toEqual([])
  }
  const told = home(world).events.filter(({ name }) => name === 'storage.failed')
  expect(told.map(({ fields }) => fields?.invocation)).toEqual([damaged[0]])

  // Of the one whose record cannot be read nothing is left once its owner has cancelled it; the others have ended.
  const { durable } = home(world).peer
  const [unreadable, ...failed] = damaged as [string, ...string[]]
  expect((await kept(home(world), unreadable, 'input')).length).toBeGreaterThan(0)
  for (const id of damaged) expect(await world.until(durable.cancel(id))).toBe(id === unreadable)
  for (const what of ['input', 'journal', 'code']) expect(await kept(home(world), unreadable, what)).toEqual([])
  await expect(durable.end(unreadable)).rejects.toMatchObject({ code: 'E_USAGE' })
  expect(new Set((await durable.list(true)).map(({ id }) => id))).toEqual(new Set([...failed, ...sound]))
})
