/** The network of a page's peer: libp2p, which only dials. */
import { webSockets } from '@libp2p/websockets'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import type { Network } from '../protocol/ports.ts'

export type PageNetworkOptions = Omit<Libp2pNetworkOptions, 'listen' | 'transports' | 'services'>

export const createPageNetwork = (options: PageNetworkOptions): Promise<Network> =>
  createLibp2pNetwork({ ...options, listen: [], transports: [webSockets()] })
