/**
 * Finds who offers what a call needs and no neighbour does. All neighbours are asked at once whom they know, over links that are
 * open: what 64 times 64 peers offer is found in the time of one question. The directory is asked meanwhile, near and anywhere.
 */
import type { Feature } from '../protocol/frames.ts'
import { FOUND_MAX } from '../protocol/limits.ts'
import type { Ports, Sighting } from '../protocol/ports.ts'
import type { Lookups } from './lookups.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'
import { ANYWHERE } from './provider-keys.ts'
import type { ProviderRounds } from './provider-rounds.ts'
import type { Roster } from './roster.ts'

/** Nobody is asked for the same sooner: what was not there is not there at once. */
const SOUGHT_APART_MS = 60_000
/** Looked for within that time: a caller may name any engine, and each costs two walks. */
const NEEDS_MAX = 16
/** A walk through the directory that has found so many looks under no further key. */
export const NEEDED = FOUND_MAX

interface Sought {
  readonly sinceMs: number
  isOver: boolean
}

interface NeedsParts {
  neighbours: NeighbourTable
  roster: Pick<Roster, 'meet'>
  lookups: Pick<Lookups, 'ask'>
  /** Undefined: this peer carries no directory. */
  rounds: Pick<ProviderRounds, 'find'> | undefined
  cell(): string
}

export class Needs {
  readonly #ports: Pick<Ports, 'clock' | 'random'>
  readonly #parts: NeedsParts
  /** By capability, the one sought longest ago first. */
  readonly #sought = new Map<string, Sought>()

  constructor(ports: Pick<Ports, 'clock' | 'random'>, parts: NeedsParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Somebody who offers `capability` is being looked for, which begins with this where no neighbour does. */
  seeks(capability: string): boolean {
    const { neighbours } = this.#parts
    const members = neighbours.all().filter(({ member }) => member)
    const isThere = neighbours.lenders().some(({ advertisement }) => advertisement?.engines.includes(capability))
    if (isThere || members.length === 0) return false
    const nowMs = this.#ports.clock.monotonic()
    this.#forget(nowMs - SOUGHT_APART_MS)
    const before = this.#sought.get(capability)
    if (before) return !before.isOver
    if (this.#sought.size >= NEEDS_MAX) return false
    const sought = { sinceMs: nowMs, isOver: false }
    this.#sought.set(capability, sought)
    void this.#seek(capability, members).then(() => {
      sought.isOver = true
    })
    return true
  }

  #forget(untilMs: number): void {
    for (const [capability, { sinceMs }] of this.#sought) if (sinceMs <= untilMs) this.#sought.delete(capability)
  }

  async #seek(capability: string, members: readonly Neighbour[]): Promise<void> {
    const { lookups, rounds, roster } = this.#parts
    const cell = this.#parts.cell()
    const meet = ({ peer, addresses }: Sighting) => roster.meet(peer, addresses, { isNeeded: true })
    const knowing = members.filter(({ features }) => features.includes('acquaintances' satisfies Feature))
    const asked = knowing.map((one) => lookups.ask(one, { capability, cell, known: true }, meet))
    const walked = rounds
      ? [cell, ANYWHERE].map((where) => rounds.find(capability, where, NEEDED, meet))
      : [lookups.ask(this.#oneOf(members), { capability, cell }, meet)]
    await Promise.all([...asked, ...walked])
  }

  #oneOf(members: readonly Neighbour[]): Neighbour {
    return members[this.#ports.random.below(members.length)] as Neighbour
  }
}
