/** A namespace moves from an agent on level to one on a real etcd, and back, while writers go on. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeValue } from '../../protocol/values.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { connectAgent } from '../control/client.ts'
import { freshDirectory, startAgent, type TestAgent, until, wayside } from '../testing/wayside.ts'

const WRITERS = 6
const KEYS = 300

let cluster: Cluster
let level: TestAgent
let etcd: TestAgent
const directory = freshDirectory()

beforeAll(async () => {
  cluster = await startCluster()
  level = await startAgent()
  etcd = await startAgent(cluster.endpoints.flatMap((endpoint) => ['--etcd', endpoint]))
})
afterAll(async () => {
  for (const agent of [level, etcd]) await agent?.stop('SIGKILL')
  await cluster.close()
})

const state = (at: TestAgent, ...args: string[]) => wayside(['state', ...args, '--data', at.data])
const exported = async (at: TestAgent, name: string, ...flags: string[]) => {
  const { status, stdout, stderr } = await state(at, 'export', 'shop', ...flags)
  expect({ status, stderr }).toMatchObject({ status: 0 })
  const file = join(directory, name)
  writeFileSync(file, stdout)
  return { file, ...(JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as { entries: number; sha256: string }) }
}
const move = async (from: TestAgent, to: TestAgent) => {
  const { peer } = to.status
  const { file, entries, sha256 } = await exported(from, `${peer}.ndjson`, '--to', peer)
  const imported = await state(to, 'import', file, '--json')
  expect(JSON.parse(imported.stdout)).toEqual({ namespace: 'shop', entries, sha256 })
  // Again it is there already.
  expect(await state(to, 'import', file)).toMatchObject({ status: 0 })
  expect(await state(from, 'export', 'shop', '--moved', sha256)).toMatchObject({ status: 0 })
  return { file, entries, sha256 }
}

/** Writers at whichever home takes their writes, until `stop` is called, which returns what was acknowledged. */
const writing = async () => {
  const clients = await Promise.all([level, etcd].map(({ data }) => connectAgent(data)))
  const acknowledged = new Map<string, number>()
  const refusals = new Set<string>()
  let isEnding = false
  let writes = 0
  const put = async (key: string, n: number, end: number): Promise<void> => {
    for (let at = end; ; at = 1 - at) {
      const value = encodeValue(n)
      const ask = clients[at]?.ask({ t: 'state_put', namespace: 'shop', key, value }, 'state_written')
      const refusal = await ask?.then(
        () => undefined,
        (cause: { code: string; message: string }) => cause,
      )
      if (refusal === undefined) break
      refusals.add(`${refusal.code}: ${refusal.message}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    acknowledged.set(key, n)
    writes += 1
  }
  const writer = async (name: number) => {
    for (let n = 0; !isEnding; n++) await put(`${name}/${n % KEYS}`, n, 0)
  }
  const writers = Array.from({ length: WRITERS }, (_, name) => writer(name))
  const more = async (count: number) => {
    const goal = writes + count
    await until(() => writes >= goal)
  }
  const stop = async () => {
    isEnding = true
    await Promise.all(writers)
    for (const client of clients) client.close()
    return { acknowledged, refusals: [...refusals].join('\n') }
  }
  return { more, stop }
}

const kept = async (at: TestAgent): Promise<Map<string, number>> => {
  const { stdout } = await state(at, 'list', 'shop', '--json')
  const lines = stdout.split('\n').filter(Boolean)
  return new Map(lines.map((line) => JSON.parse(line)).map(({ key, value }) => [key, value]))
}

test('level to etcd and back, with counts and root hash, writers the whole time: nothing is lost', async () => {
  // Where it never was nobody may write before it comes: it is closed there, as a home that it has left.
  await state(etcd, 'put', 'shop', 'none', '0')
  const { sha256 } = await exported(etcd, 'none.ndjson', '--to', level.status.peer)
  await state(etcd, 'export', 'shop', '--moved', sha256)
  const { more, stop } = await writing()
  await more(200)
  const there = await move(level, etcd)
  expect(there.entries).toBeGreaterThan(100)
  expect(await state(level, 'get', 'shop', '0/0')).toMatchObject({
    status: 6,
    stderr: expect.stringContaining(etcd.status.peer),
  })
  await more(100)
  await move(etcd, level)
  await more(100)
  const { acknowledged, refusals } = await stop()
  expect(await kept(level)).toEqual(acknowledged)
  expect(refusals).toContain(`E_STATE_MOVING: namespace shop is moving to ${etcd.status.peer}`)
  expect(refusals).toContain(`E_NAMESPACE_TAKEN: namespace shop has moved to ${etcd.status.peer}`)
})

test('a copy is taken back, is for one home, and counts for one that has nothing', async () => {
  const { file, entries } = await exported(level, 'copy.ndjson')
  expect(await state(level, 'import', file)).toMatchObject({
    status: 6,
    stderr: expect.stringContaining('E_NAMESPACE_TAKEN'),
  })
  expect(await kept(level)).toHaveProperty('size', entries)
  expect(await state(etcd, 'import', file)).toMatchObject({ status: 0 })
  expect(await kept(etcd)).toEqual(await kept(level))
  const lines = readFileSync(file, 'utf8').split('\n')
  expect(lines.length).toBe(entries + 3 + Math.floor(entries / 1000))
  for (const at of [level, etcd]) {
    expect(await state(at, 'delete', 'shop', '--yes')).toMatchObject({ status: 0 })
    expect((await kept(at)).size).toBe(0)
    expect(await state(at, 'import', file)).toMatchObject({ status: 0 })
  }
})
