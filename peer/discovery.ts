/**
 * Finds peers of the mesh whose address nobody gave: those on the local network, those met before, and those that the
 * directory of the mesh knows, in which this peer is found by others in turn.
 */

import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports, Sighting } from '../protocol/ports.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import { cellOf } from './coordinates.ts'
import type { Lending } from './lending.ts'
import { Lookups } from './lookups.ts'
import type { MemberSeen, Members } from './members.ts'
import type { MembershipOffice } from './membership.ts'
import { Needs } from './needs.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { OwnAdvertisement } from './own-advertisement.ts'
import { ANYWHERE, vicinityTag } from './provider-keys.ts'
import { ProviderRounds } from './provider-rounds.ts'
import type { Roster } from './roster.ts'

/** Remembered members that are dialled at a time, the one seen last first: one of them is probably up. */
export const REMEMBERED_AT_ONCE = 8
/** Whoever is alone looks again after 1 s, then twice as long each time, up to a minute. */
export const LOOK_MS_MIN = 1000
export const LOOK_ALONE_MS_MAX = 60_000
/** Whoever has neighbours hears of others from them: at first soon, then as seldom as records of the directory change. */
const LOOK_FURTHER_MS_MIN = 5000
const LOOK_FURTHER_MS_MAX = 10 * 60_000
/** Loading the directory takes a tenth of a second of processor, which a joiner needs for its handshakes. */
const OPEN_DIRECTORY_MS = 3000
/** A neighbour that says something else all the time is not written down each time. */
const ADDRESSES_NOTED_APART_MS = 60_000

interface DiscoveryParts {
  office: MembershipOffice
  members: Members
  neighbours: NeighbourTable
  roster: Roster
  lending: Pick<Lending, 'offer'>
  advertisement: Pick<OwnAdvertisement, 'moved'>
  advertisements: AdvertisementTable
  hearsay(): AdvertisementTable
}

type DiscoveryPorts = Pick<
  Ports,
  'clock' | 'random' | 'crypto' | 'network' | 'log' | 'vicinity' | 'directory' | 'relaying'
>

export class Discovery {
  readonly #ports: DiscoveryPorts
  readonly #parts: DiscoveryParts
  readonly lookups: Lookups
  readonly #rounds: ProviderRounds | undefined
  readonly #needs: Needs
  readonly #engine: string
  readonly #notedMs = new WeakMap<Neighbour, number>()
  #next = 0
  #delayMs = LOOK_MS_MIN
  #cancel = () => {}
  #cancelOpening = () => {}
  #lastCell: string | undefined
  #stopped = false
  #met = Promise.withResolvers<void>()

