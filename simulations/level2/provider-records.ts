/** Who has a record under which key: rounds of all that lend, by the rules and constants of `peer/provider-rounds.ts`. */
import { CROWD, LEVEL_MAX, levelFrom, PROVIDERS_PER_KEY_MAX, RECORD_MS_MAX } from '../../peer/provider-keys.ts'
import { ROUND_MS, ROUND_SPREAD_MS } from '../../peer/provider-rounds.ts'
import { NONE } from './attempts.ts'
import type { Chance } from './chance.ts'
import { ticksOf } from './wheel.ts'

/** Keys of one cell: 2^level of each level. */
const SHARDS = 2 ** (LEVEL_MAX + 1)
const RECORD_TICKS = ticksOf(RECORD_MS_MAX)

export const keyIn = (cell: number, level: number, index: number): number => cell * SHARDS + 2 ** level + index

/** Ticks until its next round. */
export const roundTicks = (random: Chance): number =>
  ticksOf(ROUND_MS - ROUND_SPREAD_MS + random.below(2 * ROUND_SPREAD_MS))

export class ProviderRecords {
  /** By record, two a peer (its cell, and anywhere): the key, when it was left there, and its list, the oldest first. */
  readonly key: Int32Array
  readonly at: Uint32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #first: Int32Array
  readonly #last: Int32Array
  readonly #count: Int32Array
  /** Where each record was left last. */
  readonly #level: Uint8Array
  /** What a hash of each peer begins with: its shard at each level is the first bits. */
  readonly #shard: Uint16Array
  /** Look-ups that rounds made, by key, and records that were one too many for those who keep them. */
  readonly lookups: Uint32Array
  refused = 0

  constructor(peers: number, cells: number, random: Chance) {
    this.key = new Int32Array(2 * peers).fill(NONE)
    this.at = new Uint32Array(2 * peers)
    this.#next = new Int32Array(2 * peers)
    this.#previous = new Int32Array(2 * peers)
    this.#level = new Uint8Array(2 * peers)
    this.#first = new Int32Array(cells * SHARDS).fill(NONE)
    this.#last = new Int32Array(cells * SHARDS).fill(NONE)
    this.#count = new Int32Array(cells * SHARDS)
    this.lookups = new Uint32Array(cells * SHARDS)
    this.#shard = Uint16Array.from({ length: peers }, () => random.below(2 ** 16))
  }

  get bytes(): number {
    return 17 * this.key.length + 16 * this.#first.length + this.#shard.byteLength
  }

  /** It begins anew. */
  come(peer: number): void {
    this.#level.fill(0, 2 * peer, 2 * peer + 2)
  }

  /** Under the first of its keys that is not crowded; `where`: 0 its cell, 1 anywhere. */
  provide(peer: number, where: number, cell: number, now: number): void {
    const record = 2 * peer + where
    for (let level = levelFrom(this.#level[record]); level <= LEVEL_MAX; level++) {
      this.#level[record] = level
      const key = keyIn(cell, level, (this.#shard[peer] as number) >> (16 - level))
      this.#expire(key, now)
      this.lookups[key] = (this.lookups[key] as number) + 1
      const others = (this.#count[key] as number) - (this.key[record] === key ? 1 : 0)
      if (others >= CROWD && level < LEVEL_MAX) continue
      if (others >= PROVIDERS_PER_KEY_MAX) this.refused++
      else this.#keep(record, key, now)
      return
    }
  }

  /** Records under a key, the oldest first. */
  under(key: number, now: number): number[] {
    this.#expire(key, now)
    const found: number[] = []
    for (let one = this.#first[key] as number; one !== NONE; one = this.#next[one] as number) found.push(one)
    return found
  }

  #keep(record: number, key: number, now: number): void {
    this.#remove(record)
    const last = this.#last[key] as number
    this.key[record] = key
    this.at[record] = now
    this.#next[record] = NONE
    this.#previous[record] = last
    if (last === NONE) this.#first[key] = record
    else this.#next[last] = record
    this.#last[key] = record
    this.#count[key] = (this.#count[key] as number) + 1
  }

  #remove(record: number): void {
    const key = this.key[record] as number
    if (key === NONE) return
    const [before, next] = [this.#previous[record] as number, this.#next[record] as number]
    if (before === NONE) this.#first[key] = next
    else this.#next[before] = next
    if (next === NONE) this.#last[key] = before
    else this.#previous[next] = before
    this.key[record] = NONE
    this.#count[key] = (this.#count[key] as number) - 1
  }

  #expire(key: number, now: number): void {
    for (;;) {
      const first = this.#first[key] as number
      if (first === NONE || (this.at[first] as number) + RECORD_TICKS > now) return
      this.#remove(first)
    }
  }
}
