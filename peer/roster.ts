/** Keeps this peer connected to its neighbours: accepts, dials, shakes hands, measures round trips, dials again. */
import { relayOf } from '../protocol/address-kind.ts'
import { MeshError } from '../protocol/errors.ts'
import { type FrameOf, PEER_PROTOCOL, type PeerFrame } from '../protocol/frames.ts'
import { hasSlept } from '../protocol/late.ts'
import { HANDSHAKE_FRAME_BYTES_MAX } from '../protocol/limits.ts'
import { Genesis } from '../protocol/mesh.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import type { Advertisement, Coordinate } from '../protocol/records.ts'
import { DialGuard } from './dial-guard.ts'
import type { Executor } from './executor.ts'
import { type Admittance, type Handshaken, type Introduction, refuse, shakeHands } from './handshake.ts'
import { Housekeeping } from './housekeeping.ts'
import type { Link, LinkPorts } from './link.ts'
import type { MembershipOffice } from './membership.ts'
import { heard, type Neighbour, type NeighbourTable } from './neighbours.ts'
import { placesOf } from './places.ts'
import { RoundTrips } from './round-trips.ts'
import { type Dial, Seeker, type Told } from './seeker.ts'
import { Shakes } from './shakes.ts'

/** Often enough to notice a changed route, too seldom to be seen on a meter. */
const PING_EVERY_MS = 15_000
/** Two pings at least that were not answered. */
const SILENT_MS_MAX = 3 * PING_EVERY_MS
/** Whoever may be gone without a word is given up after it; an agent on a busy machine may get no turn for seconds. */
const CHECK_MS = 5000
/** For a goodbye to arrive before the connection is cut. */
const BYE_MS = 200
/** More is allowed once the handshake has ended. */
const HELLO = { frameBytesMax: HANDSHAKE_FRAME_BYTES_MAX }

export interface RosterEvents {
  /** It has shown that it is a member, whether or not there is room for it as a neighbour. */
  proven(peer: string, admittance: Admittance): void
  joined(neighbour: Neighbour): void
  left(neighbour: Neighbour, reason: string): void
  /** There is no place for a member that has just shaken hands; it may be told of others before it goes. */
  turnedAway(link: Link): void
  /** Every frame but those of the handshake and ping. */
  frame(neighbour: Neighbour, frame: PeerFrame): void | Promise<void>
}

type RosterPorts = Pick<Ports, 'clock' | 'log' | 'network' | 'random'>

interface RosterParts {
  office: MembershipOffice
  neighbours: NeighbourTable
  executor: Pick<Executor, 'isBusyFor'>
}

export class Roster {
  readonly #ports: RosterPorts
  readonly #office: MembershipOffice
  readonly #neighbours: NeighbourTable
  readonly #events: RosterEvents
  readonly #roundTrips: RoundTrips
  readonly #seeker: Seeker
  readonly #housekeeping: Housekeeping
  readonly #timers = new Set<() => void>()
  readonly #checked = new WeakSet<Neighbour>()
  readonly #shakes: Shakes
  readonly #linkPorts: RosterPorts & LinkPorts
  readonly #dialGuard: DialGuard
  #stopped = false

