/** Later than this no timer of a machine that is awake rings, however busy it is. */
const LATE_MS = 1000

/**
 * Was this machine asleep, or stopped? Then it was it that was silent: whatever others have sent meanwhile is read before
 * anybody counts as lost or late. `dueMs`, `nowMs`: when a timer was to ring, and when it did; monotonic.
 */
export const hasSlept = (nowMs: number, dueMs: number): boolean => nowMs - dueMs > LATE_MS
