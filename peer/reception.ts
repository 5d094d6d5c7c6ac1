/** Where frames of neighbours go, and what happens when neighbours come and go. */
import type { FrameOf, PeerFrame } from '../protocol/frames.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Executor } from './executor.ts'
import type { Invoker } from './invoker.ts'
import type { Neighbour } from './neighbours.ts'
import type { OwnAdvertisement } from './own-advertisement.ts'
import type { Roster, RosterEvents } from './roster.ts'

interface ReceptionParts {
  roster: Roster
  advertisements: AdvertisementTable
  advertisement: OwnAdvertisement
  executor: Executor
  dispatcher: Dispatcher
  invoker: Invoker
}

export class Reception implements RosterEvents {
  readonly #parts: ReceptionParts

  /** `parts` may be filled until the first neighbour comes. */
  constructor(parts: ReceptionParts) {
    this.#parts = parts
  }

  /** Both sides say what they offer, and whom else they know. */
  async joined({ link }: Neighbour): Promise<void> {
    link.send({ t: 'advertise', signed: await this.#parts.advertisement.sign() })
    link.send({ t: 'peers', signed: this.#parts.advertisements.signed() })
  }

  left(neighbour: Neighbour, reason: string): void {
    this.#parts.executor.onLeft(neighbour)
    this.#parts.dispatcher.onLeft(neighbour, reason)
    this.#parts.invoker.serveWaiting()
  }

  frame(neighbour: Neighbour, frame: PeerFrame): void | Promise<void> {
    const { executor, dispatcher } = this.#parts
    switch (frame.t) {
      case 'invoke':
        return executor.onInvoke(neighbour, frame)
      case 'cancel':
        return executor.onCancel(neighbour, frame)
      case 'answer':
        return executor.onAnswer(neighbour, frame)
      case 'advertise':
        return this.#onAdvertise(neighbour, frame)
      case 'peers':
        return this.#onPeers(frame)
      default:
        return dispatcher.onFrame(neighbour, frame)
    }
  }

  async #onAdvertise(neighbour: Neighbour, frame: FrameOf<'advertise'>): Promise<void> {
    const accepted = await this.#parts.advertisements.accept(frame.signed)
    if (accepted?.peer !== neighbour.peer) return
    neighbour.advertisement = accepted
    this.#parts.invoker.serveWaiting()
  }

  async #onPeers(frame: FrameOf<'peers'>): Promise<void> {
    for (const signed of frame.signed) {
      const accepted = await this.#parts.advertisements.accept(signed)
      if (accepted) this.#parts.roster.meet(accepted.peer, accepted.addresses)
    }
  }
}
