/** Steps across a mesh: each is committed at its barrier, and what conflicts is run again from there. */
import { describe, expect, test } from 'vitest'
import type { Grants } from '../../protocol/grants.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Clock, Web } from '../../protocol/ports.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { publish, requestOf, returned, worldFor } from '../../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import { ensureLevel } from '../calls.ts'

const ORIGIN = 'https://sink.example'
const SLOW_MS = 400
/** More than its executors take at once. */
const MANY = 24
const home = (world: World) => world.peers[0] as WorldPeer

/** A server that takes a while, and what it was asked, with which keys. */
const sink = () => {
  const asked: string[] = []
  const keys: (string | undefined)[] = []
  const webOn = (clock: Pick<Clock, 'after'>): Web => ({
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ body, headers }) => {
      asked.push(new TextDecoder().decode(body ?? undefined))
      keys.push(headers.find(([name]) => name === 'idempotency-key')?.[1])
      await new Promise<void>((resolve) => clock.after(SLOW_MS, resolve))
      return { kind: 'answered', status: 200, headers: [], body: new TextEncoder().encode('paid') }
    },
  })
  return { asked, keys, webOn }
}

const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const pay = (API, body) => API.fetch('${ORIGIN}/pay', { method: 'POST', body })
  const add = async (DB, key, by) => {
    const n = ((await DB.get(key)) ?? 0) + by
    DB.put(key, n)
    return n
  }
  export default async (by, { DB }) => add(DB, 'after', by)
  export const before = async (by, { DB }) => add(DB, 'before', by)
  /** Between what it reads and its end something changes. */
  export const order = async (x, { DB, API }) => {
    const before = await add(DB, 'before', 1)
    await pay(API, 'order ' + x)
    const after = await DB.get('after')
    await sleep(900)
    DB.put('after', (after ?? 0) + 1)
    return [before, (after ?? 0) + 1]
  }
  /** What it reads changes before its barrier. */
  export const late = async (x, { DB, API }) => {
    const n = await add(DB, 'before', 1)
    await sleep(900)
    await pay(API, 'late ' + n)
    return n
  }
  /** What it wrote, in the step that wrote it, behind a barrier, and when others have changed it since. */
  export const own = async (x, { DB, API }) => {
    DB.put('own/a', 1)
    DB.put('own/b', 2)
    DB.delete('own/c')
    const seen = [await DB.get('own/a')]
    const paying = pay(API, 'own')
    seen.push(await DB.get('own/a'), await DB.get('own/c'))
    DB.put('own/c', 3)
    await paying
    seen.push(await DB.get('own/a'), await DB.get('own/c'))
    DB.delete('own/a')
    await sleep(10)
    seen.push(await DB.get('own/a'), (await DB.list({ prefix: 'own/' })).entries.map(({ key, value }) => [key, value]))
    return seen
  }
  /** Sleeps for longer than a second. */
  export const nap = async (x, { DB }) => {
    const before = await add(DB, 'before', 1)
    await sleep(5000)
    return [before, await add(DB, 'after', 1), await DB.get('before')]
  }
  export const throws = async (x, { DB, API }) => {
    DB.put('kept', 1)
    await pay(API, 'throws')
    DB.put('lost', 1)
    throw new Error('no')
  }
