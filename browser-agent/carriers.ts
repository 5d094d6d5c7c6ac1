/** Who carries for this page: agents by `--relay` that are its neighbours. Others reach the page over them. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type PeerId, serviceDependencies } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import type { Clock, Relaying } from '../protocol/ports.ts'

type Create = Libp2pNetworkOptions['transports'][number]

/** One may go; more cost each a reservation of few. */
const CARRIERS_WANTED = 2
/** One that refused may have room later, or may not have known yet that this peer is a member. */
const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 60_000

/** What the package says of one that has no relay, the first time and from then on. */
const CARRIES_FOR_NOBODY = new Set(['UnsupportedProtocolError', 'ListenError'])

interface Reservation {
  relay: PeerId
  details: { reservation: { addrs: Uint8Array[] } }
}

/** What the package's transport keeps to itself. */
interface ReservationStore extends EventTarget {
  addRelay(relay: PeerId, type: 'configured'): Promise<Reservation>
  hasReservation(relay: PeerId): boolean
}

/** Without identify, which packages ask for to find relays, and we do not. */
export const withoutIdentify =
  (create: Create): Create =>
  (components) =>
    Object.defineProperty(create(components), serviceDependencies, { value: [] })

interface Carrier {
  /** Where it is itself; empty: it does not carry for this peer now. */
  at: string[]
  tries: number
  cancel(): void
}

export class Carriers implements Relaying {
  readonly #clock: Pick<Clock, 'after'>
  readonly #self: string
  readonly #isAgreeing: boolean
  readonly #byPeer = new Map<string, Carrier>()
  #store: ReservationStore | undefined
  #moved = () => {}

  /** `isAgreeing`: this browser has WebRTC, so that those who dial can agree with it on a direct way. */
  constructor(clock: Pick<Clock, 'after'>, self: string, isAgreeing: boolean) {
    this.#clock = clock
    this.#self = self
    this.#isAgreeing = isAgreeing
  }

  /** By which libp2p dials over relays, and is dialled. */
  readonly transport: Create = (components) => {
    const transport = withoutIdentify(circuitRelayTransport())(components)
    const { reservationStore } = transport as typeof transport & { reservationStore: ReservationStore }
    this.#store = reservationStore
    // It could not be renewed, for one.
    reservationStore.addEventListener('relay:removed', (event) => {
      const { relay } = (event as CustomEvent<Pick<Reservation, 'relay'>>).detail
      this.#lost(String(relay))
    })
    return transport
  }

  /** Where others reach this page. */
  addresses(): string[] {
    const kind = this.#isAgreeing ? '/webrtc' : ''
    return [...this.#byPeer.values()].flatMap(({ at }) =>
      at.map((address) => `${address}/p2p-circuit${kind}/p2p/${this.#self}`),
    )
  }

  start(_isMember: unknown, moved: () => void): void {
    this.#moved = moved
  }

  met(member: string): void {
    if (this.#byPeer.has(member)) return
    const carrier = { at: [], tries: 0, cancel: () => {} }
    this.#byPeer.set(member, carrier)
    void this.#ask(member, carrier)
  }

  /** There is no connection to it any more. */
  left(peer: string): void {
    const carrier = this.#byPeer.get(peer)
    if (!carrier) return
    this.#lost(peer)
    carrier.cancel()
    this.#byPeer.delete(peer)
  }

  #lost(peer: string): void {
    const carrier = this.#byPeer.get(peer)
    if (!carrier || carrier.at.length === 0) return
    carrier.at = []
    this.#moved()
    for (const [other, idle] of this.#byPeer) if (idle.at.length === 0) this.#askLater(other, idle)
  }

  #askLater(peer: string, carrier: Carrier): void {
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** carrier.tries++)
    carrier.cancel()
    carrier.cancel = this.#clock.after(delayMs, () => void this.#ask(peer, carrier))
  }

  async #ask(peer: string, carrier: Carrier): Promise<void> {
    carrier.cancel()
    const carrying = [...this.#byPeer.values()].filter(({ at }) => at.length > 0).length
    if (!this.#store || carrying >= CARRIERS_WANTED) return
    try {
      const { details } = await this.#store.addRelay(peerIdFromString(peer), 'configured')
      carrier.at = details.reservation.addrs.map((bytes) => String(multiaddr(bytes)))
      carrier.tries = 0
      if (this.#byPeer.get(peer) === carrier) this.#moved()
    } catch (cause) {
      if (!CARRIES_FOR_NOBODY.has((cause as Error).name) && this.#byPeer.get(peer) === carrier)
        this.#askLater(peer, carrier)
    }
  }
}
