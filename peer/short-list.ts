/** Which of the peers that are only known are worth a probe. Pure: numbers through a view. */

export interface AcquaintanceView {
  readonly count: number
  /** By coordinates; Infinity: it has not said where it is. */
  predictedMs(i: number): number
  lot(i: number): number
  lends(i: number): boolean
  /** Dials that failed since it was last there. */
  tries(i: number): number
}

/** What would be better than what there is. */
export interface Wish {
  /** The greatest round trip among those in near places; Infinity: some are free. */
  nearBelowMs: number
  /** The greatest lot among those in far places; Infinity: some are free. */
  farBelowLot: number
}

/**
 * So many are probed at a time: of 6 picked by coordinates that err by 60 %, as they do between homes, the nearest is
 * within 1.1 times the nearest of all.
 */
export const PROBES = 6
/** Who lends nothing is no use to whoever calls, and stands behind whoever is this much farther. */
const LENDS_NOTHING_MS = 50
/** Whom nobody could reach stands behind those not tried, by this much for each time. */
const UNREACHED_MS = 1000
/** Taken for one that has not said where it is: about halfway around the Earth. */
const UNKNOWN_MS = 150

const expectedMs = (view: AcquaintanceView, i: number): number =>
  Math.min(view.predictedMs(i), UNKNOWN_MS * 10) + (view.lends(i) ? 0 : LENDS_NOTHING_MS) + view.tries(i) * UNREACHED_MS

/** At most `most` of them, by index: the nearest, then those with the lowest lots, as far as they would be better. */
export const shortList = (view: AcquaintanceView, wish: Wish, most: number): number[] => {
  const picked: number[] = []
  const pick = (upTo: number, isWanted: (i: number) => boolean, rank: (i: number) => number) => {
    while (picked.length < upTo) {
      let best = -1
      for (let i = 0; i < view.count; i++) {
        if (!isWanted(i) || picked.includes(i)) continue
        if (best < 0 || rank(i) < rank(best)) best = i
      }
      if (best < 0) return
      picked.push(best)
    }
  }
  const isNear = (i: number) => Math.min(view.predictedMs(i), UNKNOWN_MS) < wish.nearBelowMs
  const isFar = (i: number) => view.lot(i) < wish.farBelowLot
  const near = (i: number) => expectedMs(view, i)
  pick(Math.ceil((most * 5) / 8), isNear, near)
  pick(most, isFar, (i) => view.lot(i) + view.tries(i))
  pick(most, isNear, near)
  return picked
}
