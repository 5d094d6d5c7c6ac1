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
  /** Expected ms to run one such item there; 0: not known. */
  serviceMs(i: number): number
}

/** Of a function that nobody has seen end: long enough that a free slot counts for more than a shorter way to a full one. */
const UNKNOWN_SERVICE_MS = 100

/** Round trip, then the wait for a slot, then the run; what runs is half done on average (docs/ARCHITECTURE.md, "How a call goes", 3). In ms. */
export const predictedMs = (view: CandidateView, i: number): number => {
  const slots = Math.max(1, view.slots(i))
  const waiting = Math.max(0, view.pending(i) - slots + 0.5)
  return view.roundTripMs(i) + (view.serviceMs(i) || UNKNOWN_SERVICE_MS) * (1 + waiting / slots)
}

/** Has it a slot that nobody needs, as far as is known? */
export const isIdle = (view: CandidateView, i: number): boolean => view.pending(i) < view.slots(i)

/**
 * Candidates looked at for so many taken. For one, two: taking the best of all by figures of a moment ago sends everybody
 * to the same peers, the better of two does not (Mitzenmacher 2001, "The power of two choices"). Copies make up for an
 * old figure, so the near and fast are looked for among more: of eight, an idle one is often not near (decision 69).
 */
const lookedAt = (take: number): number => (take === 1 ? 2 : 6 * take)

/** Those that may be asked, the drawn ones first; reused. */
const eligible: number[] = []

/**
 * The best `take` of eligible candidates drawn at random, by predicted completion; the best first, in `chosen`. Of equals
 * the one drawn first is taken. Source of the draw: Durstenfeld 1964, the shuffle, as far as it is needed.
 */
export const choose = (view: CandidateView, take: number, below: (limit: number) => number, chosen: number[]): void => {
  chosen.length = 0
  eligible.length = 0
  for (let i = 0; i < view.count; i++) if (view.eligible(i)) eligible.push(i)
  const size = Math.min(eligible.length, lookedAt(take))
  for (let rank = 0; rank < size; rank++) {
    const drawn = rank + below(eligible.length - rank)
    const i = eligible[drawn] as number
    eligible[drawn] = eligible[rank] as number
    eligible[rank] = i
    insert(view, chosen, take, i)
  }
}

const insert = (view: CandidateView, chosen: number[], take: number, i: number): void => {
  const ms = predictedMs(view, i)
  let at = chosen.length
  while (at > 0 && predictedMs(view, chosen[at - 1] as number) > ms) at--
  if (at >= take) return
  chosen.splice(at, 0, i)
  if (chosen.length > take) chosen.pop()
}
