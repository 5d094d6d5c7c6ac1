/** What the probed engine exports (`probe.ts`). */

/** A global: the number of the function that calls itself as it begins, without end. */
export const PROBED = 'probed'
/** A global: how often one has. */
export const DEPTH = 'depth'
/** Starts function `n`. */
export const startOf = (n: number) => `probe_${n}`

/** Two functions whose native frames differ by CALIBRATION_BYTES where a compiler keeps variables in memory. */
export const CALIBRATORS = ['calibrate_small', 'calibrate_large'] as const
/** Variables of 64 bits that they have. */
export const CALIBRATOR_LOCALS = [10, 210] as const
export const CALIBRATION_BYTES = 8 * (CALIBRATOR_LOCALS[1] - CALIBRATOR_LOCALS[0])
