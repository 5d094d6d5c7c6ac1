/** The Network port on libp2p: the one place that composes it. */
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId, Stream } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p, type Libp2pInit } from 'libp2p'
import { addressKind } from '../../protocol/address-kind.ts'
import { MeshError } from '../../protocol/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../protocol/fail-points.ts'
import type { Log } from '../../protocol/log.ts'
import type { Channel, Clock, Network, Signer } from '../../protocol/ports.ts'
import { Crowd } from './crowd.ts'
import { Departed } from './departed.ts'
import { StreamChannel } from './libp2p-channel.ts'
import { privateKeyOf } from './libp2p-identity.ts'
import { announceRoomByHalves, boundedYamux } from './libp2p-muxer.ts'
import * as limits from './limits.ts'
import { alternatingKinds, bestOf, isRelayed } from './ways.ts'

export interface Libp2pNetworkOptions {
  /** Proves the PeerId; the private key stays behind it. */
  signer: Signer
  /** Multiaddrs such as `/ip4/0.0.0.0/tcp/0`; none: dial only. */
  listen: readonly string[]
  /** The host's: TCP and WebSockets on Node, what a page has in a page. */
  transports: NonNullable<Libp2pInit['transports']>
  /** What a transport or the host needs besides, such as identify. */
  services?: NonNullable<Libp2pInit['services']>
  /** Addresses at which others reach this peer over one that carries for it. */
  carriedAt?: () => string[]
  /** Called when there is no connection to a peer any more. */
  left?: (peer: string) => void
  /** Whom this peer carries, if it does. */
  gate?: Pick<ConnectionGater, 'denyInboundRelayReservation' | 'denyOutboundRelayedConnection'>
  clock: Clock
  log: Log
  failPoints?: FailPoints
}

/** What libp2p's connections write with; what they are given is theirs to change. */
interface Writing {
  sendData(data: Pieces): unknown
}

interface Pieces {
  byteLength: number
  subarray(): Uint8Array
  consume(bytes: number): void
  append(bytes: Uint8Array): void
}

/**
 * Noise writes the length of a message and the message, and each would leave by itself: over TCP by a system call, over
 * WebSocket by a message, which costs a page some 0.1 ms at either end. What a message may not hold leaves in the next.
 */
const joinWrites = (connection: MultiaddrConnection): void => {
  const writing = connection as unknown as Writing
  const write = writing.sendData.bind(writing)
  writing.sendData = (data) => {
    const joined = data.subarray()
    data.consume(data.byteLength)
    for (let from = 0; from < joined.length; from += limits.MESSAGE_BYTES_MAX)
      data.append(joined.subarray(from, from + limits.MESSAGE_BYTES_MAX))
    return write(data)
  }
}

/** The gater is where a connection is first in reach. It is let in, but may not owe bytes without end. */
const bound = (_peer: PeerId, connection: MultiaddrConnection): boolean => {
  connection.maxWriteBufferLength = limits.CONNECTION_UNSENT_BYTES_MAX
  joinWrites(connection)
  return false
}

const compose = ({ signer, listen, transports, services = {}, gate = {} }: Libp2pNetworkOptions): Promise<Libp2p> =>
  createLibp2p({
    start: false,
    privateKey: privateKeyOf(signer),
    addresses: { listen: [...listen] },
    transports,
    services,
    connectionEncrypters: [noise()],
    streamMuxers: [boundedYamux],
    connectionGater: {
      ...gate,
      // A browser's default refuses private addresses and ws://; which addresses are dialled, the peer decides.
      denyDialMultiaddr: () => false,
      denyInboundEncryptedConnection: bound,
      denyOutboundEncryptedConnection: bound,
    },
    connectionManager: {
      maxConnections: limits.CONNECTIONS_MAX,
      maxIncomingPendingConnections: limits.CONNECTIONS_PENDING_MAX,
      inboundConnectionThreshold: limits.CONNECTIONS_PER_ADDRESS_PER_SECOND_MAX,
      dialTimeout: limits.DIAL_TIMEOUT_MS,
      addressDialTimeout: limits.DIAL_TIMEOUT_MS,
      inboundUpgradeTimeout: limits.NEGOTIATION_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: limits.NEGOTIATION_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: limits.NEGOTIATION_TIMEOUT_MS,
    },
    // It opens a stream on every connection to see whether that is alive; neighbours are asked by a frame, who says nothing is let go.
    connectionMonitor: { enabled: false },
  })

const STREAM_OPTIONS = {
  maxInboundStreams: limits.CHANNELS_PER_PROTOCOL_MAX,
  maxOutboundStreams: limits.CHANNELS_PER_PROTOCOL_MAX,
  // Through a relay as well; its bounds are the relay's business.
  runOnLimitedConnection: true,
}

const textOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

