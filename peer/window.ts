/** How much of a map is under way at once. Pure. */

/** Work that waits at each executor behind what runs, so that none idles for a round trip. */
const AHEAD_MS = 100
/** What one peer keeps at an executor, with what waits there: half of what that holds, so that others find room as well. */
export const WINDOW_MAX = 2048
/** Inputs under way at one executor; half of what a link holds for a peer that reads slowly. */
export const WINDOW_BYTES_MAX = 32 * 1024 * 1024

/**
 * Items to keep at one executor: one a slot, and as many more as it does in a round trip and `AHEAD_MS`. Without
 * experience (`serviceMs` 0) two a slot. `serviceMs`: a slot's ms per item.
 */
export const windowOf = (slots: number, serviceMs: number, roundTripMs: number): number => {
  if (slots <= 0) return 0
  if (serviceMs <= 0) return 2 * slots
  const ahead = Math.ceil((slots * (AHEAD_MS + roundTripMs)) / serviceMs)
  return Math.min(WINDOW_MAX, slots + Math.max(slots, ahead))
}
