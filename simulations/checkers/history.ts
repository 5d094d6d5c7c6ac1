/** What clients of a state engine saw and did, as far as they can know. */

/** What was read under one key. */
export interface Seen {
  key: string
  /** Revision that the engine gave with it; 0: there was nothing. */
  version: number
  /** The number of the write that was read; 0: there was nothing. */
  value: number
}

/** All that began with `prefix` and was neither outside of the bounds nor in `seen` was not there. */
export interface Listed {
  prefix: string
  /** Exclusive; undefined: from the first. */
  after?: string | undefined
  /** Inclusive; undefined: to the end of the prefix. */
  through?: string | undefined
  seen: readonly Seen[]
}

/** `value` is a positive integer that no other write of the history has; 0: the key was deleted. */
export interface Written {
  key: string
  value: number
}

/** Keys are ASCII text. Instants count events of the whole history: of two that are equal nothing is known. */
export interface Recorded {
  id: string
  beganAt: number
  /** Of `unknown` it says nothing. */
  endedAt: number
  /** `unknown`: no answer ever came, and it may have been committed or not. */
  outcome: 'committed' | 'aborted' | 'unknown'
  /** The revision that it read at: tells which of the times without a key one that was not there is from. */
  snapshot: number
  /** Of its commit; undefined: it wrote nothing, or nobody knows. */
  revision?: number | undefined
  reads: readonly Seen[]
  lists: readonly Listed[]
  /** In order: of several to one key the last one counts. */
  writes: readonly Written[]
}

export type History = readonly Recorded[]
