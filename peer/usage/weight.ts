/** Who has how many runs in a turn at an executor, while others wait. Pure. */
import { FUEL_DEFAULT } from '../../protocol/limits.ts'

export const WEIGHT_MAX = 8
/** Whoever has used less is weighed as if it had used so much: a little lent gives little. */
const USED_FUEL_MIN = FUEL_DEFAULT / 10
/** What one call may take by itself, unsigned, and an eighth of the whole for copies whose answers nobody waited for. */
export const UNSIGNED_FUEL_MAX = FUEL_DEFAULT
const UNSIGNED_PART = 1 / 8

export interface WeightView {
  /** A machine of this one's owner. */
  readonly own: boolean
  /** Fuel, as counted here: what it did for us, what it had of us, and what of that it has not signed for. */
  readonly didFuel: number
  readonly hadFuel: number
  readonly unsignedFuel: number
}

/** 1 for a newcomer, who is served in each turn; more for whoever lends more of what it uses; 1 for whoever does not sign. */
export const weightOf = ({ own, didFuel, hadFuel, unsignedFuel }: WeightView): number => {
  if (own) return WEIGHT_MAX
  if (unsignedFuel > UNSIGNED_FUEL_MAX + hadFuel * UNSIGNED_PART) return 1
  return Math.min(WEIGHT_MAX, 1 + Math.floor((2 * didFuel) / Math.max(hadFuel, USED_FUEL_MIN)))
}
