/** The network of a peer on Node: libp2p, with the directory of its mesh. Heavy to import; whoever stays alone goes without. */
import { type Transport, transportSymbol } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import { type AddressKind, addressKind } from '../protocol/address-kind.ts'
import type { Directory, Network } from '../protocol/ports.ts'
import { createDht } from './dht.ts'
import type { WebServing } from './websockets.ts'

type NodeNetworkOptions = Omit<Libp2pNetworkOptions, 'transports' | 'services'> & { web?: WebServing | undefined }

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

/** What is listened on is loaded now, all else when it is needed. */
const transportFor = async (
  kinds: readonly AddressKind[],
  listen: readonly string[],
  load: () => Promise<Create>,
): Promise<Create> =>
  listen.some((address) => kinds.includes(addressKind(address))) ? load() : whenDialled(kinds, load)

export const createNodeNetwork = async ({
  web = {},
  ...options
}: NodeNetworkOptions): Promise<{ network: Network; directory: Directory }> => {
  const { ground, directory } = createDht(options.clock)
  const webSockets = async () => (await import('./websockets.ts')).nodeWebSockets(web)
  const transports = [tcp(), await transportFor(['ws', 'wss'], options.listen, webSockets)]
  const network = await createLibp2pNetwork({ ...options, transports, services: { directory: ground } })
  return { network, directory }
}
