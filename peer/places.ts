/**
 * Whom a peer keeps as its neighbours, and whom it lets go. Pure: numbers through a view, nothing allocated per candidate.
 *
 * Near neighbours, by measured round trip, do its work. Far ones are drawn by lot, the same lot at both ends, so that both
 * want the same links, and the mesh does not fall into clusters. The rest are guests: newcomers find a place at once, and
 * leave it for the next ones when they have had time to find others.
 */

export interface Places {
  /** Neighbours at any time. */
  readonly most: number
  readonly near: number
  readonly far: number
}

/** Of 64: 40 near, 16 far, 8 for guests; of 16: 10, 4 and 2. */
export const placesOf = (most: number): Places => ({
  most,
  near: Math.floor((most * 5) / 8),
  far: Math.floor(most / 4),
})

export type Place = 'near' | 'far' | 'guest'

/** The neighbours, by index. */
export interface PlaceView {
  readonly count: number
  /** Infinity: not yet measured. */
  roundTripMs(i: number): number
  /** In [0, 1), by both PeerIds. */
  lot(i: number): number
  /** Where it sits now. */
  place(i: number): Place
  ageMs(i: number): number
  /** It stays whatever happens: the owner named it, or work is under way there or here. */
  isKept(i: number): boolean
  /** It has few other neighbours. */
  isNeedy(i: number): boolean
  /** We have dialled it to see how near it is, and it has had no place yet. */
  isProbe(i: number): boolean
}

/** Who has a near place leaves it only to one that is this much nearer: round trips tremble. */
const NEARER = 0.8
/** A guest that has other neighbours goes after this; one that has few stays until its place is wanted. */
const GUEST_MS = 60_000
/** For a newcomer to be told of others, and to reach them, where the next newcomers stand at the door. */
const PRESSED_MS = 10_000
/** Three round trips, and what the two tell each other. */
const PROBE_MS = 5000

/** Gives each neighbour its place. */
export const assign = (view: PlaceView, places: Places, seat: (i: number, place: Place) => void): void => {
  const order = Array.from({ length: view.count }, (_, i) => i)
  const distance = (i: number) => view.roundTripMs(i) * (view.place(i) === 'near' ? NEARER : 1)
  // Of those not yet measured, none is nearer.
  order.sort((a, b) => (distance(a) === distance(b) ? view.lot(a) - view.lot(b) : distance(a) - distance(b)))
  const others = order.splice(places.near)
  others.sort((a, b) => view.lot(a) - view.lot(b))
  for (const i of order) seat(i, 'near')
  for (const [rank, i] of others.entries()) seat(i, rank < places.far ? 'far' : 'guest')
}

const staysMs = (view: PlaceView, i: number, isPressed: boolean): number => {
  if (view.isProbe(i)) return PROBE_MS
  if (isPressed) return PRESSED_MS
  return view.isNeedy(i) ? Number.POSITIVE_INFINITY : GUEST_MS
}

/**
 * The guest that goes next, -1 if none need: of those that have had their time the oldest, and the needy last.
 * `isPressed`: somebody waits for its place.
 */
export const whoGoes = (view: PlaceView, isPressed: boolean): number => {
  let found = -1
  for (let i = 0; i < view.count; i++) {
    if (view.place(i) !== 'guest' || view.isKept(i) || view.ageMs(i) < staysMs(view, i, isPressed)) continue
    const isBetter =
      found < 0 || (view.isNeedy(i) === view.isNeedy(found) ? view.ageMs(i) > view.ageMs(found) : view.isNeedy(found))
    if (isBetter) found = i
  }
  return found
}
