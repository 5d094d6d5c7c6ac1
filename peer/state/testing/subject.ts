/** An engine under test, and what is asked of it most. */

import { LIST_ENTRIES_MAX } from '../../../protocol/limits.ts'
import { callerPrefixOf, TAG_CHARS } from '../caller-namespaces.ts'
import type { Committed, Holdings, StateEngine, Transaction, Write } from '../engine.ts'

/** What the suite needs of an engine. */
export interface StateHarness {
  /** An empty one, with the quotas of `quotaOf`. */
  open(): Promise<StateEngine>
  /** The same data again, after the one before was closed. */
  reopen(): Promise<StateEngine>
  /** Makes it forget all revisions up to now; it may commit something in the namespace `.other`. */
  forget(engine: StateEngine): Promise<void>
  close(): Promise<void>
}

/** The prefix of a caller's namespaces. */
export const CALLER = callerPrefixOf('a'.repeat(TAG_CHARS))

/** What the suite expects. */
export const quotaOf = (namespace: string): Holdings => {
  if (namespace === 'small') return { keys: 3, bytes: 64 }
  return namespace === CALLER ? { keys: 4, bytes: 100 } : { keys: 2000, bytes: 8 * 2 ** 20 }
}

export const text = (value: string) => new TextEncoder().encode(value)
export const shown = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)
export const put = (key: string, value: string, namespace = 'shop'): Write => ({ namespace, key, put: text(value) })
export const gone = (key: string, namespace = 'shop'): Write => ({ namespace, key, delete: true })

export class Subject {
  engine: StateEngine
  readonly #harness: StateHarness
  #ids = 0

  constructor(harness: StateHarness, engine: StateEngine) {
    this.#harness = harness
    this.engine = engine
  }

  async reopen(): Promise<void> {
    await this.engine.close()
    this.engine = await this.#harness.reopen()
  }

  forget(): Promise<void> {
    return this.#harness.forget(this.engine)
  }

  transaction(parts: Partial<Transaction>): Transaction {
    this.#ids += 1
    return { id: `transaction-${this.#ids}`, revision: 0, reads: [], ranges: [], writes: [], ...parts }
  }

  /** As read at the newest revision. */
  async commit(parts: Partial<Transaction>): Promise<Committed> {
    return this.engine.commit(this.transaction({ revision: await this.engine.revision(), ...parts }))
  }

  /** Returns the revision. */
  async write(...writes: Write[]): Promise<number> {
    const committed = await this.commit({ writes })
    if (committed.kind !== 'committed') throw new Error('a transaction that has read nothing conflicts')
    return committed.revision
  }

  async value(key: string, revision?: number, namespace = 'shop'): Promise<string | undefined> {
    const [entry] = await this.engine.read(namespace, [key], revision ?? (await this.engine.revision()))
    return shown(entry?.value)
  }

  async keys(prefix: string, revision?: number, namespace = 'shop'): Promise<string[]> {
    const at = revision ?? (await this.engine.revision())
    const { entries } = await this.engine.list({ namespace, prefix, limit: LIST_ENTRIES_MAX }, at)
    return entries.map(({ key }) => key)
  }
}