const stackOf = (cause: unknown) => (cause instanceof Error && cause.stack) || String(cause)

const badAddress = (address: string, cause: unknown) => {
  const message = `${address} cannot be dialled here (${textOf(cause)}); an address reads /ip4/192.0.2.1/tcp/4001/p2p/PEERID`
  return new MeshError('E_ADDRESS', { message, address }, { cause })
}

const parseAddress = (address: string): Multiaddr => {
  try {
    return multiaddr(address)
  } catch (cause) {
    throw badAddress(address, cause)
  }
}

/**
 * An address without the peer, which is compared afterwards: told of the peer, libp2p would have a dial wait for the one
 * to where it is no more. Where more than one peer is on the way, or may be behind the name, it is needed.
 */
const placeOf = (address: Multiaddr): Multiaddr => {
  const components = address.getComponents()
  const isPlain = components.filter(({ code }) => code === CODE_P2P).length === 1 && components[0]?.name !== 'dnsaddr'
  return isPlain ? address.decapsulateCode(CODE_P2P) : address
}

/** What libp2p calls an address that none of its transports can dial. */
const ADDRESS_ERRORS = new Set(['NoValidAddressesError', 'InvalidMultiaddrError', 'InvalidParametersError'])

class Libp2pNetwork implements Network {
  readonly peerId: string
  readonly #libp2p: Libp2p
  readonly #options: Libp2pNetworkOptions
  readonly #failPoints: FailPoints
  readonly #registrations: Promise<void>[] = []
  readonly #channels = new Set<StreamChannel>()
  readonly #crowd: Crowd

