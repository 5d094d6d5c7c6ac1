import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StateEngine, Write } from '../../peer/state/engine.ts'
import { put, shown } from '../../peer/state/testing/subject.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { Etcd } from './client.ts'
import { openEtcdEngine } from './engine.ts'
import { Layout } from './layout.ts'
import { base64 } from './messages.ts'
import { SlowRoad } from './testing/slow-road.ts'

const PREFIX = 'compaction/'
const LOG = { key: base64(new Layout(PREFIX).log) }

let cluster: Cluster
let etcd: Etcd
const engines: StateEngine[] = []
beforeEach(async () => {
  cluster = await startCluster()
  etcd = new Etcd(cluster.endpoints)
})
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
  etcd.close()
  await cluster.close()
})

const open = async (endpoints: readonly string[], revisions = 64) => {
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 20 })
  const window = { revisions, bytes: 2 ** 24 }
  const engine = await openEtcdEngine({ endpoints, home: 'home', prefix: PREFIX, quotaOf, window, waitMs: 20_000 })
  engines.push(engine)
  return engine
}

let ids = 0
const write = async (engine: StateEngine, ...writes: Write[]) => {
  ids += 1
  const id = `write-${ids}`
  const revision = await engine.revision()
  const committed = await engine.commit({ id, revision, reads: [], ranges: [], writes })
  return committed.kind === 'committed' ? committed.revision : undefined
}

const valueAt = async (engine: StateEngine, key: string, revision?: number) => {
  const [entry] = await engine.read('shop', [key], revision ?? (await engine.revision()))
  return shown(entry?.value)
}

const until = () => performance.now() + 10_000

test('what is behind the window is compacted in etcd', async () => {
  const home = await open(cluster.endpoints)
  await write(home, put('a', 'first'))
  const { revision } = await etcd.range(LOG, {}, until())
  const isCompacted = async () => {
    // Each is a group of its own: a key is written once in one.
    await Promise.all(Array.from({ length: 50 }, () => write(home, put('a', 'later'))))
    const failed = await etcd.range(LOG, { revision: String(revision) }, until()).catch((error) => error)
    return failed.isCompacted === true
  }
  await expect.poll(isCompacted, { timeout: 30_000, interval: 1 }).toBe(true)
  const newest = await home.revision()
  expect(await valueAt(home, 'a', newest)).toBe('later')
  expect(await valueAt(home, 'a', newest - 60)).toBe('later')
})

test('a home that was away for longer than etcd keeps what happened begins again where it stands now', async () => {
  const road = new SlowRoad(cluster.endpoints[0] as string)
  await road.open()
  const away = await open([road.endpoint])
  await write(away, put('a', '1'), put('b', '1'))
  const other = await open(cluster.endpoints)
  road.cut()
  for (const value of ['2', '3', '4']) await write(other, put('a', value))
  const { revision } = await etcd.range(LOG, {}, until())
  await etcd.call('/v3/kv/compaction', { revision: String(revision) }, until())
  await write(other, put('a', '5'))
  road.mend()
  expect(await valueAt(away, 'a')).toBe('5')
  expect(await valueAt(away, 'b')).toBe('1')
  expect(await valueAt(away, 'a', 4)).toBe('4')
  await expect(valueAt(away, 'a', 2)).rejects.toMatchObject({ code: 'E_REVISION' })
  expect(await write(away, put('a', '6'))).toBe(6)
  expect(await valueAt(other, 'a')).toBe('6')
  await away.close()
  await road.close()
})

test('one that was away for a thousand groups and more is told all of them before it says what is newest', async () => {
  const groups = 1100
  const road = new SlowRoad(cluster.endpoints[0] as string)
  await road.open()
  const other = await open(cluster.endpoints, 2 * groups)
  await write(other, put('a', '0'))
  const away = await open([road.endpoint], 2 * groups)
  road.cut()
  for (let n = 0; n < groups; n += 100)
    await Promise.all(Array.from({ length: 100 }, () => write(other, put('a', `${n}`))))
  road.mend()
  expect(await away.revision()).toBe(groups + 1)
  expect(await valueAt(away, 'a')).toBe(`${groups - 100}`)
  expect(await valueAt(away, 'a', 101)).toBe('0')
  await away.close()
  await road.close()
})
