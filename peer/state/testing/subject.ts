/** An engine under test, and what is asked of it most. */

import { LIST_ENTRIES_MAX } from '../../../protocol/limits.ts'
import type { Committed, StateEngine, Transaction, Write } from '../engine.ts'

/** What the suite needs of an engine. */
export interface StateHarness {
  /** An empty one, whose namespaces may hold 2,000 keys and 8 MiB, but `small` three keys and 64 bytes. */
  open(): Promise<StateEngine>
  /** The same data again, after the one before was closed. */
  reopen(): Promise<StateEngine>
  /** Makes it forget all revisions up to now; it may commit something in the namespace `.other`. */
  forget(engine: StateEngine): Promise<void>
  close(): Promise<void>
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
