/** Whom to ask. Pure: numbers through small views, nothing allocated per candidate. */

/** The candidates for one task, by index. The neighbour table or a simulator's typed arrays stand behind it. */
export interface CandidateView {
  readonly count: number
  /** May it be asked at all: engine, memory, not tried yet, not refusing? */
  eligible(i: number): boolean
  roundTripMs(i: number): number
  slots(i: number): number
  /** Items waiting or running there: the advertised ones and those we have sent since. */
  pending(i: number): number
  /** Expected ms to run one such item there. */
  serviceMs(i: number): number
}

/** Round trip, then the wait for a slot, then the run (docs/ARCHITECTURE.md, "How a call goes", 3). In ms. */
export const predictedMs = (view: CandidateView, i: number): number => {
  const slots = Math.max(1, view.slots(i))
  const waiting = Math.max(0, view.pending(i) - slots + 1)
  return view.roundTripMs(i) + view.serviceMs(i) * (1 + waiting / slots)
}

export const countEligible = (view: CandidateView): number => {
  let count = 0
  for (let i = 0; i < view.count; i++) if (view.eligible(i)) count++
  return count
}

const nthEligible = (view: CandidateView, n: number): number => {
  let left = n
  for (let i = 0; i < view.count; i++) {
    if (!view.eligible(i)) continue
    if (left === 0) return i
    left--
  }
  return -1
}

/**
 * The better of two eligible candidates drawn at random, by predicted completion; -1 if none is eligible. Taking the
 * best of all by figures of a moment ago sends everybody to the same peer; the better of two does not
 * (Mitzenmacher 2001, "The power of two choices").
 */
export const chooseOfTwo = (view: CandidateView, below: (limit: number) => number): number => {
  const count = countEligible(view)
  if (count <= 1) return nthEligible(view, 0)
  const first = below(count)
  const other = below(count - 1)
  const a = nthEligible(view, first)
  const b = nthEligible(view, other >= first ? other + 1 : other)
  return predictedMs(view, a) <= predictedMs(view, b) ? a : b
}
