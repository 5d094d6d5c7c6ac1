/** The agent: a peer that lends this machine, its data directory, and the socket on which its owner talks to it. */
import { keepTrying } from '../peer/join.ts'
import type { Peer } from '../peer/peer.ts'
import type { PeerStatus } from '../peer/status.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import { createPeerBackend } from '../sdk/peer-backend.ts'
import { settleMesh, startPeer, type Ways, webOf } from './agent-peer.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { INVITE_MS_DEFAULT } from './control/frames.ts'
import { startControlServer } from './control/server.ts'
import type { AgentControls } from './control/session.ts'
import { openDataDir } from './data-dir.ts'
import { watchAddresses } from './interfaces.ts'
import { openLogFile } from './log/file.ts'
import { followLog } from './log/follow.ts'
import { type AgentLog, createAgentLog } from './log/log.ts'
import { type PauseReason, Pausing } from './pausing.ts'
import { environmentFailPoints } from './ports.ts'
import { watchPower } from './power.ts'
import type { RelayStatus } from './relay-status.ts'
import { type Confinement, createSandboxHost } from './sandbox-host.ts'
import { VERSION } from './version.ts'
import type { Web, WebStatus } from './web/serving.ts'

/** How often the end of the certificate for browsers is looked at. */
const RENEW_EVERY_MS = 86_400_000

export interface AgentStatus extends PeerStatus {
  wayside: string
  pid: number
  data: string
  up_ms: number
  paused_by: PauseReason | null
  /** For all tasks together. */
  memory_bytes_lent: number
  /** How the processes that run functions are held. */
  sandbox: Confinement
  /** Invites others to this mesh for a day; null where this peer cannot be reached, or may not invite. */
  ticket: string | null
  /** What it serves to pages; null where it listens on no WebSocket. */
  web: WebStatus | null
  /** What a phone opens to lend too, where --phone asked for it. That of this agent is as good as a ticket. */
  phone: string | null
  /** What it carries for members whom nobody can dial, and within which bounds; null without --relay. */
  relay: RelayStatus | null
  /** Why it does not listen for WebRTC though it was to; null: it does, or was not to. */
  without_webrtc: string | null
}

export interface AgentOptions {
  /** Handed the log before anything is written to it. */
  onLog?: (log: AgentLog) => void
  /** Gives up joining. */
  signal?: AbortSignal
  /** Puts other ports in the place of the peer's. */
  adapt?: (ports: Ports) => Ports
}

