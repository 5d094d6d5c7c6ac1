/** Finds neighbours: dials whom the owner named, whom others told of, and whom it has lost; probes for nearer ones. */
import type { MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import type { Advertisement, Coordinate } from '../protocol/records.ts'
import { type Acquaintance, Acquaintances } from './acquaintances.ts'
import { distanceMs } from './coordinates.ts'
import { FEW_NEIGHBOURS } from './housekeeping.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { Places } from './places.ts'
import { type AcquaintanceView, PROBES, shortList, type Wish } from './short-list.ts'

/** A lost address is dialled again after 0.5 s, then twice as long each time, up to a minute. */
const REDIAL_MS_MIN = 500
const REDIAL_MS_MAX = 60_000
/** A neighbour that was lost is given up after this many failures; those the owner named never are. */
const LOST_TRIES_MAX = 4
/** One that is only told of: it costs nothing to make up peers. */
const TOLD_TRIES_MAX = 2
/** One that has no place for us, or for which we have none, is not asked again for this long. */
const RETRY_MS = 30 * 60_000
/** A peer that has enough neighbours looks for better ones this often, if it knows of any. */
const EXPLORE_MS = 30_000

export const redialDelayMs = (tries: number): number => Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** tries)

type SeekerPorts = Pick<Ports, 'clock' | 'log' | 'network'>

export interface Dial {
  signal?: AbortSignal | undefined
  /** The addresses are what others, or the peer itself, say. */
  toldOf?: string
}

/** How this peer knows of another. */
export interface Told {
  /** By whom; where nobody is named, this peer has found it by itself. */
  teller?: string
  advertisement?: Advertisement
  /** Called once if it cannot be dialled. */
  unreached?: () => void
  /** It was heard just now where it is; it may be being dialled in vain where it was. */
  isHeard?: boolean
  /** A call waits for it: it is dialled though there is no place but a guest's. */
  isNeeded?: boolean
}

interface SeekerParts {
  neighbours: NeighbourTable
  places: Places
  coordinate(): Coordinate
  /** Connects to the first that answers, and makes a neighbour of it. */
  dial(addresses: readonly string[], how: Dial): Promise<string>
}

const keyOf = ({ peer, addresses }: Pick<Acquaintance, 'peer' | 'addresses'>): string => [peer, ...addresses].join(' ')

/** The due acquaintances as candidates for a short list. */
class DueView implements AcquaintanceView {
  readonly #due: readonly Acquaintance[]
  readonly #own: Coordinate

  constructor(due: readonly Acquaintance[], own: Coordinate) {
    this.#due = due
    this.#own = own
  }

  get count(): number {
    return this.#due.length
  }

  predictedMs(i: number): number {
    const { coordinate } = this.at(i)
    return coordinate ? distanceMs(this.#own, coordinate) : Number.POSITIVE_INFINITY
  }

  lot(i: number): number {
    return this.at(i).lot
  }

  lends(i: number): boolean {
    return this.at(i).lends
  }

  tries(i: number): number {
    return this.at(i).tries
  }

  at(i: number): Acquaintance {
    return this.#due[i] as Acquaintance
  }
}

const toldBy = (advertisement: Advertisement | undefined) => ({
  sequence: advertisement?.sequence ?? 0,
  coordinate: advertisement?.coordinate,
  lends: (advertisement?.slots ?? 0) > 0,
})

export class Seeker {
  readonly #ports: SeekerPorts
  readonly #parts: SeekerParts
  readonly #known = new Acquaintances()
  /** Addresses that the owner named, by the peer found there. */
  readonly #named = new Map<string, string>()
  /** By address, or by PeerId and addresses, so that each is dialled once at a time. */
  readonly #dialling = new Map<string, Promise<string>>()
  #exploreMs = 0
  #wake: (() => void) | undefined
  #stopped = false

