/** When a home goes on with what another began: at its own start, and whenever one that shares its state may have gone. */
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import { pause } from '../pause.ts'
import type { Homes } from '../state/homes.ts'

/** What could not be taken over is tried again, since nobody else might. */
const AGAIN_MS = 1000

export class Adoption {
  readonly #ports: Pick<Ports, 'clock' | 'log' | 'network'>
  readonly #homes: Homes | undefined
  readonly #adopt: () => Promise<void>
  readonly #stopped = new AbortController()
  /** One after another. */
  #adopting: Promise<void> = Promise.resolve()
  #unfollow: (() => void) | undefined

  constructor(
    ports: Pick<Ports, 'clock' | 'log' | 'network'>,
    homes: Homes | undefined,
    /** Takes over whatever is left. */
    adopt: () => Promise<void>,
  ) {
    this.#ports = ports
    this.#homes = homes
    this.#adopt = adopt
  }

  /** Throws what taking over throws. */
  open(): Promise<void> {
    const first = this.#adopt()
    this.#adopting = first.catch(() => {})
    this.#unfollow = this.#homes?.follow(() => this.soon())
    return first
  }

  /** Something may be left. */
  soon(): void {
    this.#adopting = this.#adopting.then(() => this.#untilDone())
  }

  /** Whether what `home` runs, this one if it is not said, is run by nobody. */
  isGone(home = this.#ports.network.peerId): boolean {
    return home === this.#ports.network.peerId || !this.#homes?.isThere(home)
  }

  async stop(): Promise<void> {
    this.#unfollow?.()
    this.#stopped.abort()
    await this.#adopting
  }

  async #untilDone(): Promise<void> {
    const { clock, log } = this.#ports
    while (!this.#stopped.signal.aborted) {
      try {
        return await this.#adopt()
      } catch (cause) {
        const code = cause instanceof MeshError ? cause.code : 'E_INTERNAL'
        log.event('storage.failed', { code, reason: (cause as Error).message })
        await pause(clock, AGAIN_MS, this.#stopped.signal)
      }
    }
  }
}
