/** The mesh behind the demo page: a home in this process, which lends nothing and serves the browser agent, and agents. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Agent, startAgent } from '../../node/agent.ts'
import { readConfig } from '../../node/config.ts'
import { embedTag } from '../../node/web/tag.ts'
import type { AgentNews } from './agent.ts'
import type { MapNode, NodeKind, TileNews } from './events.ts'

const PROGRAM = fileURLToPath(new URL('./agent.ts', import.meta.url))
const LOOPBACK = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
const READY_MS_MAX = 30_000
const STOP_MS_MAX = 4000
const REASON = 'Paints this picture, a tile at a time'

/** `agent 2` before `agent 10`. */
const byName = new Intl.Collator('en', { numeric: true })

interface Named {
  kind: NodeKind
  name: string
  computed: number
  verified: number
}

export class DemoMesh {
  readonly #root = mkdtempSync(join(tmpdir(), 'wayside-demo-browser-'))
  readonly #children: ChildProcess[] = []
  readonly #links = new Map<string, string[]>()
  readonly #named = new Map<string, Named>()
  #home: Agent | undefined
  #tabs = 0

  get home(): Agent {
    if (!this.#home) throw new Error('the mesh is not started')
    return this.#home
  }

  /** The home, then `agents` of one core each; resolves once all are connected to it. */
  async start(agents: number, phone: boolean): Promise<void> {
    const data = join(this.#root, 'home')
    const config = readConfig({ data, listen: LOOPBACK, phone, mdns: false, cpus: '0', log_level: 'error' }, {})
    this.#home = await startAgent(config)
    this.#name(this.#home.peer.peerId, 'home', 'this demo')
    const { ticket } = await this.#home.status()
    await Promise.all(Array.from({ length: agents }, (_, i) => this.#startAgent(i + 1, ticket ?? '')))
  }

  /** The tag that stands in the page. */
  async tag(): Promise<string> {
    const { web, ticket, peer } = await this.home.status()
    const origin = web?.origins.find((one) => one.startsWith('http:'))
    if (!web || origin === undefined) throw new Error('the home serves nothing to pages')
    return embedTag(web, { origin, ticket: ticket ?? '', accept: peer, reason: REASON })
  }

  /** What a phone opens, where it was asked for. */
  async phoneUrl(): Promise<string | null> {
    return (await this.home.status()).phone
  }

  /** Who is there now, and connected to whom. */
  nodes(): MapNode[] {
    const { peer, neighbours } = this.home.peer.status()
    this.#links.set(
      peer,
      neighbours.map((one) => one.peer),
    )
    const others = neighbours.toSorted((a, b) => byName.compare(this.#nameOf(a.peer).name, this.#nameOf(b.peer).name))
    const here = [{ peer, in_flight: 0 }, ...others]
    return here.map((one) => ({
      peer: one.peer,
      ...this.#nameOf(one.peer),
      running: one.in_flight,
      links: here.map((other) => other.peer).filter((other) => this.#areLinked(one.peer, other)),
    }))
  }

  count({ by, verifiers }: TileNews): void {
    this.#nameOf(by).computed++
    for (const verifier of verifiers) this.#nameOf(verifier).verified++
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.map(ended), this.#home?.stop()])
    rmSync(this.#root, { recursive: true, force: true })
  }

  #areLinked(a: string, b: string): boolean {
    return a !== b && ((this.#links.get(a)?.includes(b) || this.#links.get(b)?.includes(a)) ?? false)
  }

  #name(peer: string, kind: NodeKind, name: string): Named {
    const named = { kind, name, computed: 0, verified: 0 }
    this.#named.set(peer, named)
    return named
  }

  /** Whom the demo did not start itself came through the page. */
  #nameOf(peer: string): Named {
    return this.#named.get(peer) ?? this.#name(peer, 'tab', `tab ${++this.#tabs}`)
  }

  async #startAgent(number: number, ticket: string): Promise<void> {
    const child = fork(PROGRAM, [join(this.#root, `agent-${number}`), ticket], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#children.push(child)
    const { promise: met, resolve } = Promise.withResolvers<void>()
    child.on('message', ({ peer, links }: AgentNews) => {
      if (!this.#named.has(peer)) this.#name(peer, 'agent', `agent ${number}`)
      this.#links.set(peer, links)
      if (links.includes(this.home.peer.peerId)) resolve()
    })
    const signal = AbortSignal.timeout(READY_MS_MAX)
    const gone = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`agent ${number} ended with ${code} before it was up`)
    })
    await Promise.race([met, gone])
    gone.catch(() => {})
  }
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await exit
  clearTimeout(patience)
}
