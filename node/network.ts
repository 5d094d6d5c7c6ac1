/** The network of a peer on Node: libp2p over TCP, with the directory of its mesh. Heavy to import; whoever stays alone goes without. */
import { tcp } from '@libp2p/tcp'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import type { Directory, Network } from '../protocol/ports.ts'
import { createDht } from './dht.ts'

type NodeNetworkOptions = Omit<Libp2pNetworkOptions, 'transports' | 'services'>

export const createNodeNetwork = async (
  options: NodeNetworkOptions,
): Promise<{ network: Network; directory: Directory }> => {
  const { ground, directory } = createDht(options.clock)
  const network = await createLibp2pNetwork({ ...options, transports: [tcp()], services: { directory: ground } })
  return { network, directory }
}
