/** The ports of one peer on this machine. */
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type FailPoints, planFailPoints } from '../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { Log } from '../protocol/log.ts'
import type { Ports, SandboxHost, Signer, Storage } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createCrypto, createSigner, generatePrivateKey } from './crypto.ts'
import { openSecrets } from './fetching/secrets.ts'
import { createWeb } from './fetching/web.ts'
import type { NodeNetwork } from './network.ts'
import { systemRandom } from './random.ts'
import type { Relay } from './relay.ts'
import { createSandboxHost } from './sandbox-host.ts'
import { solitaryNetwork } from './solitary-network.ts'
import type { WebServing } from './web-serving.ts'

/** What WAYSIDE_FAIL_POINTS plans, for tests of what happens when a part fails. */
export const environmentFailPoints = (): FailPoints =>
  planFailPoints(process.env.WAYSIDE_FAIL_POINTS ?? '', () => process.kill(process.pid, 'SIGKILL'))

const SILENT: Log = { event() {} }

export interface NodePortsOptions {
  /** Who the peer is; a fresh key if not given. */
  signer?: Signer
  /** Its data directory, where its owner may have put secrets; those of the environment alone if not given. */
  data?: string
  /** What it keeps; memory if not given. */
  storage?: Storage
  /** Multiaddrs to listen on, none to dial only; 'alone': no network at all. */
  listen: readonly string[] | 'alone'
  /** Whether peers are looked for on the local network. */
  mdns?: boolean
  /** One of its own if not given. */
  sandboxHost?: SandboxHost
  log?: Log
  failPoints?: FailPoints
  /** What HTTP requests to a WebSocket listener get; without it they are refused. */
  web?: WebServing | undefined
  /** Carry for members whom nobody can dial. */
  relay?: boolean | undefined
}

/** A peer's ports, and what its owner is told of them. */
export interface NodePorts extends Ports {
  relaying: Relay | undefined
  /** Why this machine, which was to listen for WebRTC, does not. */
  withoutWebRtc: string | undefined
}

const vicinityOf = async ({ listen, mdns, log = SILENT }: NodePortsOptions) => {
  if (listen === 'alone' || !mdns) return undefined
  const { createMdns } = await import('./mdns.ts')
  return createMdns(systemClock, systemRandom, log)
}

export const createNodePorts = async (options: NodePortsOptions): Promise<NodePorts> => {
  const { listen, log = SILENT, failPoints = environmentFailPoints(), web, relay } = options
  const storage = options.storage ?? createMemoryStorage()
  const signer = options.signer ?? createSigner(generatePrivateKey())
  const alone = (): Omit<NodeNetwork, 'directory'> & { directory: undefined } => ({
    network: solitaryNetwork(peerIdFromPublicKey(signer.publicKey)),
    directory: undefined,
    relay: undefined,
    withoutWebRtc: undefined,
  })
  const joined = async (listen: readonly string[]) =>
    (await import('./network.ts')).createNodeNetwork({
      ...{ signer, storage, listen, clock: systemClock, log, failPoints, web, relay },
    })
  const { network, directory, relay: relaying, withoutWebRtc } = listen === 'alone' ? alone() : await joined(listen)
  return {
    clock: systemClock,
    random: systemRandom,
    crypto: createCrypto(),
    signer,
    storage,
    network,
    sandboxHost: options.sandboxHost ?? createSandboxHost(failPoints),
    vicinity: await vicinityOf(options),
    // Whom nobody can dial keeps nothing for others, and asks them to look up.
    directory: listen.length > 0 ? directory : undefined,
    relaying,
    withoutWebRtc,
    web: createWeb(),
    secrets: openSecrets(options.data, process.env),
    log,
  }
}
