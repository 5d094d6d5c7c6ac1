/** Clients that count: each of their transactions adds one to a counter and leaves its id, so that each can be accounted for. */
import type { StateEngine, Transaction } from '../../../peer/state/engine.ts'
import { LIST_ENTRIES_MAX } from '../../../protocol/limits.ts'

const COUNTERS = 16

export interface Acknowledged {
  id: string
  revision: number
}

const text = (value: unknown) => new TextEncoder().encode(String(value))
const number = (value: Uint8Array | undefined) => Number(value === undefined ? 0 : new TextDecoder().decode(value))
const counterOf = (n: number) => `counter-${n % COUNTERS}`

const increment = async (engine: StateEngine, id: string, counter: string): Promise<Transaction> => {
  const revision = await engine.revision()
  const [entry] = await engine.read('counting', [counter], revision)
  return {
    id,
    revision,
    reads: [{ namespace: 'counting', key: counter }],
    ranges: [],
    writes: [
      { namespace: 'counting', key: counter, put: text(number(entry?.value) + 1) },
      { namespace: 'counting', key: `id-${id}`, put: text(counter) },
    ],
  }
}

/** Until it is committed: a conflict is tried anew, and what is not known is asked for again, with the same transaction. */
export const count = async (engine: StateEngine, id: string, n: number): Promise<Acknowledged> => {
  for (let unknown: Transaction | undefined; ; ) {
    try {
      const transaction: Transaction = unknown ?? (await increment(engine, id, counterOf(n)))
      unknown = transaction
      const committed = await engine.commit(transaction)
      if (committed.kind === 'committed') return { id, revision: committed.revision }
      unknown = undefined
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'E_REVISION') unknown = undefined
      else if (code !== 'E_STATE_UNAVAILABLE') throw error
    }
  }
}

/** What is there in the end: counters together, and the ids with the revisions that they were left at. */
export const counted = async (engine: StateEngine): Promise<{ total: number; ids: Map<string, number> }> => {
  const revision = await engine.revision()
  const ids = new Map<string, number>()
  let total = 0
  for (let after: string | undefined, more = true; more; ) {
    const page = await engine.list({ namespace: 'counting', prefix: '', after, limit: LIST_ENTRIES_MAX }, revision)
    for (const { key, version, value } of page.entries) {
      if (key.startsWith('counter-')) total += number(value)
      else ids.set(key.slice('id-'.length), version)
    }
    after = page.entries.at(-1)?.key
    more = page.more
  }
  return { total, ids }
}
