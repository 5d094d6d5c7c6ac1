/** The agent: a peer that lends this machine, its data directory, and the socket on which its owner talks to it. */
import { hostname } from 'node:os'
import { createPeer } from '../peer/index.ts'
import type { Peer } from '../peer/peer.ts'
import type { PeerStatus } from '../peer/status.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FailPoints } from '../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import { ENGINE_ID } from '../sandbox/engine-id.ts'
import { createPeerBackend } from '../sdk/peer-backend.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { type ControlServer, startControlServer } from './control/server.ts'
import type { AgentControls } from './control/session.ts'
import { createCrypto } from './crypto.ts'
import { type DataDir, openDataDir } from './data-dir.ts'
import { chooseMesh, keepDialling } from './joining.ts'
import { loadPorts, portsToKeep, savePorts, withKeptPorts } from './listen.ts'
import { openLogFile } from './log/file.ts'
import { followLog } from './log/follow.ts'
import { type AgentLog, createAgentLog } from './log/log.ts'
import { loadMesh, saveMesh } from './mesh-store.ts'
import { type PauseReason, Pausing } from './pausing.ts'
import { createNodePorts, environmentFailPoints } from './ports.ts'
import { watchPower } from './power.ts'
import { systemRandom } from './random.ts'
import { VERSION } from './version.ts'

/** A sandbox process that has had nothing to do for this long ends. */
const SANDBOX_IDLE_MS = 30_000
/** Long enough to carry a ticket to another machine at leisure; it admits whoever holds it. */
const TICKET_MS = 7 * 24 * 60 * 60 * 1000

export interface AgentStatus extends PeerStatus {
  wayside: string
  pid: number
  data: string
  up_ms: number
  paused_by: PauseReason | null
  /** For all tasks together. */
  memory_bytes_lent: number
  cores_lent: number
  /** Invites others to this mesh; null where this peer cannot be reached. */
  ticket: string | null
}

export interface Agent {
  readonly peer: Peer
  readonly log: AgentLog
  status(): Promise<AgentStatus>
  pause(durationMs?: number): void
  resume(): void
  /** Refuses new work, hands back what is under way, and leaves nothing running. */
  stop(): Promise<void>
  /** Resolves when its owner asked for its end over the socket. */
  readonly asked: Promise<void>
}

/** The mesh to belong to; a network of its own dials for it, since the peer's can start only once it is known. */
const settleMesh = async (dir: DataDir, config: Config, log: AgentLog, signal: AbortSignal) => {
  const ports = { crypto: createCrypto(), clock: systemClock, random: systemRandom }
  const self = peerIdFromPublicKey(dir.signer.publicKey)
  const kept = await loadMesh(dir.storage)
  const wanted = { data: dir.path, self, kept, join: config.join, name: hostname().slice(0, 64) || 'wayside' }
  const mesh = await chooseMesh(
    ports,
    wanted,
    async (use) => {
      const { createNodeNetwork } = await import('./network.ts')
      const network = await createNodeNetwork({ signer: dir.signer, listen: [], clock: systemClock, log })
      await network.start()
      try {
        return await use({ ...ports, log, network })
      } finally {
        await network.stop()
      }
    },
    signal,
  )
  await saveMesh(dir.storage, mesh)
  return mesh
}

const startPeer = async (
  dir: DataDir,
  config: Config,
  mesh: Awaited<ReturnType<typeof settleMesh>>,
  log: AgentLog,
  failPoints: FailPoints,
): Promise<Peer> => {
  const listenOn = async (listen: readonly string[]) => {
    const ports = await createNodePorts({ signer: dir.signer, storage: dir.storage, listen, log, failPoints })
    const { cpus: slots, taskMemoryBytes: memoryBytes, diskBytes, accept } = config
    const policy = { accept, slots, memoryBytes }
    const peer = await createPeer(ports, { mesh, policy, engine: ENGINE_ID, diskBytes, sandboxIdleMs: SANDBOX_IDLE_MS })
    await peer.start()
    return peer
  }
  const kept = withKeptPorts(config.listen, await loadPorts(dir.storage))
  const isKept = kept.join() !== config.listen.join()
  const peer = await listenOn(kept).catch((cause) => {
    // Somebody else has the port by now; any other one will do.
    if (isKept && cause instanceof MeshError && cause.code === 'E_ADDRESS') return listenOn(config.listen)
    throw cause
  })
  await savePorts(dir.storage, portsToKeep(config.listen, peer.addresses()))
  return peer
}

const openLog = (config: Config) => {
  const log = createAgentLog(systemClock, config.logLevel)
  const file = openLogFile(config.data)
  const unsubscribe = log.subscribe((line) => file.write(line))
  const close = () => {
    log.flush()
    unsubscribe()
    file.close()
  }
  return { log, close }
}

/**
 * Starts an agent and resolves once it answers on its socket. Throws MeshError: E_DATA_DIR_TAKEN, E_DATA_SCHEMA,
 * E_CONFIG, E_ADDRESS, E_MESH_MISMATCH, E_TICKET, E_TICKET_EXPIRED, E_NOT_ADMITTED, E_UNREACHABLE, E_STORAGE.
 */
export const startAgent = async (
  config: Config,
  onLog?: (log: AgentLog) => void,
  signal = new AbortController().signal,
): Promise<Agent> => {
  const failPoints = environmentFailPoints()
  const dir = await openDataDir(config.data, failPoints)
  const { log, close } = openLog(config)
  onLog?.(log)
  const undo: (() => unknown)[] = [() => dir.storage.close(), close]
  try {
    const mesh = await settleMesh(dir, config, log, signal)
    const peer = await startPeer(dir, config, mesh, log, failPoints)
    undo.unshift(() => peer.stop())
    return await serveOwner(peer, config, log, mesh.addresses, close)
  } catch (cause) {
    for (const step of undo) await Promise.resolve(step()).catch(() => {})
    throw cause
  }
}

const serveOwner = async (
  peer: Peer,
  config: Config,
  log: AgentLog,
  addresses: readonly string[],
  closeLog: () => void,
): Promise<Agent> => {
  const startedMs = systemClock.monotonic()
  const pausing = new Pausing(systemClock, peer)
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const status = async (): Promise<AgentStatus> => ({
    ...peer.status(),
    wayside: VERSION,
    pid: process.pid,
    data: config.data,
    up_ms: Math.round(systemClock.monotonic() - startedMs),
    paused_by: pausing.reason,
    memory_bytes_lent: config.memoryBytes,
    cores_lent: config.cpus,
    ticket: peer.addresses().length > 0 ? await peer.invite(TICKET_MS) : null,
  })
  const controls: AgentControls = {
    backend: createPeerBackend(peer),
    status,
    pause: (durationMs) => pausing.pause(durationMs),
    resume: () => pausing.resume(),
    down: ask,
    logs: (options) => followLog(config.data, log, options),
  }
  const server = await startControlServer(config.data, controls)
  const stopDialling = keepDialling(peer, addresses, systemClock)
  const stopWatching = watchPower(systemClock, (onBattery) => pausing.power(onBattery))
  log.event('agent.started', { peer: peer.peerId })
  const stop = async () => {
    stopWatching()
    stopDialling()
    log.event('agent.stopped')
    await Promise.all([peer.stop(), (server as ControlServer).close()])
    closeLog()
  }
  let stopping: Promise<void> | undefined
  return {
    peer,
    log,
    status,
    pause: controls.pause,
    resume: controls.resume,
    stop: () => (stopping ??= stop()),
    asked,
  }
}
