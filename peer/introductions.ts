/** Of whom a neighbour is told: a newcomer of everybody, any other of those whom it may want. */
import type { Envelope } from '../protocol/envelope.ts'
import type { Crypto } from '../protocol/ports.ts'
import type { Advertisement } from '../protocol/records.ts'
import type { AdvertisementTable } from '../registry/advertisements.ts'
import { distanceMs } from './coordinates.ts'
import { FEW_NEIGHBOURS } from './housekeeping.ts'
import { lotBetween } from './lots.ts'
import { type AcquaintanceView, shortList } from './short-list.ts'

/** Told to one that has neighbours; all would be 45 KB on each of its links. */
const TOLD_MAX = 16

/** The advertisements of `table` as candidates for `to`. */
class CandidatesFor implements AcquaintanceView {
  readonly #live: readonly Advertisement[]
  readonly #to: Advertisement
  readonly #lots: readonly number[]

  constructor(crypto: Pick<Crypto, 'hash'>, live: readonly Advertisement[], to: Advertisement) {
    this.#live = live
    this.#to = to
    this.#lots = live.map(({ peer }) => lotBetween(crypto, peer, to.peer))
  }

  get count(): number {
    return this.#live.length
  }

  predictedMs(i: number): number {
    return distanceMs(this.#at(i).coordinate, this.#to.coordinate)
  }

  lot(i: number): number {
    return this.#lots[i] as number
  }

  lends(i: number): boolean {
    return this.#at(i).slots > 0
  }

  tries(): number {
    return 0
  }

  #at(i: number): Advertisement {
    return this.#live[i] as Advertisement
  }
}

/** Signed as they were told here. `to`: its advertisement, if it has sent one. */
export const introductionsFor = (
  crypto: Pick<Crypto, 'hash'>,
  table: AdvertisementTable,
  to: Advertisement | undefined,
): Envelope[] => {
  const signed = table.signed().filter(({ signer }) => signer !== to?.peer)
  if (!to || to.neighbours < FEW_NEIGHBOURS || signed.length <= TOLD_MAX) return signed
  const live = table.live().filter(({ peer }) => peer !== to.peer)
  const wish = { nearBelowMs: Number.POSITIVE_INFINITY, farBelowLot: Number.POSITIVE_INFINITY }
  return shortList(new CandidatesFor(crypto, live, to), wish, TOLD_MAX).map((i) => signed[i] as Envelope)
}
