import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ReadRange, StateEngine, Write } from '../../peer/state/engine.ts'
import { LargeValues } from '../../peer/state/large-values.ts'
import type { MeshError } from '../../protocol/errors.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { systemClock } from '../clock.ts'
import { createCrypto } from '../crypto.ts'
import { systemRandom } from '../random.ts'
import { KEYS, largePut, numberIn } from '../testing/large-puts.ts'
import { type EtcdEngineOptions, openEtcdEngine } from './engine.ts'
import { type Acknowledged, count, counted } from './testing/counting.ts'

let cluster: Cluster
let engines: StateEngine[]
beforeEach(async () => {
  cluster = await startCluster()
  engines = []
})
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()))
  await cluster.close()
})

const open = async (home: string, options: Partial<EtcdEngineOptions> = {}) => {
  const quotaOf = () => ({ keys: 100_000, bytes: 2 ** 26 })
  const engine = await openEtcdEngine({
    ...{ endpoints: cluster.endpoints, home, prefix: 'failover/', quotaOf, waitMs: 20_000, ...options },
  })
  engines.push(engine)
  return engine
}

/** Each client does one thing after the other until `stop` is called, which returns what was acknowledged. */
const working = <T>(clients: readonly ((n: number) => Promise<T>)[]) => {
  const acknowledged: T[] = []
  let isEnding = false
  const running = clients.map(async (work) => {
    for (let n = 0; !isEnding; n++) acknowledged.push(await work(n))
  })
  const more = (commits: number) => {
    const goal = acknowledged.length + commits
    return expect.poll(() => acknowledged.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(goal)
  }
  const stop = async () => {
    isEnding = true
    await Promise.all(running)
    return acknowledged
  }
  return { more, stop }
}

/** At each home. */
const CLIENTS = 8
const counting = (homes: readonly StateEngine[]) =>
  working(
    homes.flatMap((engine, home) =>
      Array.from(
        { length: CLIENTS },
        (_, client) => (n: number) => count(engine, `${home}-${client}-${n}`, client + n),
      ),
    ),
  )

const LARGE_PORTS = { clock: systemClock, crypto: createCrypto(), random: systemRandom }

/** Until it is committed. What is not known is asked for again, under the same id. */
const putLarge = async (engine: StateEngine, key: string, n: number) => {
  const writes = [{ namespace: 'shop', key, put: largePut(n) }]
  for (;;) {
    try {
      const about = { id: `${key}-${n}`, revision: await engine.revision(), reads: [], ranges: [] }
      if ((await engine.commit({ ...about, writes })).kind === 'committed') return { key, n }
    } catch (error) {
      if ((error as MeshError).code !== 'E_STATE_UNAVAILABLE') throw error
    }
  }
}

/** Each that was acknowledged is there once, at the revision that was said; nothing else is. */
const expectEachOnce = async (engine: StateEngine, acknowledged: readonly Acknowledged[]) => {
  const { total, ids } = await counted(engine)
  expect(Object.fromEntries(ids)).toEqual(Object.fromEntries(acknowledged.map(({ id, revision }) => [id, revision])))
  expect(total).toBe(acknowledged.length)
  expect(new Set(ids.values()).size).toBe(ids.size)
}

test('several homes commit through one; a new one takes its place when that leaves', async () => {
  const homes = [await open('a'), await open('b'), await open('c')]
  const { more, stop } = counting(homes)
  await more(300)
  const acknowledged = await stop()
  const [first, next] = homes as StateEngine[] as [StateEngine, StateEngine]
  const commit = (engine: StateEngine, id: string, revision: number, write: Write, ranges: ReadRange[] = []) =>
    engine.commit({ id, revision, reads: [], ranges, writes: [write] })
  const entry = { namespace: 'shop', key: 'k1' }
  await commit(next, 'put', await next.revision(), { ...entry, put: new Uint8Array() })
  const seen = await next.revision()
  await commit(first, 'delete', seen, { ...entry, delete: true })
  await first.close()
  // In etcd nothing is left of what was deleted: who takes over knows from the log that what it had listed has changed.
  const late = commit(next, 'late', seen, { ...entry, key: 'other', delete: true }, [
    { namespace: 'shop', prefix: 'k' },
  ])
  expect(await late).toEqual({ kind: 'conflict', ...entry })
  const { revision } = await count(next, 'after', 0)
  expect(revision).toBe(acknowledged.length + 3)
  await expectEachOnce(homes[2] as StateEngine, [...acknowledged, { id: 'after', revision }])
})

test('the leader of etcd is killed, and comes back: every commit that was acknowledged is there once', async () => {
  const homes = [await open('a'), await open('b')]
  const { more, stop } = counting(homes)
  await more(100)
  for (let round = 0; round < 2; round++) {
    const leader = (await cluster.leader()) as number
    await cluster.kill(leader)
    await more(100)
    await cluster.start(leader)
    await more(50)
  }
  await expectEachOnce(homes[1] as StateEngine, await stop())
})

test('the leader of etcd is paused until another leads, and then goes on: likewise', async () => {
  const homes = [await open('a'), await open('b')]
  const { more, stop } = counting(homes)
  await more(100)
  for (let round = 0; round < 2; round++) {
    const leader = (await cluster.leader()) as number
    cluster.pause(leader)
    await more(100)
    cluster.resume(leader)
    await more(50)
  }
  await expectEachOnce(homes[0] as StateEngine, await stop())
})

test('without a quorum it waits as long as it was told, says why, and loses nothing', async () => {
  const home = await open('a', { waitMs: 3000 })
  const before = await count(home, 'before', 0)
  await cluster.kill(0)
  await cluster.kill(1)
  const unavailable = {
    code: 'E_STATE_UNAVAILABLE',
    message: expect.stringMatching(/etcd (does not answer|has no quorum)/),
  }
  await expect(home.revision()).rejects.toMatchObject(unavailable)
  const writes = [{ namespace: 'counting', key: 'id-meanwhile', put: new Uint8Array() }]
  const transaction = { id: 'meanwhile', revision: before.revision, reads: [], ranges: [], writes }
  const startedAt = performance.now()
  await expect(home.commit(transaction)).rejects.toMatchObject(unavailable)
  expect(performance.now() - startedAt).toBeGreaterThan(2900)
  await cluster.start(0)
  const committed = async () => {
    for (;;) {
      const answer = await home.commit(transaction).catch(() => undefined)
      if (answer) return answer
    }
  }
  expect(await committed()).toEqual({ kind: 'committed', revision: before.revision + 1 })
  expect(await home.commit(transaction)).toEqual({ kind: 'committed', revision: before.revision + 1 })
  expect(await home.revision()).toBe(before.revision + 1)
})

test('the leader of etcd is killed while large values are put: each that was acknowledged stands there whole', async () => {
  const homes = [await open('a'), await open('b')].map((engine) => new LargeValues(LARGE_PORTS, engine, true))
  const keys = homes.flatMap((_, home) => KEYS.map((key) => `${home}${key}`))
  const { more, stop } = working(
    keys.map((key, i) => (n: number) => putLarge(homes[Math.floor(i / KEYS.length)] as StateEngine, key, n + 1)),
  )
  for (let round = 0; round < 2; round++) {
    await more(keys.length)
    const leader = (await cluster.leader()) as number
    await cluster.kill(leader)
    await more(keys.length)
    await cluster.start(leader)
  }
  const last = new Map((await stop()).map(({ key, n }) => [key, n]))
  for (const engine of homes) {
    const found = await engine.read('shop', keys, await engine.revision())
    expect(new Map(found.map(({ key, value }) => [key, numberIn(value)]))).toEqual(
      new Map(keys.map((key) => [key, last.get(key)])),
    )
  }
})
