/** A peer in this process that calls as the agent of a data directory would, while that agent does not run. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createPeer } from '../peer/index.ts'
import { hasMetMembers } from '../peer/members.ts'
import { LENDS_NOTHING } from '../peer/owner-policy.ts'
import type { Peer } from '../peer/peer.ts'
import { type RemoteHomes, remoteHomesOf } from '../peer/remote-homes.ts'
import { MeshError } from '../protocol/errors.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { ENGINES } from '../sandbox/engines.ts'
import type { Config } from './config.ts'
import { openDataDir } from './data-dir.ts'
import { loadMesh } from './mesh-store.ts'
import { createNodePorts, environmentFailPoints } from './ports.ts'

const SANDBOX_IDLE_MS = 30_000
/** As long as a call waits for a first peer. */
const REACH_MS = 2000

/**
 * Undefined if the directory is in use, belongs to no mesh, or nobody of the mesh answers within 2 s: neither at an
 * address that the owner named, nor where members were before, nor on the local network.
 */
export const openMember = async ({
  data,
  diskBytes,
  deny,
  mdns,
}: Pick<Config, 'data' | 'diskBytes' | 'deny' | 'mdns'>): Promise<{ peer: Peer; homes: RemoteHomes } | undefined> => {
  if (!existsSync(join(data, 'db'))) return undefined
  const failPoints = environmentFailPoints()
  const dir = await openDataDir(data, failPoints).catch((cause) => {
    if (cause instanceof MeshError && cause.code === 'E_DATA_DIR_TAKEN') return undefined
    throw cause
  })
  const mesh = dir && (await loadMesh(dir.path))
  // Who founded a mesh and has met nobody looks for nobody.
  if (!dir || !mesh || (mesh.addresses.length === 0 && !(await hasMetMembers(dir.storage)))) {
    await dir?.storage.close()
    return undefined
  }
  const ports = await createNodePorts({
    data: dir.path,
    signer: dir.signer,
    storage: dir.storage,
    listen: [],
    mdns,
    failPoints,
  })
  const policy = { ...LENDS_NOTHING, deny }
  const options = {
    mesh,
    policy,
    engines: ENGINES,
    effects: [],
    diskBytes,
    sandboxIdleMs: SANDBOX_IDLE_MS,
    places: NEIGHBOURS_MAX,
  }
  const peer = await createPeer(ports, options)
  await peer.start()
  const signal = AbortSignal.timeout(REACH_MS)
  const named = mesh.addresses.map((address) => peer.join(address, signal))
  try {
    await Promise.any([...named, peer.meetSomebody(signal)])
    return { peer, homes: remoteHomesOf(ports, peer) }
  } catch {
    await peer.stop()
    return undefined
  }
}
