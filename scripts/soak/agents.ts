/** The agents of a soak: started, asked what they hold, ended or killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ready, Sample } from './agent.ts'

const PROGRAM = fileURLToPath(new URL('./agent.ts', import.meta.url))
const READY_MS_MAX = 30_000
const SAMPLE_MS_MAX = 20_000
const STOP_MS_MAX = 5000

export class SoakAgent {
  readonly data: string
  readonly ticket: string
  readonly #child: ChildProcess

  private constructor(data: string, ticket: string, child: ChildProcess) {
    this.data = data
    this.ticket = ticket
    this.#child = child
  }

  static async start(tickets: readonly string[]): Promise<SoakAgent> {
    const data = mkdtempSync(join(tmpdir(), 'wayside-soak-'))
    const child = fork(PROGRAM, [data, ...tickets], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
    })
    const signal = AbortSignal.timeout(READY_MS_MAX)
    const [ready] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`an agent ended with ${code} before it was up`)
      }),
    ])
    return new SoakAgent(data, (ready as Ready).ticket, child)
  }

  get isUp(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async sample(): Promise<Sample> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(SAMPLE_MS_MAX) })
    this.#child.send('sample')
    return (await answer)[0] as Sample
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.isUp) {
      const exit = once(this.#child, 'exit')
      this.#child.kill(signal)
      const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX)
      await exit
      clearTimeout(patience)
    }
    rmSync(this.data, { recursive: true, force: true, maxRetries: 5 })
  }
}
