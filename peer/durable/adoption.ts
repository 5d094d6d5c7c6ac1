/** When a home goes on with what another began: at its own start, and whenever one that shares its state may have gone. */
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import { pause } from '../pause.ts'
import type { Homes } from '../state/homes.ts'
import { Damaged } from './damaged.ts'

/** What could not be taken over is tried again, since nobody else might. */
const AGAIN_MS = 1000

interface AdoptionParts {
  /** Undefined: there are no others. */
  homes: Homes | undefined
  /** What is left to be gone on with, by its id; of what cannot be read, what is wrong with it. Throws what the state throws. */
  left(): AsyncIterable<string | Damaged>
  /** Throws Damaged, and what the state throws. */
  takeOver(id: string): Promise<void>
  /** Ends it, if it is still left. Throws what the state throws. */
  fail(id: string, cause: Damaged): Promise<void>
}

export class Adoption {
  readonly #ports: Pick<Ports, 'clock' | 'log' | 'network'>
  readonly #parts: AdoptionParts
  readonly #stopped = new AbortController()
  /** One after another. */
  #adopting: Promise<void> = Promise.resolve()
  #unfollow: (() => void) | undefined

  constructor(ports: Pick<Ports, 'clock' | 'log' | 'network'>, parts: AdoptionParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Throws what the state throws where it does not say what is left; one that cannot be taken over holds up nothing else. */
  async open(): Promise<void> {
    const first = this.#adopt()
    this.#adopting = first.then(
      (isDone) => (isDone ? undefined : this.#untilDone()),
      () => {},
    )
    this.#unfollow = this.#parts.homes?.follow(() => this.soon())
    await first
  }

  /** Something may be left. */
  soon(): void {
    this.#adopting = this.#adopting.then(() => this.#untilDone())
  }

  /** Whether what `home` runs, this one if it is not said, is run by nobody. */
  isGone(home = this.#ports.network.peerId): boolean {
    return home === this.#ports.network.peerId || !this.#parts.homes?.isThere(home)
  }

  async stop(): Promise<void> {
    this.#unfollow?.()
    this.#stopped.abort()
    await this.#adopting
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const isDone = await this.#adopt().catch((cause) => this.#tell(cause))
      if (isDone) return
      await pause(this.#ports.clock, AGAIN_MS, signal)
    }
  }

  /** False: one of them could not be taken over, and may be the next time. */
  async #adopt(): Promise<boolean> {
    let isDone = true
    for await (const one of this.#parts.left()) {
      if (this.#stopped.signal.aborted) return true
      if (one instanceof Damaged) this.#tell(one)
      else if (!(await this.#takeOver(one))) isDone = false
    }
    return isDone
  }

  async #takeOver(id: string): Promise<boolean> {
    try {
      await this.#parts.takeOver(id).catch(async (cause) => {
        if (!(cause instanceof Damaged)) throw cause
        this.#tell(cause)
        await this.#parts.fail(id, cause)
      })
      return true
    } catch (cause) {
      return this.#tell(cause, id)
    }
  }

  #tell(cause: unknown, id?: string): false {
    const code = cause instanceof MeshError ? cause.code : 'E_INTERNAL'
    const invocation = cause instanceof Damaged ? `${cause.fields.invocation}` : id
    const reason = (cause as Error).message
    this.#ports.log.event('storage.failed', { code, reason, ...(invocation && { invocation }) })
    return false
  }
}
