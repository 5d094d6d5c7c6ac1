/** What a run looked like: tables of figures, and how its report draws them. */

/** Rows by column; units come last in the names of these. NaN: there is none. */
export type Table = Readonly<Record<string, readonly number[]>>

export interface Line {
  column: string
  label: string
  /** What the others are measured by: drawn behind them. */
  isReference?: boolean
}

export interface Plot {
  title: string
  /** What is to be seen, and how it was counted. */
  about: string
  /** Its name among the tables; `x`, which ascends, and `lines` are columns of it. */
  table: string
  x: { column: string; label: string }
  /** With its unit. */
  y: string
  lines: readonly Line[]
  as: 'line' | 'steps' | 'points' | 'bars'
  /** Each tenfold is as far from the next, instead of evenly. */
  isLogarithmic?: boolean
  /** From where to where on x something else held, and what. */
  spans?: readonly { from: number; to: number; label: string }[]
}

/** Who asks whom, and when. */
export interface WorldMap {
  about: string
  /** Columns latitude_degrees, longitude_degrees and asks: 1, or 0. */
  peers: string
  /** Columns from and to, rows of `peers`; asked_s, answered_s; travel_s, one way. */
  calls: string
  legend: {
    asks: string
    /** Those that do not ask. */
    others: string
    /** What is done where a call has arrived, until its answer leaves. */
    between: string
    answer: string
  }
}

export interface Pictures {
  tables: Readonly<Record<string, Table>>
  plots: readonly Plot[]
  /** There is none where nobody knows where the peers are. */
  map?: WorldMap
}

const STEPS = 200

const sortedOf = (figures: ArrayLike<number>): Float64Array => Float64Array.from(figures).sort()

/** For shares from 0 to 1 in even steps: what so many of each column do not exceed (nearest rank). */
export const quantilesOf = (columns: Table): Table => {
  const shares = Array.from({ length: STEPS + 1 }, (_, i) => i / STEPS)
  const at = (sorted: Float64Array) => (share: number) =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  const quantiles = Object.entries(columns).map(([name, figures]) => [name, shares.map(at(sortedOf(figures)))])
  return { share: shares, ...Object.fromEntries(quantiles) }
}

export interface Instant {
  atMs: number
  amount: number
}

/** The sum of amounts in each of `count` intervals from `fromMs` on. */
export const binned = (instants: Iterable<Instant>, fromMs: number, everyMs: number, count: number): number[] => {
  const sums = Array<number>(count).fill(0)
  for (const { atMs, amount } of instants) {
    const bin = Math.floor((atMs - fromMs) / everyMs)
    if (bin >= 0 && bin < count) sums[bin] = (sums[bin] as number) + amount
  }
  return sums
}

export interface Span {
  fromMs: number
  toMs: number
}

/** How many go on at once, on average, in each of `count` intervals from `fromMs` on. */
export const goingOn = (spans: Iterable<Span>, fromMs: number, everyMs: number, count: number): number[] => {
  const sums = Array<number>(count).fill(0)
  for (const span of spans) {
    const first = Math.max(0, Math.floor((span.fromMs - fromMs) / everyMs))
    for (let bin = first; bin < count && fromMs + bin * everyMs < span.toMs; bin++) {
      const [from, to] = [fromMs + bin * everyMs, fromMs + (bin + 1) * everyMs]
      sums[bin] = (sums[bin] as number) + (Math.min(to, span.toMs) - Math.max(from, span.fromMs)) / everyMs
    }
  }
  return sums
}

/** The seconds at which intervals begin. */
export const secondsOf = (everyMs: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * everyMs) / 1000)
