/** Homes that share a state: what one has begun the others go on with when it is gone, once. */
import { expect, test } from 'vitest'
import type { Web } from '../../protocol/ports.ts'
import { decodeValue, type Value } from '../../protocol/values.ts'
import { publish, requestOf, worldFor } from '../../scripts/test/world.ts'
import type { PeerSetup, World, WorldPeer } from '../../simulations/world.ts'
import type { StateEngine } from '../state/engine.ts'
import type { Homes } from '../state/homes.ts'
import { openStorageEngine } from '../state/storage-engine.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { inputName, PIECES } from './names.ts'

const HOMES = 3
const ORIGIN = 'https://mail.example'
const grants = { DB: { state: 'shop' }, MAIL: { fetch: [ORIGIN], methods: ['POST'], onUnknown: 'fail' as const } }

/** Counts, waits, counts what it has waited for, and says so. */
const ORDER = `export default async (ms, { DB, MAIL }) => {
  const n = ((await DB.get('n')) ?? 0) + 1
  await new Promise((resolve) => setTimeout(resolve, ms))
  await DB.put('n', n)
  await MAIL.send('${ORIGIN}/mail', { method: 'POST', body: 'order ' + n })
  return n
}`

/** Who lives, as an etcd would tell all of them. */
class Living implements Homes {
  readonly gone = new Set<string>()
  readonly #followers = new Set<() => void>()

  isThere(home: string): boolean {
    return !this.gone.has(home)
  }

  follow(gone: () => void): () => void {
    this.#followers.add(gone)
    return () => this.#followers.delete(gone)
  }

  lost(home: string): void {
    this.gone.add(home)
    for (const tell of this.#followers) tell()
  }
}

/** As one home sees it: a killed one gets no more answers, and one that stops does not close it for the others. */
const viewOf = (engine: StateEngine): { engine: StateEngine; end(): void } => {
  let hasEnded = false
  const unlessEnded = <T>(asked: () => Promise<T>): Promise<T> =>
    hasEnded
      ? new Promise(() => {})
      : asked().then(
          (found) => (hasEnded ? new Promise(() => {}) : found),
          (cause) => (hasEnded ? new Promise(() => {}) : Promise.reject(cause)),
        )
  return {
    engine: {
      revision: () => unlessEnded(() => engine.revision()),
      read: (...asked) => unlessEnded(() => engine.read(...asked)),
      list: (...asked) => unlessEnded(() => engine.list(...asked)),
      commit: (transaction) => unlessEnded(() => engine.commit(transaction)),
      watch: (...asked) => engine.watch(...asked),
      ensureRoom: (...asked) => engine.ensureRoom(...asked),
      close: async () => {},
    },
    end: () => {
      hasEnded = true
    },
  }
}

/** Three homes that lend nothing, and two that lend. */
const scene = async (name: string, ms = 1000) => {
  const sent: string[] = []
  const quotaOf = () => ({ keys: 10_000, bytes: 2 ** 30 })
  const engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const views = Array.from({ length: HOMES }, () => viewOf(engine))
  const homes = new Living()
  const web: Web = {
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ body }) => {
      sent.push(Buffer.from(body ?? []).toString())
      return { kind: 'answered', status: 202, headers: [], body: new Uint8Array() }
    },
  }
  const setup = (i: number): PeerSetup =>
    i < HOMES ? { policy: { slots: 0 }, state: (views[i] as (typeof views)[number]).engine, homes, web } : {}
  const world = await worldFor(name, { peers: HOMES + 2, setup })
  const home = (i: number) => world.peers[i] as WorldPeer
  const env = [
    { name: 'DB', kind: 'state' as const },
    { name: 'MAIL', kind: 'fetch' as const },
  ]
  const fn = await publish(home(0), ORDER, { effects: ['get', 'put', 'send', 'sleep'], env })
  const level = { level: { level: 'self' as const } }
  const start = () => world.until(home(0).peer.durable.start(requestOf(fn, ms, { ...level, remote: false, grants })))
  const kill = (i: number) => {
    world.kill(home(i))
    views[i]?.end()
    homes.lost(home(i).peerId)
  }
  const end = (id: string, at: number) => world.until(home(at).peer.durable.wait(id))
  const count = async (): Promise<Value> => {
    const [entry] = await engine.read('shop', ['n'], await engine.revision())
    return entry?.value ? decodeValue(entry.value) : null
  }
  return { world, engine, homes, home, start, kill, end, count, sent }
}

