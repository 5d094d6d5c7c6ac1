/** Keeps this peer connected to its neighbours: accepts, dials, shakes hands, measures round trips, dials again. */
import { MeshError } from '../protocol/errors.ts'
import { PEER_PROTOCOL, type PeerFrame } from '../protocol/frames.ts'
import { hasSlept } from '../protocol/late.ts'
import { HANDSHAKE_FRAME_BYTES_MAX, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { Genesis } from '../protocol/mesh.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import type { Coordinate } from '../protocol/records.ts'
import { DialGuard } from './dial-guard.ts'
import { type Admittance, type Handshaken, type Introduction, refuse, shakeHands } from './handshake.ts'
import type { Link } from './link.ts'
import type { MembershipOffice } from './membership.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import { RoundTrips } from './round-trips.ts'
import { Shakes } from './shakes.ts'

/** Often enough to notice a changed route, too seldom to be seen on a meter. */
const PING_EVERY_MS = 15_000
/** Three pings that were not answered. */
const SILENT_MS_MAX = 3 * PING_EVERY_MS
/** A lost address is dialled again after 0.5 s, then twice as long each time, up to a minute. */
const REDIAL_MS_MIN = 500
const REDIAL_MS_MAX = 60_000
/** Addresses learnt from others are given up after this many failures; those the owner named never are. */
const LEARNT_TRIES_MAX = 4
/** For a goodbye to arrive before the connection is cut. */
const BYE_MS = 200
/** More is allowed once the handshake has ended. */
const HELLO = { frameBytesMax: HANDSHAKE_FRAME_BYTES_MAX }

export interface RosterEvents {
  /** It has shown that it is a member, whether or not there is room for it as a neighbour. */
  proven(peer: string, admittance: Admittance): void
  joined(neighbour: Neighbour): void
  left(neighbour: Neighbour, reason: string): void
  /** Every frame but those of the handshake and ping. */
  frame(neighbour: Neighbour, frame: PeerFrame): void | Promise<void>
}

type RosterPorts = Pick<Ports, 'clock' | 'log' | 'network' | 'random'>

interface Dialling {
  signal?: AbortSignal | undefined
  /** The addresses are what others, or the peer itself, say. */
  toldOf?: string
}

export class Roster {
  readonly #ports: RosterPorts
  readonly #office: MembershipOffice
  readonly #neighbours: NeighbourTable
  readonly #events: RosterEvents
  readonly #roundTrips: RoundTrips
  /** By address or PeerId, so that one peer is dialled once at a time. */
  readonly #dialling = new Map<string, Promise<string>>()
  readonly #timers = new Set<() => void>()
  /** PeerIds that will be dialled again. */
  readonly #redials = new Set<string>()
  readonly #shakes: Shakes
  readonly #dialGuard: DialGuard
  #stopped = false

  constructor(ports: RosterPorts, office: MembershipOffice, neighbours: NeighbourTable, events: RosterEvents) {
    this.#ports = ports
    this.#office = office
    this.#neighbours = neighbours
    this.#events = events
    this.#roundTrips = new RoundTrips(ports)
    this.#shakes = new Shakes(ports.clock)
    this.#dialGuard = new DialGuard(ports.clock, () => ports.network.addresses())
  }

  /** Where this peer stands, by the round trips that it has measured. */
  get coordinate(): Coordinate {
    return this.#roundTrips.coordinate
  }

  /** Peers are being dialled, or will be again: one may be here soon. */
  get expecting(): boolean {
    return this.#dialling.size + this.#redials.size > 0
  }

  /** Registers with the network; call before it starts. */
  serve(): void {
    this.#ports.network.handle(PEER_PROTOCOL, (channel) => this.#accept(channel), HELLO)
    this.#watch()
  }

  /** Dials once and throws if that fails; afterwards the address is kept, and dialled again whenever lost. */
  async join(address: string, signal?: AbortSignal): Promise<string> {
    const peer = await this.#dialOnce(address, [address], { signal })
    this.#keep(address, peer, 0)
    return peer
  }

  /**
   * Dials a peer that others told of, unless it is connected or there are enough, those being dialled included.
   * `unreached` is called once if it cannot be dialled.
   */
  meet(peer: string, addresses: readonly string[], unreached?: () => void): void {
    if (this.#stopped || peer === this.#ports.network.peerId || this.#neighbours.get(peer)) return
    if (this.#neighbours.size + this.#dialling.size >= NEIGHBOURS_MAX) return
    if (addresses.length === 0 || this.#dialling.has(peer) || this.#neighbours.isExpelled(peer)) return
    this.#dialOnce(peer, addresses, { toldOf: peer }).catch((cause: MeshError) => {
      this.#ports.log.event('peer.unreachable', { peer, code: cause.code, reason: cause.message })
      if (cause.code === 'E_UNREACHABLE' || cause.code === 'E_ADDRESS') unreached?.()
      this.#redial(peer, addresses, 1)
    })
  }

  /** Shakes hands with a peer that others told of, to learn whether it is a member. Rejects also if it has no room for us. */
  async acquaint(peer: string, addresses: readonly string[]): Promise<void> {
    if (this.#stopped || addresses.length === 0 || this.#neighbours.get(peer)) return
    await this.#dialOnce(peer, addresses, { toldOf: peer })
  }

  /** Some memberships may hold no longer. */
  review(): void {
    for (const neighbour of this.#neighbours.all()) {
      const lapsed = this.#office.lapsed(neighbour)
      if (lapsed) this.#drop(neighbour, lapsed)
    }
  }

  /** Every now and then: memberships end, and ways change. */
  #watch(): void {
    const dueMs = this.#ports.clock.monotonic() + PING_EVERY_MS
    this.#later(PING_EVERY_MS, () => {
      this.review()
      this.#dropSilent(this.#ports.clock.monotonic(), dueMs)
      this.#roundTrips.measureAll(this.#neighbours.all())
      this.#watch()
    })
  }

  /** A cable that was cut, a lid that was closed: no transport says so. */
  #dropSilent(nowMs: number, dueMs: number): void {
    for (const neighbour of this.#neighbours.all()) {
      if (hasSlept(nowMs, dueMs)) neighbour.heardMs = nowMs
      if (nowMs - neighbour.heardMs < SILENT_MS_MAX) continue
      this.#drop(neighbour, new MeshError('E_EXECUTOR_LOST', `nothing was heard of it for ${SILENT_MS_MAX} ms`))
      this.#redial(neighbour.peer, neighbour.advertisement?.addresses ?? [], 1)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const neighbour of this.#neighbours.all()) neighbour.link.bye('E_STOPPING', 'the agent is shutting down')
  }

  #accept(channel: Channel): void {
    const { peer } = channel
    const shake = this.#shakes.begin(peer)
    if (shake instanceof MeshError) return refuse(this.#ports, channel, shake)
    this.#shake(channel)
      .finally(shake.ended)
      .catch((cause: MeshError) => {
        this.#ports.log.event('peer.refused', { peer, code: cause.code, reason: cause.message })
      })
  }

  #introduction(): Introduction {
    return {
      hello: () => ({
        agent: 'wayside',
        genesis: Genesis.encode(this.#office.genesis),
        credential: this.#office.credential(),
      }),
      admit: async (hello, peer) => {
        const isFull = this.#isFullFor(peer)
        // What a ticket earns would not arrive.
        if (isFull && hello.credential.by !== 'membership') throw full()
        if (this.#neighbours.isExpelled(peer)) throw expelled()
        const admittance = await this.#office.admit(hello, peer)
        if (admittance.member) this.#events.proven(peer, admittance)
        if (isFull) throw full()
        return admittance
      },
    }
  }

  #shake(channel: Channel): Promise<string> {
    const { peer } = channel
    return new Promise((resolve, reject) => {
      const done = (result: Handshaken) => {
        const refusal = this.#onHandshaken(result)
        if (refusal && !this.#neighbours.get(peer)) reject(refusal)
        else resolve(peer)
      }
      shakeHands(this.#ports, channel, this.#introduction(), done, reject)
    })
  }

  /** Makes a neighbour of the peer at the other end, or says why not. */
  #onHandshaken({ link, admittance }: Handshaken): MeshError | undefined {
    const current = this.#neighbours.get(link.peer)
    const no = this.#office.lapsed({ peer: link.peer, chain: admittance.chain }) ?? this.#refusal(link, current)
    if (no) {
      link.receive({ frame: () => {}, closed: () => {} })
      link.bye(no.code, no.message)
      return no
    }
    const neighbour = this.#neighbours.add(link, admittance)
    this.#receiveFrom(neighbour)
    if (current) {
      this.#events.left(current, 'replaced by a newer link')
      current.link.bye('E_BUSY', 'replaced by a newer link')
    } else this.#ports.log.event('peer.joined', { peer: link.peer })
    this.#roundTrips.measure(neighbour)
    this.#events.joined(neighbour)
    return undefined
  }

  /** Why a link whose handshake has just ended is not kept: much may have happened meanwhile. */
  #refusal(link: Link, current: Neighbour | undefined): MeshError | undefined {
    if (this.#stopped) return new MeshError('E_STOPPING', 'the agent is shutting down')
    if (this.#isFullFor(link.peer)) return full()
    if (!current || this.#supersedes(link, current.link)) return undefined
    return new MeshError('E_BUSY', 'another link with this peer is kept')
  }

  #isFullFor(peer: string): boolean {
    return this.#neighbours.size >= NEIGHBOURS_MAX && !this.#neighbours.get(peer)
  }

  /** Of two links with one peer, both sides keep the one that the smaller PeerId opened; of two such, the newer. */
  #supersedes(next: Link, current: Link): boolean {
    if (!current.isOpen || next.outbound === current.outbound) return true
    return next.outbound === this.#ports.network.peerId < next.peer
  }

  #receiveFrom(neighbour: Neighbour): void {
    const { clock } = this.#ports
    neighbour.heardMs = clock.monotonic()
    neighbour.link.receive({
      frame: (frame) => {
        neighbour.heardMs = clock.monotonic()
        if (frame.t === 'ping') return this.#roundTrips.onPing(neighbour, frame)
        if (frame.t === 'pong') return this.#roundTrips.onPong(neighbour, frame)
        return this.#events.frame(neighbour, frame)
      },
      closed: (reason) => {
        if (!this.#neighbours.remove(neighbour.link)) return
        this.#ports.log.event('peer.left', { peer: neighbour.peer, reason })
        this.#events.left(neighbour, reason)
        this.#redial(neighbour.peer, neighbour.advertisement?.addresses ?? [], 1)
      },
    })
  }

  /** Ends every connection with it. */
  #drop(neighbour: Neighbour, why: MeshError): void {
    const { peer, link } = neighbour
    this.#neighbours.remove(link)
    this.#ports.log.event('peer.left', { peer, code: why.code, reason: why.message })
    this.#events.left(neighbour, why.message)
    link.receive({ frame: () => {}, closed: () => {} })
    link.bye(why.code, why.message)
    this.#later(BYE_MS, () => void this.#ports.network.disconnect(peer))
  }

  async #dial(addresses: readonly string[], how: Dialling): Promise<string> {
    const { network } = this.#ports
    let last: unknown
    for (const address of addresses) {
      try {
        const peer = await this.#connect(address, how)
        if (this.#neighbours.get(peer)?.link.isOpen) return peer
        return await this.#shake(await network.open(peer, PEER_PROTOCOL, HELLO, how.signal))
      } catch (cause) {
        last = cause
      }
    }
    throw last
  }

  async #connect(address: string, { toldOf, signal }: Dialling): Promise<string> {
    if (toldOf !== undefined && !this.#dialGuard.allows(toldOf, address)) {
      throw new MeshError(
        'E_ADDRESS',
        `${address}, told of ${toldOf}, is not dialled unasked: it failed often, or is not ours`,
      )
    }
    this.#dialGuard.tries(address)
    const peer = await this.#ports.network.connect(address, signal)
    this.#dialGuard.reached(address)
    return peer
  }

  #dialOnce(key: string, addresses: readonly string[], how: Dialling = {}): Promise<string> {
    const current = this.#dialling.get(key)
    if (current) return current
    const attempt = this.#dial(addresses, how).finally(() => this.#dialling.delete(key))
    this.#dialling.set(key, attempt)
    return attempt
  }

  #redial(peer: string, addresses: readonly string[], tries: number): void {
    if (this.#stopped || addresses.length === 0 || tries > LEARNT_TRIES_MAX || this.#neighbours.get(peer)) return
    if (this.#neighbours.isExpelled(peer)) return
    if (this.#redials.has(peer) || this.#redials.size >= NEIGHBOURS_MAX) return
    this.#redials.add(peer)
    this.#later(redialDelayMs(tries), () => {
      this.#redials.delete(peer)
      if (this.#neighbours.get(peer)) return
      this.#dialOnce(peer, addresses, { toldOf: peer }).catch(() => this.#redial(peer, addresses, tries + 1))
    })
  }

  /** An address that the owner named is dialled for as long as the peer runs. */
  #keep(address: string, peer: string, tries: number): void {
    if (this.#stopped) return
    this.#later(redialDelayMs(tries), () => {
      if (this.#neighbours.get(peer)) return this.#keep(address, peer, 0)
      this.#dialOnce(peer, [address]).then(
        (found) => this.#keep(address, found, 0),
        () => this.#keep(address, peer, tries + 1),
      )
    })
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      run()
    })
    this.#timers.add(cancel)
  }
}

const full = () => new MeshError('E_BUSY', `this peer has its ${NEIGHBOURS_MAX} neighbours; try another`)

const expelled = () => new MeshError('E_VERIFICATION_FAILED', 'too much of what this peer signed was proven wrong')

const redialDelayMs = (tries: number): number => Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** tries)
