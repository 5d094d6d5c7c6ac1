/** Takes the advertisements of neighbours no faster than their signatures may cost: of those that come meanwhile the last. */
import { Bucket, type Pace } from '../protocol/bucket.ts'
import type { Envelope } from '../protocol/envelope.ts'
import type { Clock } from '../protocol/ports.ts'
import type { Neighbour } from './neighbours.ts'

/** Whoever tells each change, many of 100 ms at once, tells ten a second: at most 2 ms of processor. */
const ADVERTISEMENTS_BURST_MAX = 16
const ADVERTISEMENTS_PER_SECOND_MAX = 12
const PACE: Pace = { burst: ADVERTISEMENTS_BURST_MAX, perSecond: ADVERTISEMENTS_PER_SECOND_MAX }

interface Intake {
  readonly bucket: Bucket
  /** Waits for its turn; a newer one takes its place. */
  waiting: Envelope | undefined
  cancel(): void
}

export class AdvertisementIntake {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #take: (neighbour: Neighbour, signed: Envelope) => Promise<void>
  readonly #byNeighbour = new Map<Neighbour, Intake>()

  /** `take` checks the signature; it does not reject. */
  constructor(
    clock: Pick<Clock, 'monotonic' | 'after'>,
    take: (neighbour: Neighbour, signed: Envelope) => Promise<void>,
  ) {
    this.#clock = clock
    this.#take = take
  }

  /** Resolves once it has been taken, or kept for later. */
  async came(neighbour: Neighbour, signed: Envelope): Promise<void> {
    const nowMs = this.#clock.monotonic()
    const intake = this.#byNeighbour.get(neighbour) ?? this.#begin(neighbour, nowMs)
    if (intake.waiting) {
      intake.waiting = signed
      return
    }
    const waitMs = intake.bucket.take(nowMs)
    if (waitMs === 0) return this.#take(neighbour, signed)
    intake.waiting = signed
    intake.cancel = this.#clock.after(waitMs, () => {
      const latest = intake.waiting as Envelope
      intake.waiting = undefined
      void this.#take(neighbour, latest)
    })
  }

  left(neighbour: Neighbour): void {
    this.#byNeighbour.get(neighbour)?.cancel()
    this.#byNeighbour.delete(neighbour)
  }

  #begin(neighbour: Neighbour, nowMs: number): Intake {
    const intake: Intake = { bucket: new Bucket(PACE, nowMs), waiting: undefined, cancel: () => {} }
    this.#byNeighbour.set(neighbour, intake)
    return intake
  }
}
