/** The port behind which state is kept: `storage-engine.ts` on one machine, etcd on several. One conformance suite for all. */

/** What stands under one key. */
export interface Entry {
  key: string
  /** Revision of the commit that wrote it; 0: there is nothing, nor need there ever have been. */
  version: number
  /** Up to 1 MiB, whatever they mean, but for those that name blocks (large-reference.ts); undefined: there is nothing. */
  value: Uint8Array | undefined
}

/** The keys that begin with `prefix`, in the order of their bytes. */
export interface Range {
  namespace: string
  /** May be empty: all keys of the namespace. */
  prefix: string
  /** Exclusive; undefined: from the first. */
  after?: string | undefined
  /** Entries, 1 to 1,000. */
  limit: number
}

export interface Read {
  namespace: string
  key: string
}

/** What a list has seen: nothing in it may have come, gone or changed since. */
export interface ReadRange {
  namespace: string
  prefix: string
  /** Exclusive; undefined: from the first. */
  after?: string | undefined
  /** The last key that was seen, inclusive; undefined: there were no more, and so the end of the prefix. */
  through?: string | undefined
}

/** Of several writes to one key in a transaction the last one counts. */
export type Write =
  | { namespace: string; key: string; put: Uint8Array }
  | { namespace: string; key: string; delete: true }

/** A write by the size of its value; undefined: it deletes. Of several to one key the last one counts. */
export interface SizedWrite extends Read {
  bytes: number | undefined
}

export interface Transaction {
  /**
   * Names invocation and step, 1 to 128 characters of printable ASCII. What it names is committed once at most: the same
   * id again is answered with the commit that it came to. A conflict is not remembered, so that a step which runs again,
   * at a later revision, keeps its id.
   */
  id: string
  /** All its reads were made at it. */
  revision: number
  reads: readonly Read[]
  ranges: readonly ReadRange[]
  writes: readonly Write[]
}

export type Committed =
  | { kind: 'committed'; revision: number }
  /** Something that was read has changed since, here for example; or too much time has passed to know. */
  | { kind: 'conflict'; namespace: string; key: string }

/** What a commit made of one key. */
export interface Change {
  revision: number
  key: string
  /** Undefined: it was deleted. */
  value: Uint8Array | undefined
}

/** What a namespace holds, or may hold: its quota. */
export interface Holdings {
  keys: number
  /** Of keys, in UTF-8, and values together. */
  bytes: number
}

/**
 * Keys and values in namespaces, read at a revision and written by transactions. Revisions count the commits of the whole
 * engine, from 1; an engine has one committer, so that a transaction over two namespaces is one. Bytes that were handed
 * over, in either direction, are not changed afterwards by anybody.
 *
 * Every method may throw MeshError E_STATE_UNAVAILABLE (the engine is closed or out of reach) and E_STORAGE (the disk
 * failed), and throws E_USAGE for a key, namespace or limit that is none.
 */
export interface StateEngine {
  /** The newest committed revision: no commit that was acknowledged before the call is above it. 0: nothing yet. */
  revision(): Promise<number>
  /** One entry for each key, in their order, as of `revision`. Throws E_REVISION if that is no longer kept, or not there yet. */
  read(namespace: string, keys: readonly string[], revision: number): Promise<Entry[]>
  /**
   * As of `revision`; `more`: there are others behind the last. Fewer than `limit` where their values come to over 4 MiB.
   * Throws E_REVISION as `read`.
   */
  list(range: Range, revision: number): Promise<{ entries: Entry[]; more: boolean }>
  /**
   * Strictly serialisable, and durable when it resolves. A conflict has changed nothing. Without writes there is nothing
   * that could conflict: all was read at one revision, as of which it is answered, at once. With writes a transaction whose
   * revision is no longer kept is a conflict; so an id that is no longer known cannot be committed again.
   *
   * Throws E_STATE_QUOTA, E_STATE_MOVING and E_REVISION (above the newest): nothing has changed. After E_STORAGE or
   * E_STATE_UNAVAILABLE it may have been committed or not: the same transaction again is answered with what it came to.
   */
  commit(transaction: Transaction): Promise<Committed>
  /** Throws E_STATE_QUOTA where `commit` would, of these writes, as things stand: of what is asked for elsewhere before it can be written. */
  ensureRoom(writes: readonly SizedWrite[]): Promise<void>
  /**
   * Every change under `prefix` with a revision above `after`, in order, those to come included; ends when `signal` is
   * aborted. Throws E_REVISION where changes are asked for that are no longer kept: by `after`, or because whoever reads
   * is slower than they come.
   */
  watch(namespace: string, prefix: string, after: number, signal: AbortSignal): AsyncIterable<Change>
  close(): Promise<void>
}
