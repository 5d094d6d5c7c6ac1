/** The ports of one peer on this machine. */
import { createMemoryStorage } from '../peer/storage/memory.ts'
import { type FailPoints, planFailPoints } from '../protocol/fail-points.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { Log } from '../protocol/log.ts'
import type { Ports, SandboxHost, Signer, Storage } from '../protocol/ports.ts'
import { systemClock } from './clock.ts'
import { createCrypto, createSigner, generatePrivateKey } from './crypto.ts'
import { systemRandom } from './random.ts'
import { createSandboxHost } from './sandbox-host.ts'
import { solitaryNetwork } from './solitary-network.ts'
import type { WebServing } from './websockets.ts'

/** What WAYSIDE_FAIL_POINTS plans, for tests of what happens when a part fails. */
export const environmentFailPoints = (): FailPoints =>
  planFailPoints(process.env.WAYSIDE_FAIL_POINTS ?? '', () => process.kill(process.pid, 'SIGKILL'))

const SILENT: Log = { event() {} }

export interface NodePortsOptions {
  /** Who the peer is; a fresh key if not given. */
  signer?: Signer
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
}

const vicinityOf = async ({ listen, mdns, log = SILENT }: NodePortsOptions) => {
  if (listen === 'alone' || !mdns) return undefined
  const { createMdns } = await import('./mdns.ts')
  return createMdns(systemClock, systemRandom, log)
}

export const createNodePorts = async (options: NodePortsOptions): Promise<Ports> => {
  const { listen, log = SILENT, failPoints = environmentFailPoints(), web } = options
  const signer = options.signer ?? createSigner(generatePrivateKey())
  const alone = () => ({ network: solitaryNetwork(peerIdFromPublicKey(signer.publicKey)), directory: undefined })
  const joined = async (listen: readonly string[]) =>
    (await import('./network.ts')).createNodeNetwork({ signer, listen, clock: systemClock, log, failPoints, web })
  const { network, directory } = listen === 'alone' ? alone() : await joined(listen)
  return {
    clock: systemClock,
    random: systemRandom,
    crypto: createCrypto(),
    signer,
    storage: options.storage ?? createMemoryStorage(),
    network,
    sandboxHost: options.sandboxHost ?? createSandboxHost(failPoints),
    vicinity: await vicinityOf(options),
    // Whom nobody can dial keeps nothing for others, and asks them to look up.
    directory: listen.length > 0 ? directory : undefined,
    log,
  }
}
