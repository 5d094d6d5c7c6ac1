/** Ports of a peer whose channels are not what they seem: adversaries, planted bugs and ears stand between it and its network. */
import { PEER_PROTOCOL, PeerFrame } from '../protocol/frames.ts'
import type { Channel, Network, Ports } from '../protocol/ports.ts'

/** `ports`, of whose network some is another. */
export const withNetwork = (ports: Ports, changed: Partial<Network>): Ports => {
  const { network } = ports
  const around: Network = {
    peerId: network.peerId,
    addresses: () => network.addresses(),
    handle: (...args) => network.handle(...args),
    start: () => network.start(),
    connect: (address, signal) => network.connect(address, signal),
    open: (...args) => network.open(...args),
    disconnect: (peer) => network.disconnect(peer),
    stop: () => network.stop(),
    ...changed,
  }
  return { ...ports, network: around }
}

/** `ports`, each of whose channels is what `wrap` makes of it. */
export const withEveryChannel = (ports: Ports, wrap: (channel: Channel) => Channel): Ports => {
  const { network } = ports
  return withNetwork(ports, {
    handle: (protocol, accept, options) => network.handle(protocol, (channel) => accept(wrap(channel)), options),
    open: async (...args) => wrap(await network.open(...args)),
  })
}

/** Likewise, of its channels of `protocol`. */
export const withChannels = (
  ports: Ports,
  wrap: (channel: Channel) => Channel,
  protocol: string = PEER_PROTOCOL,
): Ports => withEveryChannel(ports, (channel) => (channel.protocol === protocol ? wrap(channel) : channel))

/** As `channel` is: a copy of it would have nothing of its own. */
export const delegated = (channel: Channel): Channel => ({
  ...{ peer: channel.peer, protocol: channel.protocol, outbound: channel.outbound },
  send: (bytes) => channel.send(bytes),
  drained: () => channel.drained(),
  receive: (receivers) => channel.receive(receivers),
  close: (options) => channel.close(options),
  allow: (...args) => channel.allow(...args),
})

/** What becomes of a frame: those that go on in its place. */
export type Change = (frame: PeerFrame, peer: string) => readonly PeerFrame[]

export interface Changes {
  sent?: Change
  heard?: Change
}

const changed = (channel: Channel, { sent, heard }: Changes): Channel => ({
  ...delegated(channel),
  send: (bytes) => {
    if (!sent) return channel.send(bytes)
    let hasRoom = true
    for (const frame of sent(PeerFrame.decode(bytes), channel.peer)) hasRoom = channel.send(PeerFrame.encode(frame))
    return hasRoom
  },
  receive: ({ frame: take, closed }) =>
    channel.receive({
      closed,
      frame: async (bytes) => {
        if (!heard) return take(bytes)
        for (const frame of heard(PeerFrame.decode(bytes), channel.peer)) await take(PeerFrame.encode(frame))
      },
    }),
})

/** `ports` of one who says, or hears, other frames than its peer does. */
export const withFrames = (ports: Ports, changes: Changes): Ports =>
  withChannels(ports, (channel) => changed(channel, changes))
