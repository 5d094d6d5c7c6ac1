/** Does a series grow, or does it only tremble? Pure. */

export interface Point {
  readonly atMs: number
  readonly value: number
}

export interface Allowance {
  /** Of the median. */
  readonly share: number
  /** In the series' own unit. */
  readonly least: number
}

export interface Growth {
  readonly median: number
  /** By the slope over the time looked at. */
  readonly grown: number
  readonly allowed: number
  readonly grows: boolean
}

/** What comes before is warm-up: caches fill, code is compiled, the heap finds its size. */
const WARM_UP_SHARE = 0.5

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
}

/** Theil and Sen: the median of the slopes between all pairs. Up to 29 % of the points may be anything. Per ms. */
export const slopeOf = (points: readonly Point[]): number => {
  const slopes = points.flatMap((a, i) => points.slice(i + 1).map((b) => (b.value - a.value) / (b.atMs - a.atMs)))
  return medianOf(slopes.filter(Number.isFinite))
}

/** Of the part after the warm-up. */
export const growthOf = (points: readonly Point[], { share, least }: Allowance): Growth => {
  const settled = points.slice(Math.floor(points.length * WARM_UP_SHARE))
  const median = medianOf(settled.map(({ value }) => value))
  const grown = slopeOf(settled) * ((settled.at(-1)?.atMs ?? 0) - (settled[0]?.atMs ?? 0))
  const allowed = Math.max(least, share * median)
  return { median, grown, allowed, grows: grown > allowed }
}
