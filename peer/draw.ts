/** Who is asked next to verify what others did, and in which order. */
import { cidDigest, rawCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import type { Crypto } from '../protocol/ports.ts'
import type { Item } from './calls.ts'
import { areIndependent, type IndependenceFloor, independentFirst, rankAgainst } from './independence.ts'
import type { NeighbourTable } from './neighbours.ts'
import { drawOrder } from './verdict.ts'

export interface Draw {
  /** Whose invocation committed to the secret and the candidates. */
  root: Pick<Item, 'secret' | 'candidates'>
  /** Those whose receipts are in, and the last of these. */
  voters: readonly string[]
  receipt: Envelope
  asked: ReadonlySet<string>
}

/** Those of the candidates that can be asked and that the mesh lets verify, the more independent half of them first. */
export const drawVerifiers = (
  crypto: Pick<Crypto, 'hash'>,
  neighbours: NeighbourTable,
  floor: IndependenceFloor,
  { root, voters, receipt, asked }: Draw,
): string[] => {
  const digest = cidDigest(rawCid(crypto, receipt.payload))
  const lenders = new Set(neighbours.lenders().map(({ peer }) => peer))
  const others = voters.map((peer) => neighbours.whereabouts(peer))
  const may = drawOrder(crypto.hash, root.secret, digest, voters.length, root.candidates)
    .filter((peer) => lenders.has(peer) && !asked.has(peer))
    .map((peer) => neighbours.whereabouts(peer))
    .filter((one) => others.every((other) => areIndependent(floor, one, other)))
  return independentFirst(may, (one) => rankAgainst(one, others)).map(({ peer }) => peer)
}
