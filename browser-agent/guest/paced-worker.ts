/** A sandbox's worker that keeps to a share of a core, whether or not its thread can sleep. */
import type { SandboxWorker, WorkerPorts } from '../../sandbox/worker.ts'
import { Pacer, type PacerPorts } from './pacer.ts'

export interface PacedPorts extends PacerPorts {
  /** To the page. */
  send(frame: Uint8Array): void
  /** Calls `run` once the thread has been free for so long. */
  after(ms: number, run: () => void): void
}

export interface PacedWorker {
  frame(frame: Uint8Array): void
  share(share: number): void
}

/** `serve` makes the worker that takes the frames. */
export const paceWorker = (
  ports: PacedPorts,
  serve: (ports: Required<Pick<WorkerPorts, 'send' | 'now' | 'pace'>>) => Pick<SandboxWorker, 'frame'>,
): PacedWorker => new Paced(ports, serve)

class Paced implements PacedWorker {
  readonly #ports: PacedPorts
  readonly #pacer: Pacer
  readonly #worker: Pick<SandboxWorker, 'frame'>
  /** Where the thread cannot sleep: what the last frame led to, told once its rest is over, and the frames that came since. */
  #held: { told: Uint8Array[]; next: Uint8Array[] } | undefined

  constructor(ports: PacedPorts, serve: Parameters<typeof paceWorker>[1]) {
    this.#ports = ports
    this.#pacer = new Pacer(ports)
    const send = (frame: Uint8Array) => (this.#held ? void this.#held.told.push(frame) : ports.send(frame))
    this.#worker = serve({ send, now: ports.now, pace: this.#pacer })
  }

  share(share: number): void {
    this.#pacer.share = share
  }

  frame(frame: Uint8Array): void {
    if (this.#held) return void this.#held.next.push(frame)
    if (!this.#ports.sleep) this.#held = { told: [], next: [] }
    this.#pacer.begin()
    this.#worker.frame(frame)
    const restMs = this.#pacer.end()
    if (!this.#held) return
    if (restMs > 0) this.#ports.after(restMs, () => this.#release())
    else this.#release()
  }

  #release(): void {
    const { told, next } = this.#held ?? { told: [], next: [] }
    this.#held = undefined
    for (const frame of told) this.#ports.send(frame)
    for (const frame of next) this.frame(frame)
  }
}
