/** Real agents of one mesh that are killed and stopped, and come back each time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../protocol/ports.ts'
import { startAgent, startMesh, type TestAgent } from './wayside.ts'

/** An executor that was silent for 1.5 s counts as lost; then the stopped one goes on. */
const STOPPED_MS = 2000

interface Member {
  agent: TestAgent
  /** Up, or why not; resolves when it is up again. */
  back: Promise<void> | undefined
}

export type Blow = 'SIGKILL' | 'SIGSTOP'

export class KilledMesh {
  readonly #members: Member[]
  readonly blows: Record<Blow, number> = { SIGKILL: 0, SIGSTOP: 0 }

  private constructor(agents: readonly TestAgent[]) {
    this.#members = agents.map((agent) => ({ agent, back: undefined }))
  }

  static async start(executors: number): Promise<KilledMesh> {
    return new KilledMesh(await startMesh(1 + executors))
  }

  /** The data directory of the home. */
  get data(): string {
    return this.#home.agent.data
  }

  /** The home is up. */
  async homeIsUp(): Promise<void> {
    while (this.#home.back) await this.#home.back
  }

  /** One that is up, the home in one of three times, any executor else; never all executors at a time. */
  async strike(random: Random, blow: Blow): Promise<void> {
    const executors = this.#members.slice(1)
    const isHome = random.below(3) === 0
    const standing = isHome ? [this.#home] : executors.filter(({ back }) => !back)
    if (standing.length <= (isHome ? 0 : 1) || standing.some(({ back }) => back)) {
      await Promise.race(this.#members.flatMap(({ back }) => (back ? [back] : [])))
      return this.strike(random, blow)
    }
    const member = standing[random.below(standing.length)] as Member
    this.blows[blow] += 1
    const back = blow === 'SIGKILL' ? this.#kill(member) : this.#stop(member)
    member.back = back.finally(() => {
      member.back = undefined
    })
    // Whoever waits for it is told; it must not end the process before.
    member.back.catch(() => {})
  }

  async allAreUp(): Promise<void> {
    await Promise.all(this.#members.map(({ back }) => back))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ agent }) => agent.stop()))
  }

  get #home(): Member {
    return this.#members[0] as Member
  }

  async #kill(member: Member): Promise<void> {
    await member.agent.stop('SIGKILL')
    member.agent = await startAgent([], { data: member.agent.data })
  }

  async #stop({ agent }: Member): Promise<void> {
    process.kill(agent.pid, 'SIGSTOP')
    await sleep(STOPPED_MS)
    process.kill(agent.pid, 'SIGCONT')
  }
}
