/** The neighbour table: who is connected, what each offers, and how it has done so far. */
import { type CID, recordCid } from '../protocol/cid.ts'
import { encodeCanonical } from '../protocol/codec.ts'
import type { Envelope } from '../protocol/envelope.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Advertisement } from '../protocol/records.ts'
import type { Admittance } from './handshake.ts'
import type { Whereabouts } from './independence.ts'
import type { Link } from './link.ts'
import { lotBetween } from './lots.ts'
import type { Place } from './places.ts'
import type { Standings } from './standings.ts'

export interface Neighbour {
  readonly peer: string
  readonly link: Link
  /** Shown to belong to the mesh. */
  readonly member: boolean
  /** Whose machine it is, and who let that owner in; undefined: it has shown no membership. */
  readonly owner: string | undefined
  readonly inviter: string | undefined
  /** It is a machine of this peer's owner. */
  readonly own: boolean
  /** What it may be sent besides, by its own word. */
  readonly features: readonly string[]
  /** The memberships that showed it, when it came. */
  readonly chain: readonly Envelope[]
  /** Latest, undefined until it has sent one. */
  advertisement: Advertisement | undefined
  /** It has said whom it knows; we have. */
  hasToldPeers: boolean
  /** It has, and those of them that we want to meet are being dialled. */
  hasIntroduced: boolean
  isTold: boolean
  /** Those measured last, the newest at the end, in ms. */
  roundTrips: readonly number[]
  /** Their median; 0 until the first pong. */
  roundTripMs: number
  /** When it came; monotonic. */
  readonly sinceMs: number
  /** The same number at both ends, in [0, 1): far neighbours are drawn by it. */
  readonly lot: number
  /** Those near hear of our load at once. */
  place: Place
  /** We have dialled it to see how near it is, and it has had no place yet. */
  isProbe: boolean
  /** When a task of ours there, or of its here, last ended; monotonic. */
  workedMs: number
  /** Items sent there and not yet answered. */
  inFlight: number
  /** Of these, those that said last that they wait for an answer of ours: they keep no slot from others. */
  waiting: number
  /** Bytes of the inputs of all. */
  inFlightBytes: number
  /** How its run times compare with the mean over all executors: 2 is twice as slow. */
  slowness: number
  /** Monotonic instant of the last frame. */
  heardMs: number
  /** The same of the last one that came after `ANEW_AFTER_MS` of silence. */
  heardAnewMs: number
  /** Until this monotonic instant it is not asked: it has refused, or failed. */
  shunnedUntilMs: number
  /** The same, since it was lost while nothing was heard of it; over once something is. */
  silentUntilMs: number
}

type TablePorts = Pick<Ports, 'clock' | 'crypto' | 'network'>

/** Whoever was silent for longer was asleep, or cut off: what it sent meanwhile may still be on its way. */
export const ANEW_AFTER_MS = 2000

/** Of ours there, those that want a slot. */
export const working = ({ inFlight, waiting }: Neighbour): number => inFlight - waiting

/** Until this monotonic instant it is not asked. */
export const leftAloneUntilMs = ({ shunnedUntilMs, silentUntilMs }: Neighbour): number =>
  Math.max(shunnedUntilMs, silentUntilMs)

export const heard = (neighbour: Neighbour, nowMs: number): void => {
  if (nowMs - neighbour.heardMs > ANEW_AFTER_MS) neighbour.heardAnewMs = nowMs
  neighbour.heardMs = nowMs
  neighbour.silentUntilMs = 0
}

export class NeighbourTable {
  readonly #ports: TablePorts
  readonly #standings: Pick<Standings, 'isSuspended' | 'isExpelled' | 'hasLiedAlike'>
  readonly #byPeer = new Map<string, Neighbour>()
  #list: Neighbour[] = []
  #candidates: { list: string[]; cid: CID } | undefined

  constructor(ports: TablePorts, standings: Pick<Standings, 'isSuspended' | 'isExpelled' | 'hasLiedAlike'>) {
    this.#ports = ports
    this.#standings = standings
  }

  get size(): number {
    return this.#list.length
  }

  get(peer: string): Neighbour | undefined {
    return this.#byPeer.get(peer)
  }

  lotOf(peer: string): number {
    return lotBetween(this.#ports.crypto, peer, this.#ports.network.peerId)
  }

  /** In the order in which they joined. */
  all(): readonly Neighbour[] {
    return this.#list
  }

  /** Members that lend: those that a call may reach. */
  lenders(): readonly Neighbour[] {
    return this.#list.filter((one) => one.member && (one.advertisement?.slots ?? 0) > 0 && !this.isSuspended(one.peer))
  }

  /** It signed a wrong outcome, as we have seen ourselves: it is asked for nothing now, also when it comes again. */
  isSuspended(peer: string): boolean {
    return this.#standings.isSuspended(peer)
  }

  /** It signed too many: no link with it is kept. */
  isExpelled(peer: string): boolean {
    return this.#standings.isExpelled(peer)
  }

  /** As far as they are known: of one that has left, nothing is. */
  whereabouts(peer: string): Whereabouts {
    const neighbour = this.#byPeer.get(peer)
    const { owner = peer, inviter, advertisement } = neighbour ?? {}
    const liedAlike = this.#standings.hasLiedAlike(peer)
    return { peer, owner, inviter, addresses: advertisement?.addresses ?? [], liedAlike }
  }

  /** A member has just come who has not said yet what it offers, and whom else it knows. */
  get hasSilent(): boolean {
    return this.#list.some(({ member, advertisement, hasIntroduced }) => member && !(advertisement && hasIntroduced))
  }

  /** PeerIds of the members, sorted, and the CID by which an invocation commits to them. */
  candidates(): { list: readonly string[]; cid: CID } {
    if (!this.#candidates) {
      const list = this.#list.flatMap(({ peer, member }) => (member ? [peer] : [])).sort()
      this.#candidates = { list, cid: recordCid(this.#ports.crypto, encodeCanonical(list)) }
    }
    return this.#candidates
  }

  /** Takes the place of an earlier link with the same peer. */
  add(
    link: Link,
    { member, owner, inviter, own, chain, features }: Omit<Admittance, 'issued'> & Pick<Neighbour, 'features'>,
  ): Neighbour {
    const before = this.#byPeer.get(link.peer)
    const neighbour: Neighbour = {
      peer: link.peer,
      link,
      member,
      owner,
      inviter,
      own,
      features,
      chain,
      advertisement: before?.advertisement,
      hasToldPeers: false,
      hasIntroduced: false,
      isTold: false,
      roundTrips: before?.roundTrips ?? [],
      roundTripMs: before?.roundTripMs ?? 0,
      sinceMs: this.#ports.clock.monotonic(),
      lot: this.lotOf(link.peer),
      place: 'near',
      isProbe: false,
      workedMs: Number.NEGATIVE_INFINITY,
      inFlight: 0,
      waiting: 0,
      inFlightBytes: 0,
      slowness: before?.slowness ?? 1,
      heardMs: 0,
      heardAnewMs: 0,
      shunnedUntilMs: 0,
      silentUntilMs: 0,
    }
    this.#byPeer.set(link.peer, neighbour)
    this.#changed()
    return neighbour
  }

  /** Removes the entry of this link, if it is still the current one. */
  remove(link: Link): Neighbour | undefined {
    const neighbour = this.#byPeer.get(link.peer)
    if (!neighbour || neighbour.link !== link) return undefined
    this.#byPeer.delete(link.peer)
    this.#changed()
    return neighbour
  }

  #changed(): void {
    this.#list = [...this.#byPeer.values()]
    this.#candidates = undefined
  }
}
