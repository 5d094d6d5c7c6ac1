/** Records in the directory of the mesh what this peer offers, again and again, and looks up who offers what. */
import type { CID } from '../protocol/cid.ts'
import type { Directory, Ports, Sighting } from '../protocol/ports.ts'
import { ANYWHERE, CROWD, LEVEL_MAX, levelFrom, providerKey, type Shard, SPARSE, shardOf } from './provider-keys.ts'

/** By then a joiner has met whom it was told of, and is done with what a call may wait for. */
export const FIRST_ROUND_MS = 5000
/** Half of what a record lasts. */
export const ROUND_MS = 5 * 60_000
/** Of rounds that would otherwise keep in step, in many peers that started together. */
export const ROUND_SPREAD_MS = 30_000
/** A walk through the directory, dials of peers that are gone included: what it has found by then counts. */
export const WALK_MS_MAX = 10_000
/** One that is over before it has come to those who keep the key has told nobody. */
export const PROVIDE_MS_MAX = 60_000

type RoundPorts = Pick<Ports, 'clock' | 'random' | 'crypto' | 'network'>

export interface Offered {
  /** Engine ID; undefined: nothing is offered now. */
  capability: string | undefined
  cell: string
}

export class ProviderRounds {
  readonly #ports: RoundPorts
  readonly #mesh: CID
  readonly #directory: Directory
  readonly #offered: () => Offered
  /** Where it provided in the last round, by cell. */
  #levels: ReadonlyMap<string, number> = new Map()
  #cancel = () => {}
  #over = new AbortController()

  constructor(ports: RoundPorts, mesh: CID, directory: Directory, offered: () => Offered) {
    this.#ports = ports
    this.#mesh = mesh
    this.#directory = directory
    this.#offered = offered
  }

  start(): void {
    this.#later(FIRST_ROUND_MS)
  }

  stop(): void {
    this.#cancel()
    this.#over.abort()
  }

  /**
   * Peers that offer `capability` in `cell`, others than this one. Where a key is crowded a shard of each level below is
   * looked at too, drawn at random: enough for any table, and another part of the crowd each time. `told` is called for each
   * as soon as it is found.
   */
  async find(
    capability: string,
    cell: string,
    enough: number,
    told: (found: Sighting) => void,
  ): Promise<ReadonlyMap<string, Sighting>> {
    const found = new Map<string, Sighting>()
    for (let level = 0; level <= LEVEL_MAX && found.size < enough; level++) {
      const shard = { level, index: this.#ports.random.below(2 ** level) }
      const others = await this.#othersUnder(capability, cell, shard, (one) => {
        if (!found.has(one.peer)) told(one)
        found.set(one.peer, one)
      })
      if (others < SPARSE) break
    }
    return found
  }

  #later(delayMs: number): void {
    this.#cancel = this.#ports.clock.after(delayMs, () => {
      void this.#round()
      this.#later(ROUND_MS - ROUND_SPREAD_MS + this.#ports.random.below(2 * ROUND_SPREAD_MS))
    })
  }

  async #round(): Promise<void> {
    const { capability, cell } = this.#offered()
    if (capability === undefined) return
    const levels = new Map<string, number>()
    for (const where of new Set([cell, ANYWHERE])) levels.set(where, await this.#provide(capability, where))
    this.#levels = levels
  }

  /** Under the first key of this peer that is not crowded; its level. */
  async #provide(capability: string, cell: string): Promise<number> {
    const { crypto, network } = this.#ports
    let level = levelFrom(this.#levels.get(cell))
    let shard = shardOf(crypto, network.peerId, level)
    while (level < LEVEL_MAX && (await this.#othersUnder(capability, cell, shard)) >= CROWD) {
      shard = shardOf(crypto, network.peerId, ++level)
    }
    await this.#within(PROVIDE_MS_MAX, (signal) =>
      this.#directory.provide(this.#keyOf(capability, cell, shard), signal),
    )
    return level
  }

  /** How many others there are. */
  async #othersUnder(
    capability: string,
    cell: string,
    shard: Shard,
    told: (found: Sighting) => void = () => {},
  ): Promise<number> {
    let others = 0
    await this.#within(WALK_MS_MAX, async (signal) => {
      for await (const one of this.#directory.find(this.#keyOf(capability, cell, shard), signal)) {
        if (one.peer === this.#ports.network.peerId) continue
        others++
        told(one)
      }
    })
    return others
  }

  #keyOf(capability: string, cell: string, shard: Shard): Uint8Array {
    return providerKey(this.#ports.crypto, this.#mesh, capability, cell, shard)
  }

  /** Ends in time; a directory that cannot be reached is asked again in the next round. */
  async #within(ms: number, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const late = new AbortController()
    const cancel = this.#ports.clock.after(ms, () => late.abort())
    try {
      await act(AbortSignal.any([late.signal, this.#over.signal]))
    } catch {
      // What came of it until then is what there is.
    } finally {
      cancel()
    }
  }
}