  /** `placesMax`: most neighbours at a time. */
  constructor(ports: RosterPorts, parts: RosterParts, placesMax: number, events: RosterEvents) {
    const { office, neighbours, executor } = parts
    const places = placesOf(placesMax)
    this.#ports = ports
    this.#office = office
    this.#neighbours = neighbours
    this.#events = events
    this.#roundTrips = new RoundTrips(ports)
    this.#shakes = new Shakes(ports.clock)
    this.#linkPorts = { ...ports, waiting: { bytes: 0 } }
    this.#dialGuard = new DialGuard(ports.clock, () => ports.network.addresses())
    this.#seeker = new Seeker(ports, {
      neighbours,
      places,
      coordinate: () => this.coordinate,
      dial: (addresses, how) => this.#dial(addresses, how),
    })
    const isNamed = (peer: string) => this.#seeker.isNamed(peer)
    const isBusy = (neighbour: Neighbour) => neighbour.inFlight > 0 || executor.isBusyFor(neighbour)
    this.#housekeeping = new Housekeeping(ports.clock, neighbours, places, { isNamed, isBusy })
  }

  /** Where this peer stands, by the round trips that it has measured. */
  get coordinate(): Coordinate {
    return this.#roundTrips.coordinate
  }

  /** Peers are being dialled, or will be again: one may be here soon. */
  get expecting(): boolean {
    return this.#seeker.isExpecting
  }

  /** Registers with the network; call before it starts. */
  serve(): void {
    this.#ports.network.handle(PEER_PROTOCOL, (channel) => this.#accept(channel), HELLO)
    this.#watch()
  }

  /** Dials once and throws if that fails; afterwards the address is kept, and dialled again whenever lost. */
  join(address: string, signal?: AbortSignal): Promise<string> {
    return this.#seeker.join(address, signal)
  }

  /** Makes the acquaintance of a peer: it is dialled at once if there is a place for it, later or never if others are better. */
  meet(peer: string, addresses: readonly string[], told?: Told): void {
    this.#seeker.meet(peer, addresses, told)
  }

  /** The same of one that was heard on a network of this machine, where it is now. */
  meetNear(peer: string, addresses: readonly string[]): void {
    for (const address of addresses) this.#dialGuard.heard(address)
    this.#seeker.meet(peer, addresses, { isHeard: true })
  }

  /** Shakes hands with a peer that others told of, to learn whether it is a member. Rejects also if it has no room for us. */
  acquaint(peer: string, addresses: readonly string[]): Promise<void> {
    return this.#seeker.acquaint(peer, addresses)
  }

  /** Whether this, which nobody has checked yet, is news of somebody whom we might want to meet. */
  wants(advertisement: Advertisement): boolean {
    return this.#seeker.wants(advertisement)
  }

  /** The addresses of this machine have changed: connections may be dead without a word of it. */
  checkAll(): void {
    for (const neighbour of this.#neighbours.all()) this.#check(neighbour)
  }

  /** Some memberships may hold no longer. */
  review(): void {
    for (const neighbour of this.#neighbours.all()) {
      const lapsed = this.#office.lapsed(neighbour)
      if (lapsed) this.#drop(neighbour, lapsed)
    }
  }

  /** Places change as ways do, and guests leave when they have had their time. */
  #tidy(): void {
    this.#housekeeping.assign()
    for (let guest = this.#housekeeping.leaver(false); guest; guest = this.#housekeeping.leaver(false))
      this.#letGo(guest)
  }

  #letGo(guest: Neighbour): void {
    this.#drop(guest, noPlace())
    this.#seeker.lost(guest, true)
  }

  /** Every now and then: memberships end, and ways change. */
  #watch(): void {
    const dueMs = this.#ports.clock.monotonic() + PING_EVERY_MS
    this.#later(PING_EVERY_MS, () => {
      this.review()
      this.#dropSilent(this.#ports.clock.monotonic(), dueMs)
      this.#tidy()
      this.#measureAll()
      this.#watch()
    })
  }

  /** One after another until the next time: all at once, each answer would wait for those before it, and calls for all of them. */
  #measureAll(): void {
    const neighbours = this.#neighbours.all()
    for (const [i, neighbour] of neighbours.entries())
      this.#later((i * PING_EVERY_MS) / neighbours.length, () => this.#roundTrips.measure(neighbour))
  }

  /** A cable that was cut, a lid that was closed: no transport says so. */
  #dropSilent(nowMs: number, dueMs: number): void {
    for (const neighbour of this.#neighbours.all()) {
      if (hasSlept(nowMs, dueMs)) neighbour.heardMs = nowMs
      if (nowMs - neighbour.heardMs < SILENT_MS_MAX) continue
      this.#loseSilent(neighbour, SILENT_MS_MAX)
    }
  }

  /** Does it still answer? If nothing comes from it, the connection is given up, and made anew. */
  #check(neighbour: Neighbour): void {
    if (this.#checked.has(neighbour)) return
    this.#checked.add(neighbour)
    const askedMs = this.#ports.clock.monotonic()
    this.#roundTrips.measure(neighbour)
    this.#later(CHECK_MS, () => {
      this.#checked.delete(neighbour)
      const isHere = this.#neighbours.get(neighbour.peer) === neighbour
      if (isHere && neighbour.heardMs < askedMs) this.#loseSilent(neighbour, CHECK_MS)
    })
  }

  #loseSilent(neighbour: Neighbour, silentMs: number): void {
    this.#drop(neighbour, new MeshError('E_EXECUTOR_LOST', `nothing was heard of it for ${silentMs} ms`))
    this.#seeker.lost(neighbour, false)
  }

  stop(): void {
    this.#stopped = true
    this.#seeker.stop()
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const neighbour of this.#neighbours.all()) neighbour.link.bye('E_STOPPING', 'the agent is shutting down')
  }

  #accept(channel: Channel): void {
    const { peer } = channel
    const shake = this.#shakes.begin(peer)
    if (shake instanceof MeshError) return refuse(this.#linkPorts, channel, shake)
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
        if (this.#neighbours.isExpelled(peer)) throw expelled()
        const admittance = await this.#office.admit(hello, peer)
        if (admittance.member) this.#events.proven(peer, admittance)
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
      shakeHands(this.#linkPorts, channel, this.#introduction(), done, reject)
    })
  }

  /** Makes a neighbour of the peer at the other end, or says why not. */
  #onHandshaken({ link, admittance, hello }: Handshaken): MeshError | undefined {
    const current = this.#neighbours.get(link.peer)
    const no = this.#office.lapsed({ peer: link.peer, chain: admittance.chain }) ?? this.#refusal(link, current)
    if (no) {
      if (no.code === 'E_BUSY' && !current && admittance.member) this.#events.turnedAway(link)
      link.receive({ frame: () => {}, closed: () => {} })
      link.bye(no.code, no.message)
      return no
    }
    const neighbour = this.#neighbours.add(link, { ...admittance, features: hello.features })
    this.#receiveFrom(neighbour)
    neighbour.isProbe = this.#seeker.joined(link.peer)
    this.#housekeeping.assign()
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
    if (!current && this.#housekeeping.isFull) {
      const guest = this.#housekeeping.leaver(true)
      if (!guest) return noPlace()
      this.#letGo(guest)
    }
    if (!current || this.#supersedes(link, current.link)) return undefined
    // Whoever comes anew has perhaps lost the other one.
    this.#check(current)
    return new MeshError('E_BUSY', 'another link with this peer is kept')
  }

  /** Of two links with one peer, both sides keep the one that the smaller PeerId opened; of two such, the newer. */
  #supersedes(next: Link, current: Link): boolean {
    if (!current.isOpen || next.outbound === current.outbound) return true
    return next.outbound === this.#ports.network.peerId < next.peer
  }

  #receiveFrom(neighbour: Neighbour): void {
    const { clock } = this.#ports
    heard(neighbour, clock.monotonic())
    let bye: FrameOf<'bye'> | undefined
    neighbour.link.receive({
      frame: (frame) => {
        heard(neighbour, clock.monotonic())
        if (frame.t === 'bye') bye = frame
        if (frame.t === 'ping') return this.#roundTrips.onPing(neighbour, frame)
        if (frame.t === 'pong') return this.#roundTrips.onPong(neighbour, frame)
        return this.#events.frame(neighbour, frame)
      },
      closed: (reason) => {
        if (!this.#neighbours.remove(neighbour.link)) return
        const why = bye ? { code: bye.code, reason: bye.message } : { reason }
        this.#ports.log.event('peer.left', { peer: neighbour.peer, ...why })
        this.#events.left(neighbour, reason)
        this.#seeker.lost(neighbour, bye?.code === 'E_BUSY')
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
    this.#later(BYE_MS, () => {
      if (!this.#neighbours.get(peer)) this.#ports.network.disconnect(peer)
    })
  }

  async #dial(addresses: readonly string[], how: Dial): Promise<string> {
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

  async #connect(address: string, { toldOf, signal }: Dial): Promise<string> {
    if (toldOf !== undefined && !this.#dialGuard.allows(toldOf, address)) {
      throw new MeshError(
        'E_ADDRESS',
        `${address}, told of ${toldOf}, is not dialled unasked: it failed often, or is not ours`,
      )
    }
    await this.#meetRelay(address, { toldOf, signal })
    this.#dialGuard.tries(address)
    const peer = await this.#ports.network.connect(address, signal)
    this.#dialGuard.reached(address)
    return peer
  }

  /** Whoever carries, carries for members: one that has not met us is shown that we are one. */
  async #meetRelay(address: string, { toldOf, signal }: Dial): Promise<void> {
    const relay = relayOf(address)
    if (!relay || this.#neighbours.get(relay.peer)) return
    if (relay.peer === this.#ports.network.peerId)
      throw new MeshError('E_ADDRESS', `${address} leads over this peer itself`)
    try {
      if (toldOf === undefined) await this.#dial([relay.address], { signal })
      else await this.#seeker.acquaint(relay.peer, [relay.address])
    } catch (cause) {
      // One that has no room for this peer has seen all the same whether it is a member.
      if (['E_ADDRESS', 'E_UNREACHABLE'].includes((cause as MeshError).code)) throw cause
    }
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      run()
    })
    this.#timers.add(cancel)
  }
}

const noPlace = () => new MeshError('E_BUSY', 'this peer has as many neighbours as it has places for; try another')

const expelled = () => new MeshError('E_VERIFICATION_FAILED', 'too much of what this peer signed was proven wrong')
