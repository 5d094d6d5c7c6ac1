/** A real etcd of three nodes on loopback, for tests: Debian's etcd-server, with its data in a temporary folder. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { KeeperLine } from './cluster-keeper.ts'

const KEEPER = fileURLToPath(new URL('./cluster-keeper.ts', import.meta.url))
const NODES = 3
const READY_MS_MAX = 30_000
/** Ports that were free a moment ago may be taken by now. */
const STARTS_MAX = 5

type Keeper = ChildProcessByStdio<Writable, Readable, null>

const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

const until = async (what: string, holds: () => Promise<boolean>) => {
  const stop = performance.now() + READY_MS_MAX
  while (!(await holds())) {
    if (performance.now() > stop) throw new Error(`after ${READY_MS_MAX} ms not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const post = async (url: string, body: object): Promise<Record<string, string> | undefined> => {
  try {
    const reply = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(1000) })
    return reply.ok ? ((await reply.json()) as Record<string, string>) : undefined
  } catch {
    return undefined
  }
}

export class Cluster {
  readonly endpoints: readonly string[]
  readonly #keeper: Keeper
  readonly #exited: Promise<unknown>
  readonly #pids = new Map<number, number>()
  #complaint = ''

  constructor(ports: readonly number[]) {
    this.endpoints = ports.slice(0, NODES).map((port) => `http://127.0.0.1:${port}`)
    const args = [KEEPER, ...ports.map(String)]
    this.#keeper = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#keeper, 'exit')
    // It may have been killed, and then takes no orders.
    this.#keeper.stdin.on('error', () => {})
    createInterface(this.#keeper.stdout).on('line', (text) => {
      const line = JSON.parse(text) as KeeperLine
      if ('pid' in line) this.#pids.set(line.node, line.pid)
      else this.#pids.delete(line.node)
      if ('ended' in line) this.#complaint = line.ended
    })
  }

  /** Of the nodes that run. */
  get pids(): number[] {
    return [...this.#pids.values()]
  }

  /** What the node that ended last has said. */
  get complaint(): string {
    return this.#complaint
  }

  /** Which node leads now; undefined: none, or no quorum knows. */
  async leader(): Promise<number | undefined> {
    for (const node of this.#pids.keys()) {
      const status = await post(`${this.endpoints[node]}/v3/maintenance/status`, {})
      const { leader } = status ?? {}
      if (leader === undefined || leader === '0') continue
      const members = await Promise.all(
        this.endpoints.map((url) => post(`${url}/v3/maintenance/status`, {}) as Promise<unknown>),
      )
      const found = members.findIndex(
        (member) => (member as { header?: { member_id?: string } } | undefined)?.header?.member_id === leader,
      )
      if (found >= 0) return found
    }
    return undefined
  }

  /** Resolves once the node serves reads that a quorum stands behind. */
  async start(node: number): Promise<void> {
    this.#keeper.stdin.write(`${node}\n`)
    await this.#serves(node)
  }

  /** All at once: none is ready before there is a quorum. */
  async startAll(): Promise<void> {
    const nodes = Array.from({ length: NODES }, (_, node) => node)
    for (const node of nodes) this.#keeper.stdin.write(`${node}\n`)
    await Promise.all(nodes.map((node) => this.#serves(node)))
  }

  async kill(node: number): Promise<void> {
    this.#signal(node, 'SIGKILL')
    await until(`node ${node} ended`, async () => !this.#pids.has(node))
  }

  pause(node: number): void {
    this.#signal(node, 'SIGSTOP')
  }

  resume(node: number): void {
    this.#signal(node, 'SIGCONT')
  }

  /** Ends all nodes, paused ones too, and removes their data. */
  async close(): Promise<void> {
    this.#keeper.stdin.end()
    await this.#exited
  }

  #signal(node: number, signal: NodeJS.Signals): void {
    const pid = this.#pids.get(node)
    if (pid === undefined) throw new Error(`node ${node} does not run: ${this.#complaint}`)
    process.kill(pid, signal)
  }

  async #serves(node: number): Promise<void> {
    await until(`node ${node} serves`, async () => {
      if (this.#complaint.includes('address already in use')) throw new Error(this.#complaint)
      return (await post(`${this.endpoints[node]}/v3/kv/range`, { key: 'AA==', limit: 1 })) !== undefined
    })
  }
}

/** Ends with this process, also when that is killed. */
export const startCluster = async (): Promise<Cluster> => {
  for (let starts = 1; ; starts++) {
    const cluster = new Cluster(await freePorts(NODES * 2))
    try {
      await cluster.startAll()
      return cluster
    } catch (error) {
      await cluster.close()
      if (starts === STARTS_MAX) throw error
    }
  }
}