const settled = (world: World) => world.clock.advance(5000)

test.each([0, 300, 999, 1001, 1003, 1004, 1005, 1010])(
  'the home that began it is killed after %i ms: one of the others goes on, and it counts and sends once',
  async (atMs) => {
    const { world, start, kill, end, count, sent } = await scene(`killed ${atMs}`)
    const id = await start()
    await world.clock.advance(atMs)
    kill(0)
    expect(await end(id, 1)).toMatchObject({ state: 'done' })
    expect(await end(id, 2)).toMatchObject({ state: 'done' })
    await settled(world)
    expect(await count()).toBe(1)
    expect(sent.length).toBeLessThanOrEqual(1)
    // Where it ended at the others nothing of it was sent before.
    if (atMs < 1000) expect(sent).toEqual(['order 1'])
  },
)

test('the next one is killed, too, and the last goes on', async () => {
  const { world, start, kill, end, count, sent } = await scene('two of three')
  const id = await start()
  await world.clock.advance(300)
  kill(0)
  await world.clock.advance(300)
  kill(1)
  expect(await end(id, 2)).toMatchObject({ state: 'done' })
  await settled(world)
  expect(await count()).toBe(1)
  expect(sent).toEqual(['order 1'])
})

test.each([0, 500, 1000, 1004, 1008])(
  'the others take it for gone after %i ms, and it lives: it is fenced, counts once, and hears of the end',
  async (atMs) => {
    const { world, homes, home, start, end, count, sent } = await scene(`taken for gone ${atMs}`)
    const id = await start()
    await world.clock.advance(atMs)
    homes.lost(home(0).peerId)
    for (const at of [0, 1, 2]) expect(await end(id, at)).toMatchObject({ state: 'done' })
    await settled(world)
    expect(await count()).toBe(1)
    expect(sent).toEqual(['order 1'])
  },
)

test('as long as its home lives nobody else runs it, also who starts meanwhile', async () => {
  const { world, home, start, end, count } = await scene('alive')
  const id = await start()
  await world.until(home(1).peer.durable.open())
  await world.clock.advance(100)
  expect(await world.until(home(1).peer.durable.list(false))).toMatchObject([{ id, state: 'running' }])
  expect(await end(id, 2)).toMatchObject({ state: 'done' })
  expect(await count()).toBe(1)
  expect(world.peers.slice(1, HOMES).flatMap(({ peer }) => peer.status().running)).toEqual([])
})

test('of two that a gone home leaves the first is damaged: it says so at each home, and the other is gone on with', async () => {
  const { world, engine, start, kill, end, count } = await scene('damaged')
  const started = [await start(), await start()]
  await world.clock.advance(500)
  kill(0)
  const [damaged, sound] = started.sort() as [string, string]
  const revision = await engine.revision()
  const writes = [{ namespace: PIECES, key: `${inputName(damaged)}/000000`, delete: true as const }]
  await engine.commit({ id: 'damage', revision, reads: [], ranges: [], writes })
  expect(await end(sound, 1)).toMatchObject({ state: 'done' })
  for (const at of [1, 2])
    expect(await end(damaged, at)).toMatchObject({ state: 'failed', error: { code: 'E_STORAGE' } })
  expect(await count()).toBe(1)
})

test.each([1000, 10_000])(
  'with nobody to lend, the one that goes on runs it itself, and waits for what is left of %i ms',
  async (ms) => {
    const { world, home, start, kill, end, count } = await scene(`alone ${ms}`, ms)
    for (const lender of world.peers.slice(HOMES)) world.kill(lender)
    const id = await start()
    await world.clock.advance(500)
    kill(0)
    kill(1)
    expect(await end(id, 2)).toMatchObject({ state: 'done' })
    expect(home(2).peer.status().running).toEqual([])
    expect(await count()).toBe(1)
  },
)