export interface Agent {
  readonly peer: Peer
  readonly log: AgentLog
  status(): Promise<AgentStatus>
  /** Takes no new work, for a while or until `resume`. */
  pause(durationMs?: number): void
  resume(): void
  /** Refuses new work, hands back what is under way, and leaves nothing running. */
  stop(): Promise<void>
  /** Resolves when its owner asked for its end over the socket. */
  readonly asked: Promise<void>
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

/** Throws MeshError E_UNREACHABLE, E_NOT_ADMITTED or E_USAGE. */
const invite = async (peer: Peer, lifeMs: number, own = false) => {
  const expires_ms = systemClock.now() + lifeMs
  if (peer.addresses().length > 0) return { expires_ms, ticket: await peer.invite(lifeMs, own) }
  throw new MeshError(
    'E_UNREACHABLE',
    'nobody can reach this machine, so a ticket would lead nowhere; start it with --listen',
  )
}

/** What an agent is made of, beside its peer. */
interface Parts {
  config: Config
  log: AgentLog
  sandbox: Promise<Confinement>
  web: Web | undefined
  ways: Ways
}

const statusOf = async (
  peer: Peer,
  { config, sandbox, web, ways }: Parts,
  pausing: Pausing,
  startedMs: number,
): Promise<AgentStatus> => {
  const served = web?.status(peer.addresses()) ?? null
  return {
    ...peer.status(),
    wayside: VERSION,
    pid: process.pid,
    data: config.data,
    up_ms: Math.round(systemClock.monotonic() - startedMs),
    paused_by: pausing.reason,
    memory_bytes_lent: config.memoryBytes,
    sandbox: await sandbox,
    ticket: await invite(peer, INVITE_MS_DEFAULT).then(
      ({ ticket }) => ticket,
      () => null,
    ),
    web: served,
    phone: config.phone ? (config.publicUrl ?? web?.phoneUrl(served?.origins ?? []) ?? null) : null,
    relay: ways.relaying?.status() ?? null,
    without_webrtc: ways.withoutWebRtc ?? null,
  }
}

const serveOwner = async (peer: Peer, parts: Parts, over: AbortController, closeLog: () => void): Promise<Agent> => {
  const { config, log } = parts
  const startedMs = systemClock.monotonic()
  const pausing = new Pausing(systemClock, peer)
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const steering = {
    status: () => statusOf(peer, parts, pausing, startedMs),
    pause: (durationMs?: number) => pausing.pause(durationMs),
    resume: () => pausing.resume(),
  }
  const controls: AgentControls = {
    ...steering,
    invite: (lifeMs, own) => invite(peer, lifeMs, own),
    mesh: () => peer.mesh(),
    revoke: (revoked) => peer.revoke(revoked),
    backend: createPeerBackend(peer),
    state: () => peer.state,
    down: ask,
    logs: (query) => followLog(config.data, log, query),
  }
  const server = await startControlServer(config.data, controls)
  const renew = () => parts.web?.renew(systemClock.now())
  const stopWatchingAddresses = watchAddresses(systemClock, () => {
    peer.moved()
    renew()
  })
  const renewing = setInterval(renew, RENEW_EVERY_MS).unref()
  const stopWatching = watchPower(systemClock, (onBattery) => pausing.power(onBattery))
  const stop = async () => {
    over.abort()
    clearInterval(renewing)
    stopWatching()
    stopWatchingAddresses()
    log.event('agent.stopped', { peer: peer.peerId })
    await Promise.all([peer.stop(), server.close()])
    closeLog()
  }
  let stopping: Promise<void> | undefined
  return { ...steering, peer, log, asked, stop: () => (stopping ??= stop()) }
}

/**
 * Starts an agent and resolves once it answers on its socket. Throws MeshError: E_DATA_DIR_TAKEN, E_DATA_SCHEMA,
 * E_CONFIG, E_ADDRESS, E_MESH_MISMATCH, E_TICKET, E_TICKET_EXPIRED, E_NOT_ADMITTED, E_UNREACHABLE, E_STORAGE.
 */
export const startAgent = async (config: Config, options: AgentOptions = {}): Promise<Agent> => {
  const failPoints = environmentFailPoints()
  const found: string[] = []
  let damaged = (what: string): void => void found.push(what)
  const dir = await openDataDir(config.data, failPoints, (what) => damaged(what))
  const { log, close } = openLog(config)
  options.onLog?.(log)
  damaged = (reason) => log.event('storage.failed', { code: 'E_STORAGE', reason })
  found.forEach(damaged)
  let undo = () => dir.storage.close()
  const sandboxHost = createSandboxHost(failPoints)
  try {
    // Beside what takes longer: whoever reads the first status need not wait.
    const sandbox = sandboxHost.confinement()
    const adapt = options.adapt ?? ((ports: Ports) => ports)
    const mesh = await settleMesh({ config, dir, log }, options.signal)
    const web = await webOf({ config, dir }, async () => (await invite(peer, INVITE_MS_DEFAULT)).ticket)
    const { peer, ways } = await startPeer({ config, dir, log, failPoints, sandboxHost, adapt, web }, mesh)
    undo = () => peer.stop()
    const over = new AbortController()
    const agent = await serveOwner(peer, { config, log, sandbox, web, ways }, over, close)
    for (const address of mesh.addresses) keepTrying(() => peer.join(address, over.signal), systemClock, over.signal)
    log.event('agent.started', { peer: peer.peerId })
    return agent
  } catch (cause) {
    sandboxHost.spare?.()?.kill()
    await undo()
    close()
    throw cause
  }
}
