/** Finds peers of the mesh whose address nobody gave: those on the local network, and those met before. */

import { revokedIn } from '../protocol/mesh.ts'
import type { Ports } from '../protocol/ports.ts'
import type { MemberSeen, Members } from './members.ts'
import type { MembershipOffice } from './membership.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import { vicinityTag } from './provider-keys.ts'
import type { Roster } from './roster.ts'

/** Remembered members that are dialled at a time, the one seen last first: one of them is probably up. */
const REMEMBERED_AT_ONCE = 8
/** Whoever is alone looks again after 1 s, then twice as long each time, up to a minute. */
const LOOK_MS_MIN = 1000
const LOOK_MS_MAX = 60_000
/** A neighbour that says something else all the time is not written down each time. */
const ADDRESSES_NOTED_APART_MS = 60_000

interface DiscoveryParts {
  office: MembershipOffice
  members: Members
  neighbours: NeighbourTable
  roster: Roster
}

type DiscoveryPorts = Pick<Ports, 'clock' | 'crypto' | 'network' | 'vicinity'>

export class Discovery {
  readonly #ports: DiscoveryPorts
  readonly #parts: DiscoveryParts
  readonly #notedMs = new WeakMap<Neighbour, number>()
  #next = 0
  #delayMs = LOOK_MS_MIN
  #cancel = () => {}
  #stopped = false
  #met = Promise.withResolvers<void>()

  /** `parts` may be filled until `start`. */
  constructor(ports: DiscoveryPorts, parts: DiscoveryParts) {
    this.#ports = ports
    this.#parts = parts
  }

  start(): void {
    const { crypto, network, vicinity } = this.#ports
    const { office, roster } = this.#parts
    const self = () => ({ peer: network.peerId, addresses: network.addresses() })
    vicinity?.start(vicinityTag(crypto, office.meshId), self, ({ peer, addresses }) => roster.meet(peer, addresses))
    this.#look()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
    this.#ports.vicinity?.stop()
  }

  /** Resolves once there is a neighbour. */
  get met(): Promise<void> {
    return this.#met.promise
  }

  /** There is somebody whom this peer may find by itself. */
  get hasHope(): boolean {
    return this.#remembered().length > 0
  }

  joined(): void {
    this.#met.resolve()
  }

  left(): void {
    if (this.#stopped || this.#parts.neighbours.size > 0) return
    this.#delayMs = LOOK_MS_MIN
    this.#lookLater()
  }

  /** A member has said where it is. */
  advertised(neighbour: Neighbour, addresses: readonly string[]): void {
    const nowMs = this.#ports.clock.monotonic()
    const notedMs = this.#notedMs.get(neighbour) ?? Number.NEGATIVE_INFINITY
    if (nowMs - notedMs < ADDRESSES_NOTED_APART_MS) return
    this.#notedMs.set(neighbour, nowMs)
    this.#parts.members.isAt(neighbour.peer, addresses)
  }

  #look(): void {
    const { neighbours, roster } = this.#parts
    if (neighbours.size === 0 && !roster.expecting) this.#dialRemembered()
    this.#lookLater()
  }

  #lookLater(): void {
    this.#cancel()
    this.#cancel = this.#ports.clock.after(this.#delayMs, () => this.#look())
    this.#delayMs = Math.min(LOOK_MS_MAX, 2 * this.#delayMs)
  }

  /** Some of them at a time, and others each time. */
  #dialRemembered(): void {
    const remembered = this.#remembered()
    if (this.#next >= remembered.length) this.#next = 0
    const some = remembered.slice(this.#next, this.#next + REMEMBERED_AT_ONCE)
    this.#next += REMEMBERED_AT_ONCE
    for (const { peer, addresses } of some) this.#parts.roster.meet(peer, addresses)
  }

  #remembered(): MemberSeen[] {
    const { isRevoked } = this.#parts.office.revocations
    const isOut = ({ line }: MemberSeen) => revokedIn(line, isRevoked) !== undefined
    return this.#parts.members.all().filter((one) => one.addresses.length > 0 && !isOut(one))
  }
}
