/** What a home has kept of a durable invocation, all but its record and its checkpoints. */
import type { DurableRecord } from '../../protocol/durable.ts'
import type { Crypto } from '../../protocol/ports.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import type { StateEngine } from '../state/engine.ts'
import { restoreCode } from './code.ts'
import { Damaged } from './damaged.ts'
import { type KeptJournal, readJournal } from './kept-journal.ts'
import { inputName, outcomeName, placeOf } from './names.ts'
import { readPieces } from './pieces.ts'

interface KeptParts {
  crypto: Pick<Crypto, 'hash'>
  engine: StateEngine
  store: BlockStore
}

interface At {
  id: string
  record: DurableRecord
  revision: number
}

/** What it goes on with; its code is in the store then. Throws Damaged, and what the state and the store throw. */
export const keptOf = async (
  { crypto, engine, store }: KeptParts,
  { id, record, revision }: At,
): Promise<{ input: Uint8Array; journal: KeptJournal }> => {
  const kept = { place: placeOf(crypto, record), id }
  const input = await readPieces(engine, kept.place, inputName(id), revision)
  if (!input) throw new Damaged(id, 'its input is missing')
  const journal = await readJournal(crypto, engine, kept, record.journal, revision)
  await restoreCode(engine, store, kept, revision)
  return { input, journal }
}

/** Encoded Outcome. What is there of one that has not ended is not its outcome yet. Throws Damaged, and what the state throws. */
export const outcomeOf = async (
  { crypto, engine }: Pick<KeptParts, 'crypto' | 'engine'>,
  { id, record, revision }: At,
): Promise<Uint8Array | undefined> => {
  if (record.state !== 'done') return undefined
  const outcome = await readPieces(engine, placeOf(crypto, record), outcomeName(id), revision)
  if (!outcome) throw new Damaged(id, 'its outcome is missing')
  return outcome
}
