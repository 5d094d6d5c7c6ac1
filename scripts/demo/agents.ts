/** The demo's six agents: started, watched, killed, made to lie, ended. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ready } from './agent.ts'
import type { Ran } from './best.ts'
import type { Order } from './mischief.ts'

const PROGRAM = fileURLToPath(new URL('./agent.ts', import.meta.url))
const ROLES = ['honest', 'honest', 'liar', 'slow', 'honest', 'honest'] as const
/** A forger lies about what its functions read and write. */
export type Role = (typeof ROLES)[number] | 'forger'
/** Ten times as long as six take that start at once on two cores with a load of 27. */
const READY_MS_MAX = 120_000
const STARTS_MAX = 3

export interface DemoAgent {
  /** From 1, as it is shown. */
  number: number
  role: Role
  peer: string
  pid: number
  data: string
  child: ChildProcess
  alive: boolean
}

export class Agents {
  readonly #roles: readonly Role[]
  readonly #ran: (agent: number, ran: Ran) => void
  all: DemoAgent[] = []
  ticket = ''
  /** All that were started, up or not. */
  readonly #children = new Set<ChildProcess>()
  readonly #root = mkdtempSync(join(tmpdir(), 'wayside-demo-'))

  /** `ran`: told of what each agent runs, by its number. */
  constructor(roles: readonly Role[] = ROLES, ran: (agent: number, ran: Ran) => void = () => {}) {
    this.#roles = roles
    this.#ran = ran
  }

  /** The first founds the mesh; the others join it with its ticket. */
  async start(started: (agent: DemoAgent) => void): Promise<void> {
    started(await this.#startOne(0))
    const rest = this.#roles.slice(1).map((_, i) => this.#startOne(i + 1))
    for (const agent of await Promise.all(rest)) started(agent)
  }

  byPeer(peer: string): DemoAgent | undefined {
    return this.all.find((agent) => agent.peer === peer)
  }

  kill(agent: DemoAgent): void {
    agent.alive = false
    agent.child.kill('SIGKILL')
  }

  /** It is gone, and then there again: the same key, the same data. */
  async killAndRevive(agent: DemoAgent): Promise<DemoAgent> {
    const exit = once(agent.child, 'exit')
    this.kill(agent)
    await exit
    return this.#startOne(agent.number - 1)
  }

  /** From now on. */
  makeLie(agent: DemoAgent, lieEvery: Order['lieEvery']): void {
    agent.role = 'liar'
    agent.child.send({ lieEvery, delayMs: 0 } satisfies Order)
  }

  makeSlow(agent: DemoAgent, delayMs: number): void {
    agent.child.send({ lieEvery: 0, delayMs } satisfies Order)
  }

  /** Those that were killed start again: the same keys, the same data. */
  async revive(started: (agent: DemoAgent) => void): Promise<void> {
    const dead = this.all.filter(({ alive }) => !alive)
    for (const agent of await Promise.all(dead.map(({ number }) => this.#startOne(number - 1)))) started(agent)
  }

  /** Ends all that are left, and removes their data. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children].map(ended))
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #startOne(i: number): Promise<DemoAgent> {
    const role = this.#roles[i] as Role
    const data = join(this.#root, `agent-${i + 1}`)
    const args = [data, role, ...(i > 0 ? [this.ticket] : [])]
    const { child, peer, ticket } = await this.#started(args)
    this.ticket ||= ticket
    child.on('message', (ran: Ran) => this.#ran(i + 1, ran))
    const agent: DemoAgent = { number: i + 1, role, peer, pid: child.pid as number, data, child, alive: true }
    child.once('exit', () => {
      agent.alive = false
    })
    this.all = [...this.all.filter(({ number }) => number !== agent.number), agent]
    this.all.sort((a, b) => a.number - b.number)
    return agent
  }

  /**
   * On a busy machine one may be too late for a handshake, and ends: then it is started again. One that is still starting is
   * waited for: begun anew, it would take longer.
   */
  async #started(args: readonly string[]): Promise<Ready & { child: ChildProcess }> {
    const signal = AbortSignal.timeout(READY_MS_MAX)
    for (let tries = STARTS_MAX; ; tries--) {
      const child = fork(PROGRAM, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      this.#children.add(child)
      const ready = await readiness(child, signal)
      if (ready) return { child, ...ready }
      this.#children.delete(child)
      if (tries === 1) throw new Error(`${args[0]}: it ended ${STARTS_MAX} times before it was up`)
    }
  }
}

/** Undefined: it has ended. */
const readiness = async (child: ChildProcess, signal: AbortSignal): Promise<Ready | undefined> => {
  const up = once(child, 'message', { signal }).then(([first]) => first as Ready)
  try {
    return await Promise.race([up, once(child, 'exit', { signal }).then(() => undefined)])
  } catch (cause) {
    throw signal.aborted ? new Error(`an agent was not up within ${READY_MS_MAX} ms`, { cause }) : cause
  }
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 4000)
  await exit
  clearTimeout(patience)
}
