/** The peer of an agent: in the mesh of its data directory, on the addresses that its owner chose. */
import { hostname } from 'node:os'
import { homeKit } from '../peer/home-kit.ts'
import { createPeer } from '../peer/index.ts'
import type { Peer } from '../peer/peer.ts'
import { EFFECT_KINDS } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FailPoints } from '../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { NEIGHBOURS_MAX } from '../protocol/limits.ts'
import { meshIdOf } from '../protocol/mesh.ts'
import type { MeshRecord } from '../protocol/mesh-record.ts'
import type { Ports, SandboxHost } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createCrypto } from './crypto.ts'
import type { DataDir } from './data-dir.ts'
import { chooseMesh, type Dial } from './joining.ts'
import { loadPorts, portsToKeep, savePorts, servesPages, withKeptPorts } from './listen.ts'
import type { AgentLog } from './log/log.ts'
import { loadMesh, saveMesh } from './mesh-store.ts'
import { createNodePorts, type NodePorts } from './ports.ts'
import { proofKeeper } from './proof-files.ts'
import { systemRandom } from './random.ts'
import { CARRIED_ENGINES } from './sandbox-releases.ts'
import { openState } from './state-engine.ts'
import type { Web } from './web/serving.ts'

/** A sandbox process that has had nothing to do for this long ends. */
const SANDBOX_IDLE_MS = 30_000

/** What an agent stands on before it is a peer. */
export interface Ground {
  config: Config
  dir: DataDir
  log: AgentLog
  failPoints: FailPoints
  sandboxHost: SandboxHost
  adapt: (ports: Ports) => Ports
  /** What it is for browsers. */
  web: Web | undefined
}

/** What of its network the owner is told, beside its addresses. */
export type Ways = Pick<NodePorts, 'relaying' | 'withoutWebRtc'>

/** The mesh to belong to, kept from now on. */
export const settleMesh = async (
  { config, dir, log }: Pick<Ground, 'config' | 'dir' | 'log'>,
  signal?: AbortSignal,
): Promise<MeshRecord> => {
  const ports = { crypto: createCrypto(), clock: systemClock, random: systemRandom }
  // The peer's own network can start only once the mesh is known.
  const dial: Dial = async (use) => {
    const { createNodeNetwork } = await import('./network.ts')
    const { network } = await createNodeNetwork({ ...dir, listen: [], clock: systemClock, log })
    await network.start()
    try {
      return await use({ ...ports, log, network })
    } finally {
      await network.stop()
    }
  }
  const belonging = {
    data: dir.path,
    self: peerIdFromPublicKey(dir.signer.publicKey),
    kept: await loadMesh(dir.path),
    join: config.join,
    own: config.own,
    name: hostname().slice(0, 64) || 'wayside',
  }
  const mesh = await chooseMesh(ports, belonging, dial, signal)
  await saveMesh(dir.path, mesh)
  return mesh
}

/** Only an agent to which browsers can come has anything of that in memory. */
export const webOf = async (
  { config, dir }: Pick<Ground, 'config' | 'dir'>,
  invite: () => Promise<string>,
): Promise<Web | undefined> => {
  if (!servesPages(config.listen)) return undefined
  const { openWeb } = await import('./web/serving.ts')
  const peer = peerIdFromPublicKey(dir.signer.publicKey)
  return openWeb({ ...config, peer, invite, nowMs: systemClock.now() })
}

const startOn = async (
  { config, dir, log, failPoints, sandboxHost, adapt, web }: Ground,
  mesh: MeshRecord,
  listen: readonly string[],
) => {
  const { mdns } = config
  const { signer, storage } = dir
  const ports = await createNodePorts({
    data: dir.path,
    signer,
    storage,
    listen,
    mdns,
    sandboxHost,
    log,
    failPoints,
    web: web?.serving,
    relay: config.relay,
  })
  const { cpus: slots, taskMemoryBytes: memoryBytes, diskBytes, accept, deny, quota } = config
  const policy = { accept, deny, slots, memoryBytes, quota }
  const options = {
    mesh,
    policy,
    engines: CARRIED_ENGINES,
    effects: EFFECT_KINDS,
    diskBytes,
    sandboxIdleMs: SANDBOX_IDLE_MS,
    places: NEIGHBOURS_MAX,
    keepProof: proofKeeper(dir.path, log),
    state: { ...(await openState(config, dir, log, meshIdOf(createCrypto(), mesh.genesis).toString())), kit: homeKit },
  }
  try {
    const peer = await createPeer(adapt(ports), options)
    await peer.start()
    return { peer, ways: ports }
  } catch (cause) {
    await options.state.engine.close()
    throw cause
  }
}

/** A started peer, on the ports that it had before where they are still free. */
export const startPeer = async (ground: Ground, mesh: MeshRecord): Promise<{ peer: Peer; ways: Ways }> => {
  const { storage } = ground.dir
  const { listen } = ground.config
  const kept = withKeptPorts(listen, await loadPorts(storage))
  const started = await startOn(ground, mesh, kept).catch((cause) => {
    const isTaken = cause instanceof MeshError && cause.code === 'E_ADDRESS' && kept.join() !== listen.join()
    if (isTaken) return startOn(ground, mesh, listen)
    throw cause
  })
  await savePorts(storage, portsToKeep(listen, started.peer.addresses()))
  return started
}
