/** What a set of receipts means, and which verifier is drawn next. Pure. */

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

/**
 * The first 48 bits of SHA-256(secret ‖ receipt digest ‖ round), modulo `count`: the place in the committed candidate
 * list from which the next verifier is taken (the first at or after it that can still be asked). The modulo's bias is
 * below count / 2^48.
 */
export const drawIndex = (
  hash: (bytes: Uint8Array) => Uint8Array,
  secret: Uint8Array,
  receiptDigest: Uint8Array,
  round: number,
  count: number,
): number => {
  const joined = new Uint8Array(secret.length + receiptDigest.length + 1)
  joined.set(secret)
  joined.set(receiptDigest, secret.length)
  joined[joined.length - 1] = round
  const digest = hash(joined)
  let number = 0
  for (let i = 0; i < 6; i++) number = number * 256 + (digest[i] as number)
  return number % count
}
