/**
 * Connections by WebRTC with the muxer of all others: yamux, on one data channel.
 *
 * libp2p makes a data channel of each stream. Such a channel cannot be told to wait, so that whoever reads slowly is
 * flooded; and whoever connects may open as many as it likes. One that carries yamux has its windows and its limits.
 */
import type {
  AbortOptions,
  MultiaddrConnection,
  Stream,
  StreamMuxer,
  StreamMuxerFactory,
  Upgrader,
} from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import type { Libp2pNetworkOptions } from './libp2p.ts'
import { boundedYamux } from './libp2p-muxer.ts'

/** How a transport is made. */
type Create = Libp2pNetworkOptions['transports'][number]

/** A transport's way to a finished connection; of what it is given, only the muxer changes. */
type Upgrading = Pick<Upgrader, 'upgradeInbound' | 'upgradeOutbound'>

/** What @libp2p/webrtc 6 sends a message with. */
type Sending = Stream & { _sendMessage(parts: Iterable<Uint8Array> & { subarray(): Uint8Array }): void }

/**
 * The length of a message and the message leave together, which whoever reads cannot tell: libp2p sends the length by
 * itself, and each sending on a data channel costs a page some 0.2 ms.
 */
const joinSends = (channel: Stream): void => {
  const sending = channel as Sending
  const send = sending._sendMessage.bind(sending)
  sending._sendMessage = (parts) => send(Object.assign([parts.subarray()], { subarray: () => parts.subarray() }))
}

/** The one data channel, from the moment when either side asks for it. */
class Carrier extends AbstractMessageStream {
  readonly #connection: MultiaddrConnection
  #channel: Stream | undefined

  constructor(connection: MultiaddrConnection, channels: StreamMuxer) {
    super({ log: connection.log.newScope('carrier'), direction: connection.direction })
    this.#connection = connection
    // Whoever dialled opens the channel; whatever comes besides is closed.
    channels.addEventListener('stream', ({ detail }) => {
      if (this.#channel || connection.direction === 'outbound') detail.abort(new Error('one channel carries all'))
      else this.#carry(detail)
    })
    connection.addEventListener('close', ({ error }) => this.onTransportClosed(error))
    if (connection.direction === 'outbound') {
      channels.createStream().then(
        (channel) => this.#carry(channel),
        (cause) => connection.abort(cause),
      )
    }
  }

  sendData(data: Parameters<MultiaddrConnection['send']>[0]): SendResult {
    if (!this.#channel) return { sentBytes: 0, canSendMore: false }
    return { sentBytes: data.byteLength, canSendMore: this.#channel.send(data) }
  }

  /** All that was sent has arrived. */
  async close(options?: AbortOptions): Promise<void> {
    await this.#channel?.close(options)
  }

  sendReset(cause: Error): void {
    this.#connection.abort(cause)
  }

  // Never paused: the windows of yamux bound what comes.
  sendPause(): void {}
  sendResume(): void {}

  #carry(channel: Stream): void {
    this.#channel = channel
    joinSends(channel)
    channel.addEventListener('message', ({ data }) => this.onData(data))
    channel.addEventListener('remoteCloseWrite', () => void this.#connection.close().catch(() => {}))
    channel.addEventListener('close', ({ error }) => this.onTransportClosed(error))
    // The channel itself goes on in a microtask of this event; only then is it known whether there is room for more.
    channel.addEventListener('drain', () => queueMicrotask(() => this.#drained(channel)))
    this.safeDispatchEvent('drain')
  }

  #drained(channel: Stream): void {
    if (!channel.writableNeedsDrain) this.safeDispatchEvent('drain')
  }
}

const carried = (channels: StreamMuxerFactory): StreamMuxerFactory => {
  const factory = boundedYamux()
  return {
    protocol: factory.protocol,
    createStreamMuxer(stream) {
      const connection = stream as MultiaddrConnection
      const carrier = new Carrier(connection, channels.createStreamMuxer(connection))
      const muxer = factory.createStreamMuxer(carrier)
      const close = muxer.close.bind(muxer)
      muxer.close = async (options) => {
        await close(options)
        await carrier.close(options)
      }
      return muxer
    },
  }
}

const carrying = (upgrader: Upgrader): Upgrading => ({
  upgradeInbound: (connection, { muxerFactory, ...options }) =>
    upgrader.upgradeInbound(connection, { ...options, ...(muxerFactory && { muxerFactory: carried(muxerFactory) }) }),
  upgradeOutbound: (connection, { muxerFactory, ...options }) =>
    upgrader.upgradeOutbound(connection, { ...options, ...(muxerFactory && { muxerFactory: carried(muxerFactory) }) }),
})

/** The same way to connect, by a transport of @libp2p/webrtc, with one channel for all. */
export const onOneChannel =
  (create: Create): Create =>
  (components) => {
    const upgrader = Object.assign(Object.create(components.upgrader), carrying(components.upgrader)) as Upgrader
    // Its parts are there only once they are asked for.
    const own = new Proxy(components, {
      get: (all, name) => (name === 'upgrader' ? upgrader : Reflect.get(all, name)),
    })
    const transport = create(own)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) => dial(address, { ...options, upgrader })
    transport.createListener = (options) => createListener({ ...options, upgrader })
    return transport
  }
