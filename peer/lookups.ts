/** Look-ups between neighbours: those that carry no directory ask others, who answer within bounds. */
import { Buckets, type Pace } from '../protocol/bucket.ts'
import type { FrameOf, PeerFrame } from '../protocol/frames.ts'
import { FOUND_ADDRESSES_MAX, FOUND_MAX, NEIGHBOURS_MAX } from '../protocol/limits.ts'
import type { Ports, Sighting } from '../protocol/ports.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import type { ProviderRounds } from './provider-rounds.ts'
import type { Roster } from './roster.ts'

/** Whoever comes looks a few times, then seldom; a walk through the directory for each costs some 20 requests. */
const LOOKUPS: Pace = { burst: 4, perSecond: 1 / 15 }
/** One for each peer of a table that was told of by one neighbour and could not be reached. */
const SEEKING: Pace = { burst: NEIGHBOURS_MAX, perSecond: 1 }
/** Waited for that long before the asker is told what is known. */
const ANSWER_MS_MAX = 3000
/** An answer that takes longer than that and the way there and back is not waited for. */
const ASKED_MS_MAX = ANSWER_MS_MAX + 2000

interface LookupParts {
  neighbours: NeighbourTable
  roster: Roster
  advertisements: AdvertisementTable
  hearsay(): AdvertisementTable
}

type LookupFrame = Extract<PeerFrame, { t: 'lookup' | 'found' | 'reach' | 'sought' }>
export type Question = Omit<FrameOf<'lookup'>, 't' | 'id'>

interface Asked {
  neighbour: Neighbour
  told(found: Sighting): void
  answered(): void
}

export class Lookups {
  readonly #ports: Pick<Ports, 'clock'>
  readonly #parts: LookupParts
  /** Undefined: this peer carries no directory. */
  readonly #rounds: ProviderRounds | undefined
  readonly #asked = new Buckets(LOOKUPS, NEIGHBOURS_MAX)
  readonly #seeking = new Buckets(SEEKING, NEIGHBOURS_MAX)
  readonly #sought = new Buckets(SEEKING, NEIGHBOURS_MAX)
  /** What this peer asked for, by number. */
  readonly #open = new Map<number, Asked>()
  #next = 0

  /** `parts` may be filled until the first neighbour comes. */
  constructor(ports: Pick<Ports, 'clock'>, parts: LookupParts, rounds: ProviderRounds | undefined) {
    this.#ports = ports
    this.#parts = parts
    this.#rounds = rounds
  }

  /** Answering may take seconds, in which other frames of the neighbour are read. */
  onFrame(neighbour: Neighbour, frame: LookupFrame): void | Promise<void> {
    if (!neighbour.member) return
    switch (frame.t) {
      case 'lookup':
        return void this.#onLookup(neighbour, frame)
      case 'found':
        return this.#onFound(neighbour, frame)
      case 'reach':
        return this.#onReach(neighbour, frame)
      case 'sought':
        return this.#onSought(neighbour, frame)
    }
  }

  /** Resolves when it has answered, or is not waited for any more. `told`: of each that it knows. */
  async ask(neighbour: Neighbour, question: Question, told: (found: Sighting) => void): Promise<void> {
    const id = this.#next++
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#open.set(id, { neighbour, told, answered: resolve })
    const cancel = this.#ports.clock.after(ASKED_MS_MAX, resolve)
    neighbour.link.send({ t: 'lookup', id, ...question })
    await promise
    cancel()
    this.#open.delete(id)
  }

  /** From what is known at once, and if that is little and more is asked for, from the directory. */
  async #onLookup(neighbour: Neighbour, { id, ...question }: FrameOf<'lookup'>): Promise<void> {
    const nowMs = this.#ports.clock.monotonic()
    const bucket = this.#asked.of(neighbour.peer, nowMs)
    const wait_ms = bucket.takeIfThere(nowMs) ? 0 : Math.ceil(1000 / LOOKUPS.perSecond)
    const peers = wait_ms > 0 ? [] : await this.#known(neighbour, question)
    neighbour.link.send({ t: 'found', id, peers, wait_ms })
  }

  #onFound(neighbour: Neighbour, { id, peers }: FrameOf<'found'>): void {
    // One that was not asked for would have this peer dial whomever the sender likes.
    const asked = this.#open.get(id)
    if (asked?.neighbour !== neighbour) return
    this.#open.delete(id)
    for (const one of peers) asked.told(one)
    asked.answered()
  }

  /** `peer`, of whom `teller` told, cannot be dialled: it may be able to dial this one. */
  unreached(peer: string, teller: Neighbour): void {
    teller.link.send({ t: 'reach', peer })
  }

  #onReach(neighbour: Neighbour, { peer }: FrameOf<'reach'>): void {
    const nowMs = this.#ports.clock.monotonic()
    const sought = this.#parts.neighbours.get(peer)
    if (!sought?.member || !this.#seeking.of(neighbour.peer, nowMs).takeIfThere(nowMs)) return
    const signed = this.#parts.advertisements.signedOf(neighbour.peer)
    if (signed) sought.link.send({ t: 'sought', signed })
  }

  async #onSought(neighbour: Neighbour, { signed }: FrameOf<'sought'>): Promise<void> {
    const nowMs = this.#ports.clock.monotonic()
    if (!this.#sought.of(neighbour.peer, nowMs).takeIfThere(nowMs)) return
    const accepted = await this.#parts.hearsay().accept(signed)
    if (accepted) this.#parts.roster.meet(accepted.peer, accepted.addresses)
  }

  async #known(asker: Neighbour, { capability, cell, known: isKnownEnough }: Question): Promise<Sighting[]> {
    const known = new Map<string, Sighting>()
    for (const one of this.#near(capability)) known.set(one.peer, one)
    known.delete(asker.peer)
    const isLittle = known.size < FOUND_MAX && !isKnownEnough
    if (isLittle) for (const one of await this.#inDirectory(capability, cell)) known.set(one.peer, one)
    known.delete(asker.peer)
    return [...known.values()].slice(0, FOUND_MAX)
  }

  /** Neighbours that lend, and can be dialled. */
  #near(capability: string): Sighting[] {
    return this.#parts.neighbours.lenders().flatMap(({ peer, advertisement }) => {
      const { engines = [], addresses = [] } = advertisement ?? {}
      return engines.includes(capability) && addresses.length > 0 ? [bounded({ peer, addresses })] : []
    })
  }

  async #inDirectory(capability: string, cell: string): Promise<Sighting[]> {
    if (!this.#rounds) return []
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#ports.clock.after(ANSWER_MS_MAX, resolve)
    const found: Sighting[] = []
    this.#rounds.find(capability, cell, FOUND_MAX, (one) => void found.push(one)).then(() => resolve())
    await promise
    cancel()
    return found.filter(({ addresses }) => addresses.length > 0).map(bounded)
  }
}

const bounded = ({ peer, addresses }: Sighting): Sighting => ({
  peer,
  addresses: addresses.slice(0, FOUND_ADDRESSES_MAX),
})
