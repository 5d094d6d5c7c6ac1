/**
 * The network of a page's peer. A page dials by WebSocket and WebRTC, what its browser lets it; it is dialled over agents
 * that carry for it, and by WebRTC once the two have agreed on a way there.
 */
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../peer/network/libp2p.ts'
import { onOneChannel } from '../peer/network/webrtc-carrier.ts'
import { addressKind } from '../protocol/address-kind.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { Network, Relaying } from '../protocol/ports.ts'
import { Carriers, withoutIdentify } from './carriers.ts'
import { refusedBy } from './refusals.ts'

type PageNetworkOptions = Pick<Libp2pNetworkOptions, 'signer' | 'clock' | 'log'>

type Create = Libp2pNetworkOptions['transports'][number]

/** No third party is asked where this machine is: candidates are its own addresses. */
const RTC = { rtcConfiguration: { iceServers: [] } }

/** A page that came by https may open no `ws:`: browsers call that mixed content, and say no more. */
const pageWebSockets: Create = (components) => {
  const transport = webSockets()(components)
  const dialFilter = transport.dialFilter.bind(transport)
  transport.dialFilter = (addresses) =>
    dialFilter(addresses).filter((one) => location.protocol !== 'https:' || addressKind(String(one)) === 'wss')
  return transport
}

export const createPageNetwork = async (
  options: PageNetworkOptions,
): Promise<{ network: Network; relaying: Relaying }> => {
  const hasWebRtc = typeof RTCPeerConnection === 'function'
  const carriers = new Carriers(options.clock, peerIdFromPublicKey(options.signer.publicKey), hasWebRtc)
  const byWebRtc = [onOneChannel(webRTCDirect(RTC)), withoutIdentify(onOneChannel(webRTC(RTC)))]
  const network = await createLibp2pNetwork({
    ...options,
    listen: [],
    transports: [pageWebSockets, carriers.transport, ...(hasWebRtc ? byWebRtc : [])],
    carriedAt: () => carriers.addresses(),
    left: (peer) => carriers.left(peer),
  })
  const connect = network.connect.bind(network)
  network.connect = (address, signal) => connect(address, signal).catch(refusedBy(address))
  return { network, relaying: carriers }
}
