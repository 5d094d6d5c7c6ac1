/** Homes in processes of their own, which are killed and paused while they commit. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { Etcd } from './client.ts'
import { openEtcdEngine } from './engine.ts'
import { Layout } from './layout.ts'
import { base64 } from './messages.ts'
import { type Acknowledged, counted } from './testing/counting.ts'

const HOME = fileURLToPath(new URL('./testing/home-process.ts', import.meta.url))
const PREFIX = 'processes/'
const HOUR_MS = 60 * 60 * 1000

class Home {
  readonly name: string
  readonly acknowledged: Acknowledged[] = []
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #exited: Promise<unknown>

  constructor(name: string, endpoints: readonly string[], skewMs = 0) {
    this.name = name
    const args = [HOME, name, endpoints.join(','), String(skewMs)]
    this.#process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#process, 'exit')
    createInterface(this.#process.stdout).on('line', (line) => this.acknowledged.push(JSON.parse(line)))
  }

  /** Resolves when `commits` more have been acknowledged. */
  more(commits: number): Promise<void> {
    const goal = this.acknowledged.length + commits
    return expect.poll(() => this.acknowledged.length, { timeout: 60_000, interval: 10 }).toBeGreaterThan(goal)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async end(): Promise<void> {
    this.#process.stdin.end()
    await this.#exited
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }
}

let cluster: Cluster
let homes: Home[]
beforeEach(async () => {
  cluster = await startCluster()
  homes = []
})
afterEach(async () => {
  await Promise.all(homes.map((home) => home.kill()))
  await cluster.close()
})

const start = (name: string, skewMs?: number) => {
  const home = new Home(name, cluster.endpoints, skewMs)
  homes.push(home)
  return home
}

/** The one that commits now, as etcd has it. */
const committer = async (): Promise<Home> => {
  const etcd = new Etcd(cluster.endpoints)
  const range = { key: base64(new Layout(PREFIX).committer) }
  const { kvs } = await etcd.range(range, {}, performance.now() + 10_000)
  etcd.close()
  const [name] = (kvs[0]?.value.toString() ?? '').split('.')
  return homes.find((home) => home.name === name) ?? committer()
}

/** What was acknowledged, by whomever, is there once; what is there and was not is of homes that were killed. */
const expectEachOnce = async (killed: readonly Home[]) => {
  const quotaOf = () => ({ keys: 1_000_000, bytes: 2 ** 30 })
  const engine = await openEtcdEngine({
    endpoints: cluster.endpoints,
    home: 'last',
    prefix: PREFIX,
    quotaOf,
    waitMs: 20_000,
  })
  const { total, ids } = await counted(engine)
  const revision = await engine.revision()
  await engine.close()
  const acknowledged = homes.flatMap((home) => home.acknowledged)
  for (const { id, revision } of acknowledged) expect([id, ids.get(id)]).toEqual([id, revision])
  expect([total, revision]).toEqual([ids.size, ids.size])
  const known = new Set(acknowledged.map(({ id }) => id))
  const unknown = [...ids.keys()].filter((id) => !known.has(id))
  expect(unknown.filter((id) => !killed.some(({ name }) => id.startsWith(`${name}-`)))).toEqual([])
}

test('a home that commits is killed again and again: another goes on, and nothing that was acknowledged is lost', async () => {
  const killed: Home[] = []
  start('a')
  start('b')
  for (const name of ['c', 'd', 'e', 'f']) {
    const lost = await committer()
    await lost.more(20)
    await lost.kill()
    killed.push(lost)
    const [other] = homes.filter((home) => !killed.includes(home))
    start(name)
    await other?.more(20)
  }
  await Promise.all(homes.filter((home) => !killed.includes(home)).map((home) => home.end()))
  await expectEachOnce(killed)
})

test('a home that commits is paused until another does: what it does afterwards counts for nothing, whatever its clock says', async () => {
  start('a', 5 * HOUR_MS)
  start('b', -7 * HOUR_MS)
  start('c')
  for (let round = 0; round < 3; round++) {
    const paused = await committer()
    await paused.more(20)
    paused.signal('SIGSTOP')
    const others = homes.filter((home) => home !== paused)
    await Promise.all(others.map((home) => home.more(20)))
    expect((await committer()).name).not.toBe(paused.name)
    paused.signal('SIGCONT')
    await paused.more(20)
  }
  await Promise.all(homes.map((home) => home.end()))
  await expectEachOnce([])
})
