/** The network of a peer on Node: libp2p over TCP. Heavy to import; whoever stays alone goes without. */
import { tcp } from '@libp2p/tcp'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import type { Network } from '../protocol/ports.ts'

export const createNodeNetwork = (options: Omit<Libp2pNetworkOptions, 'transports' | 'services'>): Promise<Network> =>
  createLibp2pNetwork({ ...options, transports: [tcp()] })
