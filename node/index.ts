/** `wayside/node`: lends this machine from a program, as `wayside up` does from a terminal. */
import { type AgentStatus, startAgent } from './agent.ts'
import { readConfig } from './config.ts'

/** The options of `wayside up`, in the same words; what is not given comes from the environment or the configuration file. */
export interface LendOptions {
  /** The data directory; one agent at a time holds it. Default: `~/.wayside`. */
  data?: string
  /** Cores; 0 lends nothing. Default: half of them. */
  cpus?: number
  /** For all tasks together, such as `2GiB`. Default: a quarter of what is free. */
  memory?: string
  /** For the code of functions and for verified answers. Default: `1GiB`. */
  disk?: string
  /** Who may use it: `self`, `mesh`, `anyone` or PeerIds. Default: `mesh`. */
  accept?: readonly string[]
  /** PeerIds that may not, whatever `accept` says. */
  deny?: readonly string[]
  /** Multiaddrs to listen on. */
  listen?: readonly string[]
  /** Tickets or multiaddrs of peers of the mesh. Default: the mesh of the data directory, or a private one of its own. */
  join?: readonly string[]
  /** Whether members are looked for on the local network. Default: true. */
  mdns?: boolean
  /** Gives up joining. */
  signal?: AbortSignal
}

export interface Lending extends AsyncDisposable {
  /** Own PeerId. */
  readonly peer: string
  /** What `wayside status --json` prints; its `ticket` invites others. */
  status(): Promise<AgentStatus>
  /** Takes no new work, for a while or until `resume`. */
  pause(durationMs?: number): void
  resume(): void
  /** Hands back what is under way and leaves nothing running; so does `wayside down`. */
  close(): Promise<void>
}

export type { AgentStatus } from './agent.ts'

/**
 * Lends this machine until `close`. Throws MeshError E_CONFIG, E_DATA_DIR_TAKEN, E_DATA_SCHEMA, E_ADDRESS, E_TICKET,
 * E_TICKET_EXPIRED, E_MESH_MISMATCH, E_NOT_ADMITTED, E_UNREACHABLE or E_STORAGE.
 */
export const lend = async ({ signal, ...flags }: LendOptions = {}): Promise<Lending> => {
  const agent = await startAgent(readConfig(flags), signal ? { signal } : {})
  const close = () => agent.stop()
  agent.asked.then(close)
  return {
    peer: agent.peer.peerId,
    status: () => agent.status(),
    pause: (durationMs) => agent.pause(durationMs),
    resume: () => agent.resume(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
