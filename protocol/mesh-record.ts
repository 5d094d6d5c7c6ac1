/** What a host keeps of the mesh that its peer belongs to. No message: nobody sends it. */
import * as v from 'valibot'
import { ADDRESSES_MAX } from './limits.ts'
import { Genesis, membershipChain } from './mesh.ts'
import { address, list, message } from './schema.ts'

/** `addresses`: of the peers that the owner named when joining, for the next start. */
export const MeshRecord = message(
  'mesh record',
  64 * 1024,
  v.strictObject({ genesis: Genesis.schema, chain: membershipChain(), addresses: list(address(), 4 * ADDRESSES_MAX) }),
)
export type MeshRecord = v.InferOutput<typeof MeshRecord.schema>
