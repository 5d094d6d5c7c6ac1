/** The network of a peer on Node: libp2p, with the directory of its mesh. Heavy to import; whoever stays alone goes without. */
import { type Transport, transportSymbol } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import { type AddressKind, addressKind } from '../protocol/address-kind.ts'
import type { Directory, Network, Storage } from '../protocol/ports.ts'
import { createDht } from './dht.ts'
import type { Relay } from './relay.ts'
import type { WebServing } from './web-serving.ts'

interface NodeNetworkOptions extends Pick<Libp2pNetworkOptions, 'signer' | 'listen' | 'clock' | 'log' | 'failPoints'> {
  /** Where the certificate by which pages know this machine is kept. */
  storage: Storage
  /** What HTTP requests to a WebSocket listener get. */
  web?: WebServing | undefined
  /** Carry for members whom nobody can dial. */
  relay?: boolean | undefined
}

export interface NodeNetwork {
  network: Network
  directory: Directory
  relay: Relay | undefined
  /** Why no page can dial this machine by WebRTC though it was to; undefined: it can, or was not to. */
  withoutWebRtc: string | undefined
}

type Create = Libp2pNetworkOptions['transports'][number]
type Components = Parameters<Create>[0]

/** A way to connect that many an agent never uses: its packages are loaded when somebody is dialled in that way. */
const whenDialled =
  (kinds: readonly AddressKind[], load: () => Promise<Create>): Create =>
  (components: Components): Transport => {
    let loading: Promise<Transport> | undefined
    const loaded = () => (loading ??= load().then((create) => create(components)))
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: `wayside: ${kinds}`,
      dial: async (address, options) => (await loaded()).dial(address, options),
      dialFilter: (addresses) => addresses.filter((address) => kinds.includes(addressKind(String(address)))),
      listenFilter: () => [],
      createListener: () => {
        throw new Error(`not loaded for listening: ${kinds}`)
      },
    }
  }

const isDirect = (address: string) => addressKind(address) === 'webrtc-direct'
const isWeb = (address: string) => ['ws', 'wss'].includes(addressKind(address))

/** The native part of WebRTC may be missing on a platform: then all else works, and why is said. */
const directTransport = async (listen: readonly string[], load: () => Promise<Create>) => {
  const later = { transport: whenDialled(['webrtc-direct'], load), listen, missing: undefined }
  if (!listen.some(isDirect)) return later
  try {
    return { ...later, transport: await load(), listen: await Promise.all(listen.map(withUdpPort)) }
  } catch (cause) {
    const missing = cause instanceof Error ? cause.message : String(cause)
    return { ...later, listen: listen.filter((address) => !isDirect(address)), missing }
  }
}

const withUdpPort = async (address: string): Promise<string> => {
  const free = /^\/ip[46]\/([^/]+)\/udp\/0(?=\/)/.exec(address)
  if (!free) return address
  const { freeUdpPort } = await import('./webrtc-direct.ts')
  return address.replace('/udp/0', `/udp/${await freeUdpPort(free[1] as string)}`)
}

const relayOn = async (clock: NodeNetworkOptions['clock']): Promise<Relay> =>
  new (await import('./relay.ts')).Relay(clock)

export const createNodeNetwork = async ({
  web = {},
  storage,
  ...options
}: NodeNetworkOptions): Promise<NodeNetwork> => {
  const { ground, directory } = createDht(options.clock)
  const webSockets = async () => (await import('./websockets.ts')).nodeWebSockets(web)
  const webRtcDirect = async () => (await import('./webrtc-direct.ts')).nodeWebRtcDirect(storage)
  const direct = await directTransport(options.listen, webRtcDirect)
  const relay = options.relay ? await relayOn(options.clock) : undefined
  const network = await createLibp2pNetwork({
    ...options,
    listen: direct.listen,
    transports: [
      tcp(),
      options.listen.some(isWeb) ? await webSockets() : whenDialled(['ws', 'wss'], webSockets),
      direct.transport,
      whenDialled(['relayed'], async () => (await import('@libp2p/circuit-relay-v2')).circuitRelayTransport()),
      whenDialled(['webrtc'], async () => (await import('./webrtc-direct.ts')).nodeWebRtc()),
    ],
    services: relay ? { directory: ground, relay: relay.service as never } : { directory: ground },
    ...(relay && { gate: relay.gate }),
  })
  return { network, directory, relay, withoutWebRtc: direct.missing }
}
