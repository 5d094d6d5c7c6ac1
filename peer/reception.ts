/** Where frames of neighbours go, and what happens when neighbours come and go. */
import type { Envelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf, PeerFrame } from '../protocol/frames.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Advertisement } from '../protocol/records.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import { AdvertisementIntake } from './advertisement-intake.ts'
import type { Discovery } from './discovery.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Executor } from './executor.ts'
import type { Expulsion } from './expulsion.ts'
import type { Admittance } from './handshake.ts'
import { introductionsFor } from './introductions.ts'
import type { Invoker } from './invoker.ts'
import type { Link } from './link.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { OwnAdvertisement } from './own-advertisement.ts'
import type { PublicProofs } from './public-proofs.ts'
import type { Roster, RosterEvents } from './roster.ts'

interface ReceptionParts {
  roster: Roster
  /** Of neighbours, each told by itself. */
  advertisements: AdvertisementTable
  /** For what a neighbour says of others: checked there and not kept, or one liar could fill the table. */
  hearsay(): AdvertisementTable
  advertisement: OwnAdvertisement
  discovery: Discovery
  executor: Executor
  expulsion: Expulsion
  dispatcher: Dispatcher
  invoker: Invoker
  proofs: PublicProofs
  neighbours: NeighbourTable
  exchange: BlockExchange
}

export class Reception implements RosterEvents {
  readonly #crypto: Ports['crypto']
  readonly #parts: ReceptionParts
  readonly #advertisements: AdvertisementIntake

  /** `parts` may be filled until the first neighbour comes. */
  constructor({ clock, crypto }: Pick<Ports, 'clock' | 'crypto'>, parts: ReceptionParts) {
    this.#crypto = crypto
    this.#parts = parts
    this.#advertisements = new AdvertisementIntake(clock, (neighbour, signed) => this.#accept(neighbour, signed))
  }

  proven(peer: string, admittance: Admittance): void {
    this.#parts.expulsion.proven(peer, admittance)
  }

  /** Both sides say what they offer. */
  joined(neighbour: Neighbour): void {
    this.#parts.expulsion.greet(neighbour)
    this.#parts.discovery.joined(neighbour)
    this.#parts.advertisement.tell(neighbour)
  }

  left(neighbour: Neighbour, reason: string): void {
    this.#advertisements.left(neighbour)
    this.#parts.advertisements.remove(neighbour.peer)
    // Unless a newer link has taken the place of this one.
    if (!this.#parts.neighbours.get(neighbour.peer)) this.#parts.exchange.leave(neighbour.peer)
    this.#parts.executor.onLeft(neighbour)
    this.#parts.dispatcher.onLeft(neighbour, reason)
    this.#parts.discovery.left()
    this.#parts.invoker.serveWaiting()
  }

  turnedAway(link: Link): void {
    this.#introduceOthers(link, undefined)
  }

  frame(neighbour: Neighbour, frame: PeerFrame): void | Promise<void> {
    const { executor, dispatcher } = this.#parts
    switch (frame.t) {
      case 'invoke':
      case 'tied':
        return executor.onInvoke(neighbour, frame)
      case 'cancel':
        return executor.onCancel(neighbour, frame)
      case 'answer':
        return executor.onAnswer(neighbour, frame)
      case 'heads':
        return executor.onHeads(neighbour, frame)
      case 'advertise':
        return this.#onAdvertise(neighbour, frame)
      case 'load':
        return this.#onLoad(neighbour, frame)
      case 'peers':
        return this.#onPeers(neighbour, frame)
      case 'hello':
      case 'welcome':
        throw new MeshError('E_MESSAGE', `a ${frame.t} after the handshake`)
      case 'lookup':
      case 'found':
      case 'reach':
      case 'sought':
        return this.#parts.discovery.lookups.onFrame(neighbour, frame)
      case 'revocations':
        return this.#parts.expulsion.onFrame(neighbour, frame)
      case 'proof':
        return this.#parts.proofs.onProof(neighbour, frame)
      case 'contradiction':
        return this.#parts.proofs.onContradiction(neighbour, frame)
      default:
        return dispatcher.onFrame(neighbour, frame)
    }
  }

  #onAdvertise(neighbour: Neighbour, { signed }: FrameOf<'advertise'>): void | Promise<void> {
    if (neighbour.member && signed.signer === neighbour.peer) return this.#advertisements.came(neighbour, signed)
  }

  async #accept(neighbour: Neighbour, signed: Envelope): Promise<void> {
    const accepted = await this.#parts.advertisements.accept(signed)
    if (!accepted) return
    // It may have left while the signature was checked.
    if (!neighbour.link.isOpen) return this.#parts.advertisements.remove(neighbour.peer)
    neighbour.advertisement = accepted
    this.#parts.discovery.advertised(neighbour, accepted.addresses)
    this.#tellPeers(neighbour)
    this.#parts.invoker.serveWaiting()
  }

  /** On the word of the connection: it is about the sender alone, and soon over. */
  #onLoad(neighbour: Neighbour, { slots, free, queued }: FrameOf<'load'>): void {
    if (!neighbour.advertisement) return
    neighbour.advertisement = { ...neighbour.advertisement, slots, free, queued }
    this.#parts.invoker.serveWaiting()
  }

  /** Whom else we know, once it can be told of itself: of two who come together, the second learns of the first. */
  #tellPeers(neighbour: Neighbour): void {
    if (neighbour.isTold) return
    neighbour.isTold = true
    this.#introduceOthers(neighbour.link, neighbour.advertisement)
  }

  #introduceOthers(link: Link, to: Advertisement | undefined): void {
    link.send({ t: 'peers', signed: introductionsFor(this.#crypto, this.#parts.advertisements, to) })
  }

  async #onPeers(neighbour: Neighbour, frame: FrameOf<'peers'>): Promise<void> {
    if (neighbour.hasToldPeers) throw new MeshError('E_MESSAGE', 'peers are told once, after the handshake')
    neighbour.hasToldPeers = true
    if (!neighbour.member) return
    const hearsay = this.#parts.hearsay()
    for (const signed of frame.signed) {
      const accepted = await hearsay.accept(signed)
      if (!accepted) continue
      const { peer, addresses } = accepted
      const unreached = () => this.#parts.discovery.lookups.unreached(peer, neighbour)
      this.#parts.roster.meet(peer, addresses, { teller: neighbour.peer, advertisement: accepted, unreached })
    }
    neighbour.hasIntroduced = true
  }
}
