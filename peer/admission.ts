/** The owner's yes or no to a batch of tasks. Pure. */
import type { ErrorCode } from '../protocol/errors.ts'

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
}

/** Trivial items run at 20,000/s and more: this is a quarter of a second of them, or the owner's patience for long ones. */
export const QUEUE_ITEMS_MAX = 4096
/** Inputs wait in memory. */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024

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
  return undefined
}
