/** What a soak asks of its agents: calls of all sizes, levels and ends, and peers that join and leave. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, fn, type Mesh, MeshError } from '../../node/sdk.ts'
import type { Random } from '../../protocol/ports.ts'
import { SoakAgent } from './agents.ts'
import type * as functions from './functions.ts'

const SOURCE = new URL('./functions.ts', import.meta.url)
const echo = fn<typeof functions, 'echo'>(SOURCE, { export: 'echo' })
const throws = fn<typeof functions, 'throws'>(SOURCE, { export: 'throws' })
const work = fn<typeof functions, 'work'>(SOURCE, { export: 'work' })
const nested = fn<(n: number) => number>(new URL('./nested.ts', import.meta.url), { export: 'nested' })

const LEVELS = ['none', 'audit', 'audit', 'quorum:2', 'self']
const BYTES_MAX = 200_000
const MAP_ITEMS = 200
/** A guest of the mesh stays so long at most. */
const STAY_MS_MAX = 8000
const PAUSE_MS_MAX = 60
/** What a call may end with while peers come and go, and callers cancel. */
const EXPECTED = new Set([
  'E_CANCELLED',
  'E_FUNCTION_THREW',
  'E_EXECUTOR_LOST',
  'E_BUSY',
  'E_NO_PEER',
  'E_STOPPING',
  'E_INCONCLUSIVE',
])
const EXPECTED_TOO = new Set(['E_QUORUM_INSUFFICIENT', 'E_RECEIPT', 'E_TIMEOUT', 'E_BLOCK_MISSING', 'E_UNREACHABLE'])

/** How calls have ended: 'ok', or their code. */
export type Ends = Map<string, number>

export class Load {
  readonly ends: Ends = new Map()
  readonly #random: Random
  readonly #untilMs: number
  #n = 0

  constructor(random: Random, untilMs: number) {
    this.#random = random
    this.#untilMs = untilMs
  }

  get #isOver(): boolean {
    return performance.now() >= this.#untilMs
  }

  /** One caller, over the socket of an agent, until the time is up. Throws what no call should end with. */
  async call(agent: SoakAgent): Promise<void> {
    const mesh = await connect({ data: agent.data })
    try {
      while (!this.#isOver) {
        await this.#one(mesh)
        await sleep(this.#random.below(PAUSE_MS_MAX))
      }
    } finally {
      await mesh.close()
    }
  }

  /** Agents that join, lend for a while and leave, in either way. */
  async churn(agent: SoakAgent): Promise<void> {
    while (!this.#isOver) {
      const guest = await SoakAgent.start([agent.ticket])
      await sleep(Math.min(this.#random.below(STAY_MS_MAX), Math.max(0, this.#untilMs - performance.now())))
      await guest.stop(this.#random.below(2) === 0 ? 'SIGTERM' : 'SIGKILL')
      this.#count(`guests`)
    }
  }

  async #one(mesh: Mesh): Promise<void> {
    const cancel = new AbortController()
    const isCancelled = this.#random.below(5) === 0
    if (isCancelled) setTimeout(() => cancel.abort(), this.#random.below(40))
    try {
      await this.#some(mesh, cancel.signal)
      this.#count('ok')
    } catch (error) {
      if (!(error instanceof MeshError) || !(EXPECTED.has(error.code) || EXPECTED_TOO.has(error.code))) throw error
      this.#count(error.code)
    }
  }

  async #some(mesh: Mesh, signal: AbortSignal): Promise<void> {
    const verify = LEVELS[this.#random.below(LEVELS.length)] as string
    const options = { verify, signal, timeoutMs: 20_000 }
    const n = this.#n++
    // Each kind in turn, so that a few calls have all of them.
    switch (n % 6) {
      case 0:
        await mesh.call(echo, this.#random.bytes(this.#random.below(BYTES_MAX)), options)
        return
      case 1:
        return void (await mesh.call(throws, n, options))
      case 2:
        return void (await mesh.call(nested, n, { signal, timeoutMs: 20_000, verify: 'self' }))
      case 3:
        for await (const item of mesh.map(
          work,
          Array.from({ length: MAP_ITEMS }, (_, i) => n + i),
          options,
        ))
          void item
        return
      default:
        return void (await mesh.call(work, n, options))
    }
  }

  #count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }
}
