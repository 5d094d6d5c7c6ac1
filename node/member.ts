/** A peer in this process that calls as the agent of a data directory would, while that agent does not run. */
import { createPeer } from '../peer/index.ts'
import { LENDS_NOTHING } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import { MeshError } from '../protocol/errors.ts'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import type { Config } from './config.ts'
import { openDataDir } from './data-dir.ts'
import { loadMesh } from './mesh-store.ts'
import { createNodePorts, environmentFailPoints } from './ports.ts'

const SANDBOX_IDLE_MS = 30_000
/** As long as a call waits for a first peer. */
const REACH_MS = 2000

/** Undefined if the directory is in use, belongs to no mesh, or names no peer of it that answers within 2 s. */
export const openMember = async ({
  data,
  diskBytes,
  deny,
}: Pick<Config, 'data' | 'diskBytes' | 'deny'>): Promise<Peer | undefined> => {
  const failPoints = environmentFailPoints()
  const dir = await openDataDir(data, failPoints).catch((cause) => {
    if (cause instanceof MeshError && cause.code === 'E_DATA_DIR_TAKEN') return undefined
    throw cause
  })
  const mesh = dir && (await loadMesh(dir.storage))
  if (!dir || !mesh || mesh.addresses.length === 0) {
    await dir?.storage.close()
    return undefined
  }
  const ports = await createNodePorts({ signer: dir.signer, storage: dir.storage, listen: [], failPoints })
  const policy = { ...LENDS_NOTHING, deny }
  const options = { mesh, policy, engine: ENGINE_ID, diskBytes, sandboxIdleMs: SANDBOX_IDLE_MS }
  const peer = await createPeer(ports, options)
  await peer.start()
  const signal = AbortSignal.timeout(REACH_MS)
  const reached = await Promise.any(mesh.addresses.map((address) => peer.join(address, signal))).catch(() => undefined)
  if (reached !== undefined) return peer
  await peer.stop()
  return undefined
}
