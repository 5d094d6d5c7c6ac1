/** TCP whose connections are changed before anything is said on them. */
import type { MultiaddrConnection, Transport, Upgrader, UpgraderOptions } from '@libp2p/interface'
import type { TCPComponents, tcp } from '@libp2p/tcp'

export const wrappedTcp =
  (create: ReturnType<typeof tcp>, wrap: (connection: MultiaddrConnection) => MultiaddrConnection) =>
  (components: TCPComponents): Transport => {
    const transport = create(components)
    // Its own methods are on its prototype, and have private fields.
    const over = (upgrader: Upgrader): Upgrader => ({
      createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
      getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
      getStreamMuxers: () => upgrader.getStreamMuxers(),
      upgradeInbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
        upgrader.upgradeInbound(wrap(connection), options),
      upgradeOutbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
        upgrader.upgradeOutbound(wrap(connection), options),
    })
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) => dial(address, { ...options, upgrader: over(options.upgrader) })
    transport.createListener = (options) => createListener({ ...options, upgrader: over(options.upgrader) })
    return transport
  }