  constructor(libp2p: Libp2p, options: Libp2pNetworkOptions) {
    this.peerId = libp2p.peerId.toString()
    this.#libp2p = libp2p
    this.#options = options
    this.#failPoints = options.failPoints ?? NO_FAIL_POINTS
    const { clock, log } = options
    const connections = () => libp2p.getConnections()
    this.#crowd = new Crowd({ clock, log, connections, channelBytes: (peer) => this.#channelBytes(peer) })
    const departed = new Departed(limits.DEPARTED_PEERS_MAX, (peer) => {
      // Who is kept though it could not be forgotten costs a kilobyte.
      libp2p.peerStore.delete(peer).catch(() => {})
    })
    libp2p.addEventListener('peer:connect', ({ detail }) => departed.came(detail))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      departed.left(detail)
      options.left?.(detail.toString())
    })
  }

  addresses(): string[] {
    const carriedAt = this.#options.carriedAt?.() ?? []
    return alternatingKinds([...this.#libp2p.getMultiaddrs().map(String), ...carriedAt])
  }

  handle(protocol: string, accept: (channel: Channel) => void, { frameBytesMax }: { frameBytesMax: number }): void {
    const onStream = (stream: Stream, { remotePeer }: Connection) => {
      const channel = this.#wrap(stream, remotePeer, { outbound: false, frameBytesMax })
      try {
        accept(channel)
        if (!channel.hasReceivers) throw new MeshError('E_INTERNAL', `a channel of ${protocol} was given no receivers`)
      } catch (cause) {
        const { log } = this.#options
        log.event('internal.error', { peer: channel.peer, code: 'E_INTERNAL', reason: stackOf(cause) })
        channel.close({ abort: 'E_INTERNAL: not accepted' })
      }
    }
    this.#registrations.push(this.#libp2p.handle(protocol, onStream, STREAM_OPTIONS))
  }

  async start(): Promise<void> {
    await Promise.all(this.#registrations)
    try {
      await this.#libp2p.start()
      this.#crowd.start()
    } catch (cause) {
      const addresses = this.#options.listen.join(', ')
      // libp2p's message is a page with a stack for each address.
      const why = /Error: (.+)/.exec(textOf(cause))?.[1] ?? textOf(cause)
      const message = `cannot listen on ${addresses}: ${why}; choose another address or port`
      throw new MeshError('E_ADDRESS', { message, addresses }, { cause })
    }
  }

  async connect(address: string, signal?: AbortSignal): Promise<string> {
    const target = parseAddress(address)
    const wanted = target.getComponents().findLast(({ code }) => code === CODE_P2P)?.value
    try {
      this.#failPoints.hit('network.connect')
      const before = wanted && bestOf(this.#connectionsTo(wanted))
      if (before && (!isRelayed(before) || addressKind(address) === 'relayed')) return wanted
      const isAgreed = wanted !== undefined && addressKind(address) === 'webrtc'
      const connection = await (isAgreed ? this.#agree(target, wanted, signal) : this.#dial(placeOf(target), signal))
      const peer = connection.remotePeer.toString()
      if (wanted && peer !== wanted) {
        connection.abort(new Error(`not ${wanted}`))
        throw new Error(`${peer} answers there`)
      }
      if (!isRelayed(connection)) this.#leaveRelays(peer)
      return peer
    } catch (cause) {
      if (ADDRESS_ERRORS.has((cause as Error).name)) throw badAddress(address, cause)
      const message = `${address} could not be reached: ${textOf(cause)}`
      throw new MeshError('E_UNREACHABLE', { message, address }, { cause })
    }
  }

  async open(
    peer: string,
    protocol: string,
    { frameBytesMax }: { frameBytesMax: number },
    signal?: AbortSignal,
  ): Promise<Channel> {
    try {
      this.#failPoints.hit('network.open')
      const connection = this.#connectionTo(peer)
      const stream = await connection.newStream(protocol, { ...STREAM_OPTIONS, ...(signal && { signal }) })
      return this.#wrap(stream, connection.remotePeer, { outbound: true, frameBytesMax })
    } catch (cause) {
      if (cause instanceof MeshError) throw cause
      if ((cause as Error).name === 'UnsupportedProtocolError') {
        const message = `${peer} does not speak ${protocol}; one of the two needs another version of wayside`
        throw new MeshError('E_PROTOCOL_VERSION', { message, peer, protocol }, { cause })
      }
      const message = `${peer} opened no channel for ${protocol}: ${textOf(cause)}`
      throw new MeshError('E_UNREACHABLE', { message, peer, protocol }, { cause })
    }
  }

  async disconnect(peer: string): Promise<void> {
    for (const channel of this.#channels) if (channel.peer === peer) channel.close()
    const connection = this.#connectionsTo(peer)[0]
    if (!connection) return
    // One that is dead does not answer that it closes; then it is cut.
    const late = new AbortController()
    const cancel = this.#options.clock.after(limits.HANG_UP_MS, () => late.abort())
    await this.#libp2p.hangUp(connection.remotePeer, { signal: late.signal }).finally(cancel)
  }

  async stop(): Promise<void> {
    this.#crowd.stop()
    for (const channel of this.#channels) channel.close()
    await this.#libp2p.stop()
  }

  #channelBytes(peer: string): number {
    let bytes = 0
    for (const channel of this.#channels) if (channel.peer === peer) bytes += channel.heldBytes
    return bytes
  }

  #connectionsTo(peer: string): Connection[] {
    return this.#libp2p.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peer)
  }

  #dial(address: Multiaddr, signal: AbortSignal | undefined): Promise<Connection> {
    return this.#libp2p.dial(address, signal ? { signal } : {})
  }

  /**
   * Over a relay: directly, if the two can agree on a way, else through it. libp2p would tear down the relayed connection
   * with the attempt that was made over it (js-libp2p #3015), so it is dialled by itself first.
   */
  async #agree(target: Multiaddr, wanted: string, signal: AbortSignal | undefined): Promise<Connection> {
    const through = target.getComponents().filter(({ name }) => name !== 'webrtc')
    const relayed = bestOf(this.#connectionsTo(wanted)) ?? (await this.#dial(multiaddr(through), signal))
    const late = new AbortController()
    const cancel = this.#options.clock.after(limits.AGREEMENT_TIMEOUT_MS, () => late.abort())
    try {
      const ends = signal ? AbortSignal.any([signal, late.signal]) : late.signal
      return await this.#libp2p.dial(target, { signal: ends, force: true })
    } catch (cause) {
      if (relayed.status !== 'open') throw cause
      const { log } = this.#options
      log.event('peer.relayed', { peer: wanted, address: String(target), reason: textOf(cause) })
      return relayed
    } finally {
      cancel()
    }
  }

  /** Channels that are on a relayed connection end, and are opened anew on the direct one. */
  #leaveRelays(peer: string): void {
    for (const one of this.#connectionsTo(peer)) if (isRelayed(one)) one.abort(new Error('there is a direct way now'))
  }

  #connectionTo(peer: string): Connection {
    const open = bestOf(this.#connectionsTo(peer))
    if (!open) throw new MeshError('E_UNREACHABLE', { message: `no connection to ${peer}; connect to it first`, peer })
    return open
  }

  #wrap(stream: Stream, peer: PeerId, given: { outbound: boolean; frameBytesMax: number }): StreamChannel {
    const options = { ...given, peer: peer.toString(), failPoints: this.#failPoints }
    announceRoomByHalves(stream)
    const channel = new StreamChannel(stream, { ...this.#options, ...options })
    if (stream.status === 'open') this.#channels.add(channel)
    stream.addEventListener('close', () => this.#channels.delete(channel))
    return channel
  }
}

/** A network not yet started. Its PeerId is that of the signer's key. */
export const createLibp2pNetwork = async (options: Libp2pNetworkOptions): Promise<Network> =>
  new Libp2pNetwork(await compose(options), options)
