/** The owner's yes or no to a batch of tasks. Pure. */
import type { ErrorCode } from '../protocol/errors.ts'

/** The most that one invoker may have of this machine. */
export interface Quota {
  /** Items under way. */
  readonly items: number
  /** Infinity: any. */
  readonly fuelPerMinute: number
  /** Inputs, journals and results. Infinity: any. */
  readonly bytesPerMinute: number
  /** Part of the queue, from 0 to 1, while others ask as well. */
  readonly queueShare: number
}

/** What the decision looks at. */
export interface AdmissionView {
  readonly paused: boolean
  readonly stopping: boolean
  /** Does the owner's policy accept work from this invoker? */
  readonly accepted: boolean
  /** The task names an engine this agent carries. */
  readonly engine: boolean
  readonly memoryBytesAsked: number
  readonly memoryBytesLent: number
  readonly slots: number
  readonly queuedItems: number
  readonly queuedBytes: number
  readonly items: number
  readonly bytes: number
  readonly quota: Quota
  /** What this invoker has under way. */
  readonly heldItems: number
  readonly heldBytes: number
  /** What it has used of its minute and not yet worked off. */
  readonly usedFuel: number
  readonly usedBytes: number
  /** Another invoker has asked lately. */
  readonly contended: boolean
}

/** Trivial items run at 20,000/s and more: this is a quarter of a second of them, or the owner's patience for long ones. */
export const QUEUE_ITEMS_MAX = 4096
/** Inputs wait in memory. */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024

/** None that one honest user meets: nothing but the queue itself bounds it, and others who want their part. */
export const QUOTA_DEFAULT: Quota = {
  items: QUEUE_ITEMS_MAX,
  fuelPerMinute: Number.POSITIVE_INFINITY,
  bytesPerMinute: Number.POSITIVE_INFINITY,
  queueShare: 0.5,
}

/** `undefined` is yes; otherwise the reason for the no. */
export const admit = (view: AdmissionView): ErrorCode | undefined => {
  if (view.stopping) return 'E_STOPPING'
  if (view.paused) return 'E_PAUSED'
  if (!view.accepted) return 'E_NOT_ACCEPTED'
  if (!view.engine) return 'E_ENGINE_UNAVAILABLE'
  if (view.memoryBytesAsked > view.memoryBytesLent) return 'E_NO_MEMORY'
  if (view.slots === 0) return 'E_BUSY'
  if (view.queuedItems + view.items > QUEUE_ITEMS_MAX) return 'E_BUSY'
  if (view.queuedBytes + view.bytes > QUEUE_BYTES_MAX) return 'E_BUSY'
  return overQuota(view) && 'E_QUOTA'
}

/** Which quota the batch would pass. */
export const overQuota = (view: AdmissionView): keyof Quota | undefined => {
  const { items, fuelPerMinute, bytesPerMinute, queueShare } = view.quota
  const heldItems = view.heldItems + view.items
  const heldBytes = view.heldBytes + view.bytes
  if (heldItems > items) return 'items'
  if (view.usedFuel >= fuelPerMinute) return 'fuelPerMinute'
  if (view.usedBytes + view.bytes > bytesPerMinute) return 'bytesPerMinute'
  const isLarge = heldItems > queueShare * QUEUE_ITEMS_MAX || heldBytes > queueShare * QUEUE_BYTES_MAX
  return view.contended && isLarge ? 'queueShare' : undefined
}

const MINUTE_MS = 60_000

/** Ms until enough of the minute is worked off for the batch; 0: that depends on what is under way; Infinity: never. */
export const quotaWaitMs = (view: AdmissionView): number => {
  const { fuelPerMinute, bytesPerMinute } = view.quota
  switch (overQuota(view)) {
    case 'fuelPerMinute':
      return ((view.usedFuel - fuelPerMinute) / fuelPerMinute) * MINUTE_MS + 1
    case 'bytesPerMinute':
      if (view.bytes > bytesPerMinute) return Number.POSITIVE_INFINITY
      return ((view.usedBytes + view.bytes - bytesPerMinute) / bytesPerMinute) * MINUTE_MS
    default:
      return 0
  }
}
