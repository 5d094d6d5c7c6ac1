/** The neighbour table: who is connected, what each offers, and how it has done so far. */
import type { Envelope } from '../protocol/envelope.ts'
import type { Advertisement } from '../protocol/records.ts'
import type { Link } from './link.ts'

export interface Neighbour {
  readonly peer: string
  readonly link: Link
  /** Shown to belong to the mesh. */
  readonly member: boolean
  /** Latest, undefined until it has sent one. */
  advertisement: Advertisement | undefined
  signedAdvertisement: Envelope | undefined
  /** Smoothed; 0 until the first pong. */
  roundTripMs: number
  /** Items sent there and not yet answered. */
  inFlight: number
  /** How its run times compare with the mean over all executors: 2 is twice as slow. */
  slowness: number
  /** Until this monotonic instant it is not asked: it has refused, or failed. */
  shunnedUntilMs: number
}

export interface NeighbourTable {
  readonly size: number
  /** Changes whenever a peer joins or leaves. */
  readonly version: number
  get(peer: string): Neighbour | undefined
  /** In the order in which they joined. */
  all(): readonly Neighbour[]
  add(link: Link, member: boolean): Neighbour
  /** Removes the entry of this link, if it is still the current one. */
  remove(link: Link): Neighbour | undefined
}

export const createNeighbourTable = (): NeighbourTable => {
  const byPeer = new Map<string, Neighbour>()
  let list: Neighbour[] = []
  let version = 0

  const changed = () => {
    list = [...byPeer.values()]
    version++
  }

  return {
    get size() {
      return list.length
    },
    get version() {
      return version
    },
    get: (peer) => byPeer.get(peer),
    all: () => list,
    add: (link, member) => {
      const before = byPeer.get(link.peer)
      const neighbour: Neighbour = {
        peer: link.peer,
        link,
        member,
        advertisement: before?.advertisement,
        signedAdvertisement: before?.signedAdvertisement,
        roundTripMs: before?.roundTripMs ?? 0,
        inFlight: 0,
        slowness: before?.slowness ?? 1,
        shunnedUntilMs: 0,
      }
      byPeer.set(link.peer, neighbour)
      changed()
      return neighbour
    },
    remove: (link) => {
      const neighbour = byPeer.get(link.peer)
      if (!neighbour || neighbour.link !== link) return undefined
      byPeer.delete(link.peer)
      changed()
      return neighbour
    },
  }
}
