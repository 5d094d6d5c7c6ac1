/** Requests that arrive when they should not any more: late, after another home has taken over, or twice. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StateEngine, Transaction } from '../../peer/state/engine.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { Etcd } from './client.ts'
import { openEtcdEngine } from './engine.ts'
import { Layout } from './layout.ts'
import { base64 } from './messages.ts'
import { SlowRoad } from './testing/slow-road.ts'

let cluster: Cluster
let roads: SlowRoad[]
const engines: StateEngine[] = []
beforeEach(async () => {
  cluster = await startCluster()
  roads = cluster.endpoints.map((endpoint) => new SlowRoad(endpoint))
  await Promise.all(roads.map((road) => road.open()))
})
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
  await Promise.all(roads.map((road) => road.close()))
  await cluster.close()
})

const open = async (home: string, endpoints: readonly string[], waitMs: number) => {
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 20 })
  const engine = await openEtcdEngine({ endpoints, home, prefix: 'fencing/', quotaOf, waitMs })
  engines.push(engine)
  return engine
}

/** Which home commits now, as etcd has it. */
const committer = async () => {
  const etcd = new Etcd(cluster.endpoints)
  const range = { key: base64(new Layout('fencing/').committer) }
  const { kvs } = await etcd.range(range, {}, performance.now() + 10_000)
  etcd.close()
  return kvs[0]?.value.toString() ?? ''
}

const text = (value: string) => new TextEncoder().encode(value)
const writing = (id: string, revision: number, value: string): Transaction => ({
  id,
  revision,
  reads: [{ namespace: 'shop', key: 'stock' }],
  ranges: [],
  writes: [{ namespace: 'shop', key: 'stock', put: text(value) }],
})

const stockOf = async (engine: StateEngine) => {
  const revision = await engine.revision()
  const [entry] = await engine.read('shop', ['stock'], revision)
  return { revision, stock: new TextDecoder().decode(entry?.value), version: entry?.version }
}

test('what a home sent before it lost its place, and arrives when another has it, changes nothing', async () => {
  const slow = await open(
    'slow',
    roads.map(({ endpoint }) => endpoint),
    1000,
  )
  // So it commits itself; only that would be late. On a busy machine it may not come to that within its second.
  await expect.poll(() => slow.commit(writing('first', 0, '10'))).toEqual({ kind: 'committed', revision: 1 })
  const other = await open('other', cluster.endpoints, 20_000)
  for (const road of roads) road.hold()
  const late = writing('late', 1, '9')
  await expect(slow.commit(late)).rejects.toMatchObject({ code: 'E_STATE_UNAVAILABLE' })
  await expect.poll(committer).toMatch(/^other/)
  await Promise.all(roads.map((road) => road.release()))
  expect(await stockOf(other)).toEqual({ revision: 1, stock: '10', version: 1 })
  expect(await other.commit(writing('second', 1, '8'))).toEqual({ kind: 'committed', revision: 2 })
  await expect.poll(() => slow.revision().catch(() => undefined)).toBe(2)
  await expect.poll(() => slow.commit(late)).toEqual({ kind: 'conflict', namespace: 'shop', key: 'stock' })
  expect(await stockOf(other)).toEqual({ revision: 2, stock: '8', version: 2 })
})

test('what was sent again because no answer came, and arrives a second time later, is committed once', async () => {
  const slow = await open(
    'slow',
    roads.map(({ endpoint }) => endpoint),
    20_000,
  )
  await slow.commit(writing('first', 0, '10'))
  for (const road of roads) road.hold()
  const second = slow.commit(writing('second', 1, '9'))
  const waiting = () => roads.find(({ hasWaiting }) => hasWaiting)
  await expect.poll(waiting, { interval: 10 }).toBeDefined()
  const first = waiting() as SlowRoad
  // The attempt is given up, and another one goes elsewhere, before the lease is over.
  const others = roads.filter((road) => road !== first)
  await expect.poll(() => others.some(({ hasWaiting }) => hasWaiting), { interval: 10 }).toBe(true)
  await Promise.all(others.map((road) => road.release()))
  expect(await second).toEqual({ kind: 'committed', revision: 2 })
  for (const [n, value] of ['8', '7', '6'].entries())
    expect(await slow.commit(writing(`more-${n}`, n + 2, value))).toEqual({ kind: 'committed', revision: n + 3 })
  await first.release()
  expect(await stockOf(slow)).toEqual({ revision: 5, stock: '6', version: 5 })
  const anew = await open('anew', cluster.endpoints, 20_000)
  expect(await stockOf(anew)).toEqual({ revision: 5, stock: '6', version: 5 })
})
