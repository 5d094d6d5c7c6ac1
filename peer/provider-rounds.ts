/** Records in the directory of the mesh what this peer offers, again and again, and looks up who offers what. */
import type { CID } from '../protocol/cid.ts'
import type { Directory, Ports, Sighting } from '../protocol/ports.ts'
import { ANYWHERE, CROWD, LEVEL_MAX, providerKey, type Shard, SPARSE, shardOf } from './provider-keys.ts'

/** By then a joiner has met whom it was told of, and is done with what a call may wait for. */
const FIRST_ROUND_MS = 5000
/** Half of what a record lasts. */
const ROUND_MS = 5 * 60_000
/** Of rounds that would otherwise keep in step, in many peers that started together. */
const ROUND_SPREAD_MS = 30_000
/** A walk through the directory, dials of peers that are gone included. */
const WALK_MS_MAX = 10_000

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
   * looked at too, drawn at random: enough for any table, and another part of the crowd each time.
   */
  async find(capability: string, cell: string, enough: number): Promise<Sighting[]> {
    const found = new Map<string, Sighting>()
    for (let level = 0; level <= LEVEL_MAX && found.size < enough; level++) {
      const others = await this.#othersUnder(capability, cell, { level, index: this.#ports.random.below(2 ** level) })
      for (const one of others) found.set(one.peer, one)
      if (others.length < SPARSE) break
    }
    return [...found.values()]
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
    for (const where of new Set([cell, ANYWHERE])) await this.#provide(capability, where)
  }

  /** Under the first key of this peer that is not crowded. */
  async #provide(capability: string, cell: string): Promise<void> {
    for (let level = 0; level <= LEVEL_MAX; level++) {
      const shard = shardOf(this.#ports.crypto, this.#ports.network.peerId, level)
      const isCrowded = (await this.#othersUnder(capability, cell, shard)).length >= CROWD
      if (isCrowded && level < LEVEL_MAX) continue
      return this.#within((signal) => this.#directory.provide(this.#keyOf(capability, cell, shard), signal), undefined)
    }
  }

  async #othersUnder(capability: string, cell: string, shard: Shard): Promise<Sighting[]> {
    const found = await this.#within((signal) => this.#directory.find(this.#keyOf(capability, cell, shard), signal), [])
    return found.filter(({ peer }) => peer !== this.#ports.network.peerId)
  }

  #keyOf(capability: string, cell: string, shard: Shard): Uint8Array {
    return providerKey(this.#ports.crypto, this.#mesh, capability, cell, shard)
  }

  /** What comes of it in time; a directory that cannot be reached is asked again in the next round. */
  async #within<T>(act: (signal: AbortSignal) => Promise<T>, otherwise: T): Promise<T> {
    const late = new AbortController()
    const cancel = this.#ports.clock.after(WALK_MS_MAX, () => late.abort())
    try {
      return await act(AbortSignal.any([late.signal, this.#over.signal]))
    } catch {
      return otherwise
    } finally {
      cancel()
    }
  }
}
