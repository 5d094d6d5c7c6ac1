/** What a set of receipts means, and which verifier is drawn next. Pure. */
import { MeshError } from '../protocol/errors.ts'

const utf8 = new TextEncoder()

/** Outcomes of one task, by index: `same(i, j)` compares their CIDs. */
export interface VoteView {
  readonly count: number
  same(i: number, j: number): boolean
}

export type Verdict = 'agreed' | 'disputed' | 'insufficient'

const votesFor = (view: VoteView, i: number): number => {
  let votes = 0
  for (let j = 0; j < view.count; j++) if (view.same(i, j)) votes++
  return votes
}

/** Index of an outcome that `quorum` executions agree on, or -1. */
export const winnerOf = (view: VoteView, quorum: number): number => {
  for (let i = 0; i < view.count; i++) if (votesFor(view, i) >= quorum) return i
  return -1
}

/** `insufficient` if all executions so far agree but are too few; `disputed` if some disagree and none has the quorum. */
export const verdictOf = (view: VoteView, quorum: number): Verdict => {
  if (winnerOf(view, quorum) >= 0) return 'agreed'
  for (let i = 1; i < view.count; i++) if (!view.same(0, i)) return 'disputed'
  return 'insufficient'
}

/** Asked after each dispute. Of honest errors in 0.2 % of runs, 0.024 executions more a result at `quorum:2`. */
export const WITNESSES = 6

/**
 * Does nobody have what came out here, and so many one other outcome that this machine's engine is likelier to be wrong than all
 * of them to lie? `rights`: whose outcome is that of the home; `shared`: how many have signed each one's.
 */
export const isHomeAlone = (rights: readonly (boolean | undefined)[], shared: readonly number[]): boolean =>
  rights.every((right) => right === false) && shared.some((count) => count >= WITNESSES)

/**
 * The candidates in the order in which they are asked: by the first 48 bits of SHA-256(secret ‖ receipt digest ‖ round ‖
 * PeerId). So of those that may be asked each is as likely as any other, wherever its PeerId stands among them.
 */
export const drawOrder = (
  hash: (bytes: Uint8Array) => Uint8Array,
  secret: Uint8Array,
  receiptDigest: Uint8Array,
  round: number,
  candidates: readonly string[],
): string[] => {
  const before = Uint8Array.of(...secret, ...receiptDigest, round)
  const numberOf = (peer: string): number => {
    const name = utf8.encode(peer)
    const joined = new Uint8Array(before.length + name.length)
    joined.set(before)
    joined.set(name, before.length)
    const digest = hash(joined)
    let number = 0
    for (let i = 0; i < 6; i++) number = number * 256 + (digest[i] as number)
    return number
  }
  const drawn = candidates.map((peer) => ({ peer, number: numberOf(peer) }))
  return drawn.sort((a, b) => a.number - b.number).map(({ peer }) => peer)
}

/** Why `wanted` executors do not agree, of `found` that answered or may. */
export const noVerdict = (wanted: number, found: number, verdict: Verdict): MeshError => {
  if (verdict === 'disputed') {
    const message = `${found} executors gave different outcomes and no ${wanted} of them agree; nobody is left to ask`
    return new MeshError('E_VERIFICATION_FAILED', { message, found, wanted })
  }
  const message = `quorum:${wanted} needs ${wanted} executors, but only ${found} could be found; join more peers or ask for less`
  return new MeshError('E_QUORUM_INSUFFICIENT', { message, found, wanted })
}