`
const EXPORTS = ['default', 'before', 'order', 'late', 'own', 'nap', 'throws']
const GRANTS: Grants = { API: { fetch: [ORIGIN], methods: ['POST'], onUnknown: 'retry' }, DB: { state: 'shop' } }

const scene = async (name: string, level: string) => {
  const { asked, keys, webOn } = sink()
  const setup = (i: number, clock: Pick<Clock, 'after'>): PeerSetup =>
    i === 0 ? { web: webOn(clock), policy: { slots: 0 } } : {}
  const world = await worldFor(`${name} at ${level}`, { peers: 4, setup: (i, { clock }) => setup(i, clock) })
  const cid = await publish(home(world), CODE, {
    exports: EXPORTS,
    effects: ['get', 'list', 'put', 'delete', 'fetch', 'sleep'],
    env: [
      { name: 'API', kind: 'fetch' },
      { name: 'DB', kind: 'state' },
    ],
  })
  const of = (name: string, input: Value = 1) =>
    requestOf(cid, input, { level: ensureLevel(level), grants: GRANTS, remote: false, export: name })
  const call = async (name: string, input?: Value) =>
    returned(await world.until(home(world).peer.call(of(name, input))))
  const start = (name: string) => world.until(home(world).peer.durable.start(of(name)))
  const resultOf = async (id: string): Promise<Value> => {
    const { outcome, error } = await home(world).peer.durable.wait(id)
    if (error) throw error
    const { result } = Outcome.decode(outcome as Uint8Array)
    if (!result.ok) throw new Error(result.message)
    return decodeValue(result.value)
  }
  const kept = async (key: string): Promise<Value> => {
    const { state } = home(world)
    const [entry] = await state.read('shop', [key], await state.revision())
    return entry?.value ? decodeValue(entry.value) : null
  }
  /** Of a call, or of a durable invocation. */
  const begin = (kind: string, name: string): Promise<Value> => {
    const { peer } = home(world)
    const ending = kind === 'a call' ? peer.call(of(name)).then(returned) : peer.durable.start(of(name)).then(resultOf)
    ending.catch(() => {})
    return ending
  }
  const restartHome = async () => {
    world.kill(home(world))
    await world.clock.advance(300)
    const reborn = await world.restart(home(world), setup(0, world.clock))
    await world.until(reborn.peer.join(world.peers[1]?.address as string))
  }
  const comes = async (what: () => boolean | Promise<boolean>) => {
    for (let ms = 0; ms < 20_000 && !(await what()); ms += 10) await world.clock.advance(10)
    expect(await what()).toBe(true)
  }
  return { world, asked, keys, call, begin, start, resultOf, kept, restartHome, comes }
}

describe.each(['self', 'quorum:2'])('at %s', (level) => {
  describe.each(['a call', 'a durable invocation'])('%s', (kind) => {
    test('whose second step conflicts: the first is not run again, nor what it fetched', async () => {
      const { world, asked, call, begin, kept, comes } = await scene(`${kind} second`, level)
      const ending = begin(kind, 'order')
      await comes(() => asked.length === 1)
      expect(await kept('before')).toBe(1)
      await world.clock.advance(SLOW_MS + 300)
      expect(await call('default', 10)).toBe(10)
      expect(await call('before', 10)).toBe(11)
      expect(await world.until(ending)).toEqual([1, 11])
      expect(await kept('after')).toBe(11)
      expect(await kept('before')).toBe(11)
      expect(asked).toEqual(['order 1'])
    })

    test('whose first step conflicts at its barrier: nothing was fetched before, and it is fetched once', async () => {
      const { world, asked, call, begin, kept } = await scene(`${kind} first`, level)
      const ending = begin(kind, 'late')
      await world.clock.advance(500)
      expect(await call('before', 10)).toBe(10)
      expect(await world.until(ending)).toBe(11)
      expect(await kept('before')).toBe(11)
      expect(asked).toEqual(['late 11'])
    })

    test('of which many write one key: whoever has its turn waits for no place that others hold', async () => {
      const { world, asked, begin, kept } = await scene(`${kind} many`, level)
      const endings = Array.from({ length: MANY }, () => begin(kind, 'late'))
      const counts = (await world.until(Promise.all(endings))) as number[]
      expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: MANY }, (_, n) => n + 1))
      expect([await kept('before'), asked.length]).toEqual([MANY, MANY])
    })

    test('reads what it wrote, within a step and behind it', async () => {
      const { world, asked, begin, kept } = await scene(`${kind} own`, level)
      expect(await world.until(begin(kind, 'own'))).toEqual([
        ...[1, 1, null, 1, 3, null],
        [
          ['own/b', 2],
          ['own/c', 3],
        ],
      ])
      expect([await kept('own/a'), await kept('own/c'), asked]).toEqual([null, 3, ['own']])
    })

    test('that throws behind a barrier has done what stands before it, and nothing else', async () => {
      const { world, begin, kept, asked } = await scene(`${kind} throws`, level)
      await expect(world.until(begin(kind, 'throws'))).rejects.toThrow('no')
      expect([await kept('kept'), await kept('lost'), asked]).toEqual([1, null, ['throws']])
    })
  })

  test('a durable invocation that sleeps has committed before, and reads what is there afterwards', async () => {
    const { world, call, start, resultOf, kept, comes } = await scene('nap', level)
    const id = await start('nap')
    await comes(async () => (await kept('before')) === 1)
    await world.clock.advance(1000)
    expect(await call('before', 10)).toBe(11)
    expect(await world.until(resultOf(id))).toEqual([1, 1, 11])
  })

  test.each(level === 'self' ? [0, 3] : [3])(
    'its home killed while it sleeps, and %i peers there afterwards: it wakes',
    async (peers) => {
      const { world, start, resultOf, kept, restartHome, comes } = await scene(`asleep, ${peers} peers`, level)
      const id = await start('nap')
      await comes(async () => (await kept('before')) === 1)
      await restartHome()
      if (peers === 0) for (const one of world.peers.slice(1)) world.kill(one)
      expect(await world.until(resultOf(id))).toEqual([1, 1, 1])
      expect(await kept('before')).toBe(1)
    },
  )

  test.each([20, 200, 390, 410, 600])(
    'its home killed %i ms after it began to fetch: the step before is not repeated',
    async (atMs) => {
      const { world, asked, keys, start, resultOf, kept, restartHome, comes } = await scene(`home ${atMs}`, level)
      const id = await start('order')
      await comes(() => asked.length === 1)
      await world.clock.advance(atMs)
      await restartHome()
      expect(await world.until(resultOf(id))).toEqual([1, 1])
      expect([await kept('before'), await kept('after')]).toEqual([1, 1])
      expect(new Set(keys).size).toBe(1)
      expect(asked.length).toBeLessThanOrEqual(2)
    },
  )
})
