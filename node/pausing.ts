/** Why the machine lends nothing now: its owner said so, or it runs on battery. */
import type { Clock } from '../protocol/ports.ts'

export interface Pausable {
  /** Infinity: until `resume`. */
  pause(durationMs: number): void
  resume(): void
}

export type PauseReason = 'owner' | 'battery'

export class Pausing {
  readonly #clock: Pick<Clock, 'now'>
  readonly #peer: Pausable
  /** Wall-clock instant; 0: not paused by the owner. */
  #ownerUntilMs = 0
  #battery = false

  constructor(clock: Pick<Clock, 'now'>, peer: Pausable) {
    this.#clock = clock
    this.#peer = peer
  }

  get reason(): PauseReason | null {
    if (this.#ownerUntilMs > this.#clock.now()) return 'owner'
    return this.#battery ? 'battery' : null
  }

  /** `durationMs` undefined: until `resume`. */
  pause(durationMs: number | undefined): void {
    this.#ownerUntilMs = this.#clock.now() + (durationMs ?? Number.POSITIVE_INFINITY)
    this.#apply()
  }

  /** The owner has the last word: on battery too, until the next time the power goes. */
  resume(): void {
    this.#ownerUntilMs = 0
    this.#battery = false
    this.#apply()
  }

  power(onBattery: boolean): void {
    this.#battery = onBattery
    this.#apply()
  }

  #apply(): void {
    const ownerMs = this.#ownerUntilMs - this.#clock.now()
    if (this.#battery) this.#peer.pause(Number.POSITIVE_INFINITY)
    else if (ownerMs > 0) this.#peer.pause(ownerMs)
    else this.#peer.resume()
  }
}