  constructor(ports: SeekerPorts, parts: SeekerParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Peers are being dialled, or lost ones will be again. */
  get isExpecting(): boolean {
    if (this.#dialling.size > 0) return true
    for (const { peer, teller, tries } of this.#known.all()) if (teller === peer && tries > 0) return true
    return false
  }

  isNamed(peer: string): boolean {
    return this.#named.has(peer)
  }

  /** Dials once and throws if that fails; afterwards the address is kept, and dialled again whenever lost. */
  async join(address: string, signal?: AbortSignal): Promise<string> {
    const peer = await this.#dialOnce(address, [address], { signal })
    this.#named.set(peer, address)
    if (!this.#parts.neighbours.get(peer)) this.#redial(peer, [address], undefined, 1, redialDelayMs(1))
    return peer
  }

  /** Is this news of somebody whom we might want to meet? */
  wants({ peer, sequence }: Advertisement): boolean {
    return this.#isStrange(peer) && (this.#known.get(peer)?.sequence ?? -1) < sequence
  }

  /** It is dialled as soon as there is a place for it. */
  meet(peer: string, addresses: readonly string[], told: Told = {}): void {
    const { teller = '', advertisement, unreached, isHeard = false, isNeeded = false } = told
    if (this.#stopped || addresses.length === 0 || !this.#isStrange(peer)) return
    const nowMs = this.#ports.clock.monotonic()
    const before = this.#known.get(peer)
    const hasMoved = isHeard && before?.addresses.join() !== addresses.join()
    // Of one that was lost others may tell, too: it is dialled as often, and waited for, all the same.
    const kept = before?.teller === peer ? peer : teller
    if (before) Object.assign(before, { addresses, teller: kept, unreached, ...toldBy(advertisement) })
    if (before && hasMoved) Object.assign(before, { tries: 0, dueMs: nowMs })
    // It had been dialled in vain before anybody told of it.
    else if (before?.isUnreached) unreached?.()
    if (!before) this.#add(peer, { addresses, teller, unreached, tries: 0, dueMs: nowMs }, advertisement)
    const known = this.#known.get(peer)
    if (isNeeded && known && known.dueMs <= nowMs && this.#left > 0) return this.#try(known)
    // A look goes through all that are known: it is not taken for one for whom there is no place anyway.
    if (this.#mayDial) this.#consider()
    else this.#sleep(nowMs)
  }

  /** Shakes hands with a peer that others told of, whether or not it is wanted as a neighbour. */
  async acquaint(peer: string, addresses: readonly string[]): Promise<void> {
    if (this.#stopped || addresses.length === 0 || this.#parts.neighbours.get(peer)) return
    await this.#dialOnce(keyOf({ peer, addresses }), addresses, { toldOf: peer })
  }

  /** Returns whether it was only to be probed. */
  joined(peer: string): boolean {
    const isProbe = this.#known.get(peer)?.isProbe ?? false
    this.#known.remove(peer)
    return isProbe
  }

  /** `isLetGo`: one of the two had no place for the other. */
  lost({ peer, advertisement }: Neighbour, isLetGo: boolean): void {
    const named = this.#named.get(peer)
    const addresses = [...(named ? [named] : []), ...(advertisement?.addresses ?? [])]
    const needsIt = this.#parts.neighbours.size < FEW_NEIGHBOURS
    const delayMs = isLetGo && !needsIt ? RETRY_MS : redialDelayMs(1)
    this.#redial(peer, addresses, advertisement, isLetGo ? 0 : 1, delayMs)
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  #isStrange(peer: string): boolean {
    const { neighbours } = this.#parts
    return peer !== this.#ports.network.peerId && !neighbours.get(peer) && !neighbours.isExpelled(peer)
  }

  #add(
    peer: string,
    how: Pick<Acquaintance, 'addresses' | 'teller' | 'unreached' | 'tries' | 'dueMs'>,
    advertisement: Advertisement | undefined,
  ): void {
    const lot = this.#parts.neighbours.lotOf(peer)
    this.#known.add({ peer, isProbe: false, ...how, ...toldBy(advertisement), lot })
  }

  #redial(
    peer: string,
    addresses: readonly string[],
    advertisement: Advertisement | undefined,
    tries: number,
    delayMs: number,
  ): void {
    if (this.#stopped || addresses.length === 0 || !this.#isStrange(peer)) return
    const dueMs = this.#ports.clock.monotonic() + delayMs
    this.#add(peer, { addresses, teller: peer, unreached: undefined, tries, dueMs }, advertisement)
    this.#consider()
  }

  get #mayDial(): boolean {
    if (this.#free > 0) return true
    if (this.#missing > 0) return this.#dialling.size < PROBES
    return this.#ports.clock.monotonic() >= this.#exploreMs
  }

  /** Places that are neither taken nor about to be. */
  get #left(): number {
    const { neighbours, places } = this.#parts
    return places.most - neighbours.size - this.#dialling.size
  }

  /** The same, those of guests left out. */
  get #free(): number {
    const { most, near, far } = this.#parts.places
    return this.#left - (most - near - far)
  }

  /** To half of all places. */
  get #missing(): number {
    const { neighbours, places } = this.#parts
    return places.most / 2 - neighbours.size - this.#dialling.size
  }

  /** Dials whoever is due and wanted. Called whenever that may have changed. */
  #consider(): void {
    if (this.#stopped) return
    const nowMs = this.#ports.clock.monotonic()
    const due: Acquaintance[] = []
    for (const one of this.#known.all()) {
      if (one.dueMs > nowMs) continue
      if (this.#named.has(one.peer)) this.#try(one)
      else due.push(one)
    }
    for (const one of due.length <= this.#free ? due : this.#probes(due, nowMs)) this.#try(one)
    this.#sleep(nowMs)
  }

  /** Where there are more than can be neighbours: the most promising, soon until half the places are taken, then seldom. */
  #probes(due: readonly Acquaintance[], nowMs: number): Acquaintance[] {
    const { neighbours, places, coordinate } = this.#parts
    const missing = this.#missing
    let most = Math.min(PROBES - this.#dialling.size, missing)
    if (missing <= 0) {
      if (nowMs < this.#exploreMs) return []
      // A quarter of the guests' places stay free for newcomers.
      const guests = places.most - places.near - places.far
      most = Math.min(PROBES, places.most - neighbours.size - this.#dialling.size - Math.ceil(guests / 4))
    }
    this.#exploreMs = nowMs + EXPLORE_MS
    if (most <= 0) return []
    const view = new DueView(due, coordinate())
    const chosen = shortList(view, this.#wish(), most).map((i) => view.at(i))
    for (const one of chosen) one.isProbe = missing <= 0
    return chosen
  }

  #wish(): Wish {
    const { neighbours, places } = this.#parts
    const near = neighbours.all().filter(({ place }) => place === 'near')
    const far = neighbours.all().filter(({ place }) => place === 'far')
    return {
      nearBelowMs:
        near.length < places.near ? Number.POSITIVE_INFINITY : Math.max(...near.map(({ roundTripMs }) => roundTripMs)),
      farBelowLot: far.length < places.far ? Number.POSITIVE_INFINITY : Math.max(...far.map(({ lot }) => lot)),
    }
  }

  #try(one: Acquaintance): void {
    if (this.#parts.neighbours.isExpelled(one.peer)) return this.#known.remove(one.peer)
    one.dueMs = Number.POSITIVE_INFINITY
    this.#dialOnce(keyOf(one), one.addresses, this.#named.has(one.peer) ? {} : { toldOf: one.peer })
      .then((found) => this.#reached(one, found))
      .catch((cause: MeshError) => this.#failed(one, cause))
      .finally(() => this.#consider())
  }

  /** Somebody else may live there now. */
  #reached(one: Acquaintance, found: string): void {
    const { peer } = one
    if (this.#known.get(peer) === one) this.#known.remove(peer)
    const address = this.#named.get(peer)
    if (found === peer || address === undefined) return
    this.#named.delete(peer)
    this.#named.set(found, address)
  }

  #failed(one: Acquaintance, { code, message }: MeshError): void {
    const { peer } = one
    if (one.tries === 0) {
      this.#ports.log.event('peer.unreachable', { peer, code, reason: message })
      one.isUnreached = code === 'E_UNREACHABLE' || code === 'E_ADDRESS'
      if (one.isUnreached) one.unreached?.()
    }
    one.tries++
    const isFull = code === 'E_BUSY' && this.#parts.neighbours.size >= FEW_NEIGHBOURS
    one.dueMs = this.#ports.clock.monotonic() + (isFull ? RETRY_MS : redialDelayMs(one.tries))
    const triesMax = one.teller === peer ? LOST_TRIES_MAX : TOLD_TRIES_MAX
    if (one.tries > triesMax && !this.#named.has(peer)) this.#known.remove(peer)
  }

  #dialOnce(key: string, addresses: readonly string[], how: Dial): Promise<string> {
    const current = this.#dialling.get(key)
    if (current) return current
    const attempt = this.#parts.dial(addresses, how).finally(() => this.#dialling.delete(key))
    this.#dialling.set(key, attempt)
    return attempt
  }

  /** Until the next one is due, or it is time to explore. */
  #sleep(nowMs: number): void {
    this.#wake?.()
    const nextLookMs = this.#exploreMs > nowMs ? this.#exploreMs : nowMs + EXPLORE_MS
    let untilMs = Number.POSITIVE_INFINITY
    for (const { dueMs } of this.#known.all()) untilMs = Math.min(untilMs, dueMs > nowMs ? dueMs : nextLookMs)
    if (untilMs < Number.POSITIVE_INFINITY)
      this.#wake = this.#ports.clock.after(untilMs - nowMs, () => this.#consider())
  }
}
