/** Clients that count, each commit with a trace of its own: afterwards it can be told what was committed, and that it adds up. */
import { MeshError } from '../../../protocol/errors.ts'
import type { Committed, StateEngine, Transaction } from '../engine.ts'
import { LARGE_BYTES } from '../group.ts'

const COUNTS = 3

export const numberOf = (value: Uint8Array | undefined) => Number(value ? new TextDecoder().decode(value) : 0)
const bytesOf = (value: number) => new TextEncoder().encode(`${value}`)
export const filled = (value: number) => new Uint8Array(LARGE_BYTES + 1).fill(value)

/** Counts, and leaves a trace in another namespace; now and then replaces a large value, or deletes what is not there. */
export const countingTransaction = async (engine: StateEngine, id: string, n: number): Promise<Transaction> => {
  const revision = await engine.revision()
  // Some meet at one key, and others commit with them.
  const key = `count-${id.charCodeAt(0) % COUNTS}`
  const [count] = await engine.read('counts', [key], revision)
  const writes: Transaction['writes'] = [
    { namespace: 'counts', key, put: bytesOf(numberOf(count?.value) + 1) },
    { namespace: 'traces', key: id, put: bytesOf(n) },
    ...(n % 16 === 1 ? [{ namespace: 'counts', key: 'large', put: filled(numberOf(count?.value)) }] : []),
    ...(n % 16 === 2 ? [{ namespace: 'traces', key: `never-${id}`, delete: true as const }] : []),
  ]
  return { id, revision, reads: [{ namespace: 'counts', key }], ranges: [], writes }
}

export interface Run {
  acknowledged: Map<string, Committed>
  /** What was last sent to be committed under each id. */
  sent: Map<string, Transaction>
}

/** As it is, until it is known what came of it. */
const commit = async (engine: StateEngine, transaction: Transaction): Promise<Committed> => {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      return await engine.commit(transaction)
    } catch (error) {
      if (!(error instanceof MeshError && error.code === 'E_STORAGE')) throw error
    }
  }
  throw new Error(`${transaction.id} is never committed`)
}

/** Commits once, whatever conflicts; returns it. */
export const countOnce = async (engine: StateEngine, run: Run, id: string, n: number): Promise<Committed> => {
  for (;;) {
    const transaction = await countingTransaction(engine, id, n)
    run.sent.set(id, transaction)
    const committed = await commit(engine, transaction)
    if (committed.kind === 'conflict') continue
    run.acknowledged.set(id, committed)
    return committed
  }
}
