import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StateEngine } from '../../peer/state/engine.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
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

/** `CLIENTS` at each home count until `stop` is called, which returns what was acknowledged. */
const CLIENTS = 8
const counting = (homes: readonly StateEngine[]) => {
  const acknowledged: Acknowledged[] = []
  let isEnding = false
  const clients = homes.flatMap((engine, home) =>
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = 0; !isEnding; n++) acknowledged.push(await count(engine, `${home}-${client}-${n}`, client + n))
    }),
  )
  const more = (commits: number) => {
    const goal = acknowledged.length + commits
    return expect.poll(() => acknowledged.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(goal)
  }
  const stop = async () => {
    isEnding = true
    await Promise.all(clients)
    return acknowledged
  }
  return { more, stop }
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
  await homes[0]?.close()
  const { revision } = await count(homes[1] as StateEngine, 'after', 0)
  expect(revision).toBe(acknowledged.length + 1)
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
