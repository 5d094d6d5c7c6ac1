/** The mesh that a data directory belongs to, kept with what is needed to come back to it. */
import * as v from 'valibot'
import { ADDRESSES_MAX } from '../protocol/limits.ts'
import { Genesis, membershipChain } from '../protocol/mesh.ts'
import type { Storage } from '../protocol/ports.ts'
import { address, list, message } from '../protocol/schema.ts'

const KEY = 'node/mesh'

/** `addresses`: of the peers that the owner named when joining, for the next start. */
const MeshRecord = message(
  'mesh record',
  64 * 1024,
  v.strictObject({ genesis: Genesis.schema, chain: membershipChain(), addresses: list(address(), 4 * ADDRESSES_MAX) }),
)
export type MeshRecord = v.InferOutput<typeof MeshRecord.schema>

export const loadMesh = async (storage: Storage): Promise<MeshRecord | undefined> => {
  const stored = await storage.get(KEY)
  return stored && MeshRecord.decode(stored)
}

export const saveMesh = (storage: Storage, { genesis, chain, addresses }: MeshRecord): Promise<void> => {
  const put = MeshRecord.encode({ genesis, chain, addresses: addresses.slice(0, 4 * ADDRESSES_MAX) })
  return storage.write([{ key: KEY, put }], { durable: true })
}
