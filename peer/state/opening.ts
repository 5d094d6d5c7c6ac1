/** What the engine on the Storage port finds when it opens: it counts everything, and says what does not add up. */
import type { Storage, StorageWrite } from '../../protocol/ports.ts'
import type { IdGroup } from './committer.ts'
import type { Holdings } from './engine.ts'
import { countedBytes, decodeEntry, decodeHoldings, decodeIds, encodeHoldings } from './records.ts'
import { ENTRIES, GONE, GROUPS, keyBytesOf, namespaceOf, revisionOf, TOTALS } from './storage-keys.ts'
import { Totals } from './totals.ts'

export interface Found {
  /** The newest revision. */
  revision: number
  totals: Totals
  groups: IdGroup[]
}

type Damaged = (what: string) => void

const readGroups = async (storage: Storage, damaged: Damaged): Promise<IdGroup[]> => {
  const groups: IdGroup[] = []
  let next: number | undefined
  for await (const { key, value } of storage.scan(GROUPS)) {
    const group = { first: revisionOf(GROUPS, key), ids: decodeIds(value) }
    if (next !== undefined && group.first !== next)
      damaged(`the commits from revision ${next} to ${group.first - 1} are gone, though later ones are there`)
    groups.push(group)
    next = group.first + group.ids.length
  }
  return groups
}

const count = async (storage: Storage): Promise<{ newest: number; counted: Map<string, Holdings> }> => {
  const counted = new Map<string, Holdings>()
  let newest = 0
  for await (const { key, value } of storage.scan(ENTRIES)) {
    const entry = decodeEntry(value)
    const namespace = namespaceOf(key)
    const held = counted.get(namespace) ?? { keys: 0, bytes: 0 }
    counted.set(namespace, held)
    held.keys += 1
    held.bytes += keyBytesOf(key) + countedBytes(entry.value)
    newest = Math.max(newest, entry.version)
  }
  return { newest, counted }
}

/** The totals as they were kept with each commit must be what there is. Returns what puts them right. */
const compareTotals = async (
  storage: Storage,
  counted: ReadonlyMap<string, Holdings>,
  damaged: Damaged,
): Promise<StorageWrite[]> => {
  const kept = new Map<string, Holdings>()
  for await (const { key, value } of storage.scan(TOTALS)) kept.set(key.slice(TOTALS.length), decodeHoldings(value))
  const corrections: StorageWrite[] = []
  for (const namespace of new Set([...kept.keys(), ...counted.keys()])) {
    const is = counted.get(namespace) ?? { keys: 0, bytes: 0 }
    const was = kept.get(namespace) ?? { keys: 0, bytes: 0 }
    if (is.keys === was.keys && is.bytes === was.bytes) continue
    damaged(
      `the namespace ${namespace} has ${is.keys} keys with ${is.bytes} bytes, and had ${was.keys} with ${was.bytes}`,
    )
    corrections.push({ key: TOTALS + namespace, put: encodeHoldings(is) })
  }
  return corrections
}

/** Nobody can read at an old revision after a restart: the large values that only these had are removed. */
const removals = async (storage: Storage): Promise<StorageWrite[]> => {
  const keys: string[] = []
  for await (const { key, value } of storage.scan(GONE)) keys.push(key, ...decodeIds(value))
  return keys.map((key) => ({ key, delete: true }))
}

/** Throws MeshError E_STORAGE. `damaged` is told, in a sentence, of whatever was committed and is not there. */
export const readState = async (storage: Storage, damaged: Damaged): Promise<Found> => {
  const groups = await readGroups(storage, damaged)
  const { newest, counted } = await count(storage)
  const last = groups.at(-1)
  const revision = last ? last.first + last.ids.length - 1 : 0
  if (newest > revision)
    damaged(`the commits from revision ${revision + 1} to ${newest} have left values, but not their records`)
  const writes = [...(await compareTotals(storage, counted, damaged)), ...(await removals(storage))]
  if (writes.length > 0) await storage.write(writes, { durable: true })
  const totals = new Totals()
  for (const [namespace, held] of counted) totals.set(namespace, held)
  return { revision: Math.max(revision, newest), totals, groups }
}
