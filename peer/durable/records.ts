/** The records of durable invocations, as they stand in the state. */
import { isCidText } from '../../protocol/cid.ts'
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import { DurableRecord } from '../../protocol/durable.ts'
import { ensureGrants } from '../../protocol/grants.ts'
import type { Crypto } from '../../protocol/ports.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { Damaged, wholeOf } from './damaged.ts'
import { grantsName, INVOCATIONS, placeOf } from './names.ts'
import { piecesOf, readPieces } from './pieces.ts'
import { unknown } from './summary.ts'

const PAGE = 100

/** Throws Damaged. */
export const readRecord = (id: string, bytes: Uint8Array): DurableRecord => {
  try {
    return DurableRecord.decode(bytes)
  } catch (cause) {
    const fault = `its record cannot be read: ${(cause as Error).message}; \`wayside cancel ${id}\` at its home removes it, with all that is kept of it`
    throw new Damaged(id, fault, { cause })
  }
}

/** Throws Damaged. */
export const findRecord = async (
  engine: StateEngine,
  id: string,
): Promise<{ record: DurableRecord | undefined; revision: number }> => {
  const revision = await engine.revision()
  const [entry] = await engine.read(INVOCATIONS, [id], revision)
  return { record: entry?.value && readRecord(id, entry.value), revision }
}

/** Throws MeshError E_USAGE for one that is not known, Damaged. */
export const knownRecord = async (
  engine: StateEngine,
  id: string,
): Promise<{ record: DurableRecord; revision: number }> => {
  if (!isCidText(id)) throw unknown(id)
  const { record, revision } = await findRecord(engine, id)
  if (!record) throw unknown(id)
  return { record, revision }
}

/** Without the grants of one that is run for a caller: they may be large, and count as the caller's (grantsWrites). */
export const writeRecord = (id: string, record: DurableRecord): Write => {
  const { grants, ...rest } = record
  return { namespace: INVOCATIONS, key: id, put: DurableRecord.encode(record.delegated ? rest : record) }
}

export const grantsWrites = (place: string, id: string, { delegated, grants }: DurableRecord): Write[] =>
  delegated && grants ? piecesOf(place, grantsName(id), encodeCanonical(grants)) : []

/** `record` as it was found, with its grants. Throws Damaged. */
export const withGrants = async (
  engine: StateEngine,
  place: string,
  { id, record, revision }: { id: string; record: DurableRecord; revision: number },
): Promise<DurableRecord> => {
  if (!record.delegated) return record
  const grants = await readPieces(engine, place, grantsName(id), revision)
  if (!grants) return record
  return { ...record, grants: { ...wholeOf(id, 'what it was granted', () => ensureGrants(decodeCanonical(grants))) } }
}

export type FoundRecord = { id: string; record: DurableRecord } | { id: string; damaged: Damaged }

const foundIn = (id: string, bytes: Uint8Array): FoundRecord => {
  try {
    return { id, record: readRecord(id, bytes) }
  } catch (cause) {
    if (cause instanceof Damaged) return { id, damaged: cause }
    throw cause
  }
}

/** As of one revision; those too that cannot be read. */
export async function* allFound(engine: StateEngine): AsyncGenerator<FoundRecord> {
  const revision = await engine.revision()
  let after: string | undefined
  for (;;) {
    const page = await engine.list({ namespace: INVOCATIONS, prefix: '', after, limit: PAGE }, revision)
    for (const { key, value } of page.entries) yield foundIn(key, value as Uint8Array)
    after = page.entries.at(-1)?.key
    if (!page.more) return
  }
}

/** Of those that can be read. */
export async function* allRecords(engine: StateEngine): AsyncGenerator<{ id: string; record: DurableRecord }> {
  for await (const one of allFound(engine)) if ('record' in one) yield one
}

/** That called it. */
export const parentOf = ({ parent }: DurableRecord): string | undefined => parent?.invocation.toString()

export interface EndedRecord {
  id: string
  endedMs: number
  /** Where its pieces are. */
  place: string
}

/**
 * Of those that have ended all but what somebody may still ask for: the one that called it, as long as that runs. The oldest
 * first.
 */
export const endedIn = async (crypto: Pick<Crypto, 'hash'>, engine: StateEngine): Promise<EndedRecord[]> => {
  const running = new Set<string>()
  const ended: (EndedRecord & { parent: string | undefined })[] = []
  for await (const { id, record } of allRecords(engine)) {
    const { ended_ms } = record
    if (ended_ms === undefined) running.add(id)
    else ended.push({ id, endedMs: ended_ms, place: placeOf(crypto, record), parent: parentOf(record) })
  }
  const free = ended.filter(({ parent }) => parent === undefined || !running.has(parent))
  return free.sort((a, b) => a.endedMs - b.endedMs)
}