  /** Looks for peers with the first of these engines: they have the others too, as a rule. */
  constructor(ports: DiscoveryPorts, parts: DiscoveryParts, engines: readonly string[]) {
    this.#ports = ports
    this.#parts = parts
    const engine = engines[0] as string
    this.#engine = engine
    const { directory } = ports
    const offered = () => ({ capability: parts.lending.offer().slots > 0 ? engine : undefined, cell: this.#cell })
    this.#rounds = directory && new ProviderRounds(ports, parts.office.meshId, directory, offered)
    this.lookups = new Lookups(ports, parts, this.#rounds)
    const ways = { lookups: this.lookups, rounds: this.#rounds, cell: () => this.#cell }
    this.#needs = new Needs(ports, { ...parts, ...ways })
  }

  get #cell(): string {
    this.#lastCell = cellOf(this.#parts.roster.coordinate, this.#lastCell)
    return this.#lastCell
  }

  start(): void {
    const { crypto, network, vicinity, relaying } = this.#ports
    const { office, roster, advertisement } = this.#parts
    const self = () => ({ peer: network.peerId, addresses: network.addresses() })
    vicinity?.start(vicinityTag(crypto, office.meshId), self, ({ peer, addresses }) => roster.meetNear(peer, addresses))
    relaying?.start(
      (peer) => this.#isMember(peer),
      () => advertisement.moved(),
    )
    this.#look()
    this.#cancelOpening = this.#ports.clock.after(OPEN_DIRECTORY_MS, () => void this.#openDirectory())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    this.#cancelOpening()
    this.#rounds?.stop()
    this.#ports.vicinity?.stop()
    await this.#ports.directory?.stop()
  }

  /** Resolves once there is a neighbour. */
  get met(): Promise<void> {
    return this.#met.promise
  }

  /** There is somebody whom this peer may find by itself. */
  get hasHope(): boolean {
    return this.#ports.vicinity !== undefined || this.#remembered().length > 0
  }

  /** Somebody who offers `capability` is being looked for, which begins with this where no neighbour does. */
  seeks(capability: string): boolean {
    return !this.#stopped && this.#needs.seeks(capability)
  }

  joined({ peer, member }: Neighbour): void {
    this.#met.resolve()
    if (member) this.#ports.relaying?.met(peer)
    if (this.#parts.neighbours.size > 1) return
    this.#delayMs = LOOK_FURTHER_MS_MIN
    this.#lookLater()
  }

  left(): void {
    if (this.#parts.neighbours.size > 0) return
    this.#delayMs = LOOK_MS_MIN
    this.#lookLater()
  }

  /** A member has said where it is. */
  advertised(neighbour: Neighbour, addresses: string[]): void {
    const nowMs = this.#ports.clock.monotonic()
    const notedMs = this.#notedMs.get(neighbour) ?? Number.NEGATIVE_INFINITY
    if (nowMs - notedMs < ADDRESSES_NOTED_APART_MS) return
    this.#notedMs.set(neighbour, nowMs)
    const { peer } = neighbour
    this.#parts.members.isAt(peer, addresses)
    if (addresses.length > 0) this.#ports.directory?.add({ peer, addresses })
  }

  /** What hands were shaken for: a peer that has not shown a membership that holds is told nothing. */
  #isMember(peer: string): boolean {
    const { members, office, neighbours } = this.#parts
    const seen = members.get(peer)
    return seen !== undefined && office.isStillIn(seen) && !neighbours.isExpelled(peer)
  }

  async #openDirectory(): Promise<void> {
    const { directory, log } = this.#ports
    const { office, roster, neighbours } = this.#parts
    if (!directory) return
    try {
      await directory.start(office.meshId.toString(), {
        isMember: (peer) => this.#isMember(peer),
        // One that has no room for this peer has shown all the same whether it is a member.
        introduce: ({ peer, addresses }) => roster.acquaint(peer, addresses).catch(() => {}),
      })
      if (this.#stopped) return await directory.stop()
      for (const { peer, advertisement } of neighbours.all()) {
        if (advertisement?.addresses.length) directory.add({ peer, addresses: advertisement.addresses })
      }
      this.#rounds?.start()
    } catch (cause) {
      log.event('discovery.failed', { reason: `no directory: ${(cause as Error).message}` })
    }
  }

  #look(): void {
    const { neighbours, roster } = this.#parts
    if (neighbours.size > 0) void this.#lookFurther()
    else if (!roster.expecting) this.#dialRemembered()
    this.#lookLater()
  }

  #lookLater(): void {
    this.#cancel()
    if (this.#stopped) return
    const isAlone = this.#parts.neighbours.size === 0
    this.#cancel = this.#ports.clock.after(this.#delayMs, () => this.#look())
    this.#delayMs = Math.min(isAlone ? LOOK_ALONE_MS_MAX : LOOK_FURTHER_MS_MAX, 2 * this.#delayMs)
  }

  /** In the directory, near this peer first; or, without one, by any member. */
  async #lookFurther(): Promise<void> {
    const { neighbours, roster } = this.#parts
    const rounds = this.#rounds
    const room = NEIGHBOURS_MAX - neighbours.size
    if (room <= 0) return
    const members = neighbours.all().filter(({ member }) => member)
    const asked = members[this.#ports.random.below(Math.max(1, members.length))]
    const meet = ({ peer, addresses }: Sighting) => roster.meet(peer, addresses)
    if (!rounds) return asked && this.lookups.ask(asked, { capability: this.#engine, cell: this.#cell }, meet)
    const near = await rounds.find(this.#engine, this.#cell, room, meet)
    if (near.size < room) await rounds.find(this.#engine, ANYWHERE, room, meet)
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
    const { members, office } = this.#parts
    return members.all().filter((one) => one.addresses.length > 0 && office.isStillIn(one))
  }
}
