/**
 * Carries the bytes of members whom nobody can dial, such as pages: so that they agree on a direct way, and within bounds
 * where there is none. What is carried is encrypted between the two: a relay sees who talks to whom, and how much.
 */
import { circuitRelayServer, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, TypedEventTarget } from '@libp2p/interface'
import * as limits from '../peer/network/limits.ts'
import { Buckets } from '../protocol/bucket.ts'
import type { Clock, Relaying } from '../protocol/ports.ts'
import type { RelayStatus } from './relay-status.ts'

type Service = ReturnType<ReturnType<typeof circuitRelayServer>>
type Components = Parameters<ReturnType<typeof circuitRelayServer>>[0]

/** What the package's server keeps to itself. */
type Reservations = { reservationStore: { removeReservation(peer: PeerId): void } }

const PACE = { burst: limits.RELAY_CIRCUITS_BURST_MAX, perSecond: 1000 / limits.RELAY_CIRCUIT_EVERY_MS }

export class Relay implements Relaying {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #begun = new Buckets(PACE, limits.CONNECTIONS_MAX)
  #isMember: (peer: string) => boolean = () => false
  #connections: () => readonly Connection[] = () => []
  #service: Service | undefined

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** As a service of libp2p. */
  readonly service = (
    components: Components & {
      connectionManager: { getConnections(): Connection[] }
      events: TypedEventTarget<{ 'peer:disconnect': CustomEvent<PeerId> }>
    },
  ): Service => {
    const service = circuitRelayServer({
      maxInboundHopStreams: limits.RELAY_CIRCUITS_PER_PEER_MAX,
      maxOutboundStopStreams: limits.RELAY_CIRCUITS_PER_PEER_MAX,
      reservations: {
        maxReservations: limits.RELAY_RESERVATIONS_MAX,
        reservationTtl: limits.RELAY_RESERVATION_MS,
        defaultDataLimit: BigInt(limits.RELAY_CIRCUIT_BYTES_MAX),
        defaultDurationLimit: limits.RELAY_CIRCUIT_MS_MAX,
      },
    })(components)
    this.#service = service
    this.#connections = () => components.connectionManager.getConnections()
    // The package keeps a reservation until it expires, whether or not anybody is there.
    components.events.addEventListener('peer:disconnect', ({ detail }) =>
      (service as unknown as Reservations).reservationStore.removeReservation(detail),
    )
    return service
  }

  /** For the gater of libp2p. */
  readonly gate = {
    denyInboundRelayReservation: (peer: PeerId): boolean => !this.#isMember(String(peer)),
    denyOutboundRelayedConnection: (from: PeerId, to: PeerId): boolean =>
      !this.#isMember(String(from)) ||
      !this.#isMember(String(to)) ||
      this.#circuits >= limits.RELAY_CIRCUITS_MAX ||
      !this.#begun.of(String(from), this.#clock.monotonic()).takeIfThere(this.#clock.monotonic()),
  }

  start(isMember: (peer: string) => boolean): void {
    this.#isMember = isMember
  }

  /** Whoever wants to be carried asks. */
  met(): void {}

  status(): RelayStatus {
    return {
      reservations: this.#service?.reservations.size ?? 0,
      reservations_max: limits.RELAY_RESERVATIONS_MAX,
      circuits: this.#circuits,
      circuits_max: limits.RELAY_CIRCUITS_MAX,
      circuit_bytes_max: limits.RELAY_CIRCUIT_BYTES_MAX,
      circuit_ms_max: limits.RELAY_CIRCUIT_MS_MAX,
    }
  }

  /** By the streams to those who are reached: one that asks and is refused may keep its own open. */
  get #circuits(): number {
    let count = 0
    for (const { streams } of this.#connections())
      for (const { protocol } of streams) if (protocol === RELAY_V2_STOP_CODEC) count++
    return count
  }
}
