/**
 * Blocks of a durable invocation, kept with it: those of large answers, and those of its code where several homes share a state.
 * Whoever goes on has them.
 */
import { type CID, ensureCid } from '../../protocol/cid.ts'
import type { MeshError } from '../../protocol/errors.ts'
import type { Manifest } from '../../protocol/records.ts'
import type { BlockStore } from '../../registry/block-store.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import { Damaged } from './damaged.ts'
import { codeName } from './names.ts'
import { scanPieces } from './pieces.ts'

/** Each in a commit of its own: a block is up to 256 KiB. */
export const codeWrites = async (
  store: BlockStore,
  { place, id }: { place: string; id: string },
  functionCid: CID,
  manifest: Manifest,
): Promise<Write[]> => {
  const cids = new Set([functionCid, ...manifest.code].map(String))
  const writes: Write[] = []
  for (const cid of cids) {
    const put = await store.get(ensureCid(cid))
    if (put) writes.push({ namespace: place, key: `${codeName(id)}/${cid}`, put })
  }
  return writes
}

/** Throws Damaged, E_STORAGE_FULL, E_STORAGE. */
export const restoreCode = async (
  engine: StateEngine,
  store: BlockStore,
  { place, id }: { place: string; id: string },
  revision: number,
): Promise<void> => {
  const prefix = `${codeName(id)}/`
  for await (const { key, value } of scanPieces(engine, place, prefix, revision))
    await store.put(ensureCid(key.slice(prefix.length)), value).catch((cause: MeshError) => {
      throw cause.code === 'E_BLOCK_MISMATCH' ? new Damaged(id, `a block of it: ${cause.message}`, { cause }) : cause
    })
}
