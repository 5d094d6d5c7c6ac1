/**
 * The directory of a mesh as a DHT of its own (@libp2p/kad-dht), for members only: streams of others end before a byte
 * of them is read, and nobody is asked with whom hands were not shaken.
 */
import {
  type PeerDiscovery,
  type PeerId,
  type PeerInfo,
  peerDiscoverySymbol,
  type Stream,
  start,
  stop,
} from '@libp2p/interface'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { INTRODUCE_MS_MAX, TABLE_DEPTH_MAX, WALK_ALPHA, WALK_PATHS } from '../peer/provider-keys.ts'
import { Buckets, type Pace } from '../protocol/bucket.ts'
import { ADDRESSES_MAX } from '../protocol/limits.ts'
import type { Clock, Directory, DirectoryGate, Sighting } from '../protocol/ports.ts'
import { ProviderStore } from './provider-store.ts'

/** The DHT of a mesh is found by nobody who does not know the mesh. */
const protocolOf = (mesh: string): string => `/wayside/1/dht/${mesh}`

/** Requests at a time of one peer, and to one. */
const STREAMS_MAX = 8
/** A request with 16 addresses of full length comes to 5 KB. */
const REQUEST_BYTES_MAX = 8192
/** All 256 providers of a key, with 16 addresses each. */
const RESPONSE_BYTES_MAX = 262_144
/** Requests of one peer: a walk through the directory asks each of those it passes once or twice. */
const REQUESTS: Pace = { burst: 40, perSecond: 4 }
/** Peers whose requests are counted: more than may be connected. */
const REQUESTERS_MAX = 1024
/** A member that was not heard of by others is found within it; each costs some 20 requests. */
const SELF_QUERY_MS = 10 * 60_000
/** Peers that others told of, each with some addresses: of a walk through a mesh of a million, all that it passes. */
const HEARD_MAX = 512
/** The store lets records run out, and the peer says when to provide again: kad-dht's own rounds are of no use. */
const NEVER_MS = 24 * 60 * 60_000
const SHA2_256 = 0x12
const RAW = 0x55

type Components = Pick<
  KadDHTComponents,
  'peerId' | 'privateKey' | 'registrar' | 'addressManager' | 'peerStore' | 'connectionManager' | 'events' | 'logger'
>
type Registrar = KadDHTComponents['registrar']
type PeerStore = KadDHTComponents['peerStore']
type ConnectionManager = KadDHTComponents['connectionManager']
type Topology = Parameters<Registrar['register']>[1]

const cidOf = (key: Uint8Array): CID => CID.createV1(RAW, createDigest(SHA2_256, key))

const sightingOf = (peer: PeerId, addresses: readonly Multiaddr[]): Sighting => ({
  peer: peer.toString(),
  addresses: [
    ...new Set(
      addresses.map((address) => {
        const text = address.toString()
        return text.includes('/p2p/') ? text : `${text}/p2p/${peer}`
      }),
    ),
  ].slice(0, ADDRESSES_MAX),
})

/** What comes over it ends the stream when it is more. */
const boundBytes = (stream: Stream, bytesMax: number): Stream => {
  let bytes = 0
  stream.addEventListener('message', ({ data }) => {
    bytes += data.byteLength
    if (bytes > bytesMax) stream.abort(new Error(`at most ${bytesMax} bytes are read`))
  })
  return stream
}

/** A member may say anything of where it is. */
const parsed = (addresses: readonly string[]): Multiaddr[] =>
  addresses.flatMap((address) => {
    try {
      return [multiaddr(address)]
    } catch {
      return []
    }
  })

class Dht implements Directory {
  readonly #components: () => Components
  readonly #store: ProviderStore
  readonly #requests = new Buckets(REQUESTS, REQUESTERS_MAX)
  readonly #clock: Clock
  #gate: DirectoryGate = { isMember: () => false, introduce: async () => {} }
  #kad: KadDHT | undefined
  #topology: Topology = {}
  /** What others said of peers, to be dialled if a walk leads there. */
  readonly #heard = new Map<string, Sighting>()

  constructor(clock: Clock, components: () => Components) {
    this.#components = components
    this.#store = new ProviderStore(clock)
    this.#clock = clock
  }

  async start(mesh: string, gate: DirectoryGate): Promise<void> {
    this.#gate = gate
    // Much to load, and no call waits for it.
    const { kadDHT, passthroughMapper } = await import('@libp2p/kad-dht')
    const kad = kadDHT({
      protocol: protocolOf(mesh),
      clientMode: false,
      // The addresses of a mesh at home are private ones.
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      alpha: WALK_ALPHA,
      disjointPaths: WALK_PATHS,
      prefixLength: TABLE_DEPTH_MAX,
      querySelfInterval: SELF_QUERY_MS,
      initialQuerySelfInterval: SELF_QUERY_MS,
      maxInboundStreams: STREAMS_MAX,
      maxOutboundStreams: STREAMS_MAX,
      reprovide: { interval: NEVER_MS },
    })(this.#gated(this.#components()))
    const { [peerDiscoverySymbol]: told } = kad as unknown as { [peerDiscoverySymbol]: PeerDiscovery }
    told.addEventListener('peer', ({ detail }) => this.#hear(detail))
    await start(kad)
    this.#kad = kad
  }

  add({ peer, addresses }: Sighting): void {
    const { peerStore } = this.#components()
    const id = peerIdFromString(peer)
    const added = () => this.#topology.onConnect?.(id, undefined as never)
    // A store that cannot take it keeps one member less.
    peerStore.merge(id, { multiaddrs: parsed(addresses) }).then(added, () => {})
  }

  async provide(key: Uint8Array, signal: AbortSignal): Promise<void> {
    for await (const _ of this.#kad?.provide(cidOf(key), { signal }) ?? []);
  }

  async *find(key: Uint8Array, signal: AbortSignal): AsyncGenerator<Sighting> {
    for await (const event of this.#kad?.findProviders(cidOf(key), { signal }) ?? []) {
      if (event.name !== 'PROVIDER') continue
      for (const { id, multiaddrs } of event.providers) yield sightingOf(id, multiaddrs)
    }
  }

  async stop(): Promise<void> {
    const kad = this.#kad
    this.#kad = undefined
    if (kad) await stop(kad)
  }

  /** What kad-dht is given of the host, each part letting through members alone. */
  #gated(components: Components): KadDHTComponents {
    const { peerId, privateKey, addressManager, events, logger } = components
    return {
      ...{ peerId, privateKey, addressManager, events, logger },
      datastore: this.#store as unknown as KadDHTComponents['datastore'],
      registrar: this.#gatedRegistrar(components.registrar),
      peerStore: boundedPeerStore(components.peerStore),
      connectionManager: this.#gatedDials(components),
      // A peer is put into the routing table if it is a member; whether it lives, its connection tells.
      ping: {
        ping: async (peer) => {
          if (this.#gate.isMember(peer.toString())) return 0
          throw new Error(`${peer} is no member`)
        },
      } as KadDHTComponents['ping'],
    }
  }

  #gatedRegistrar(registrar: Registrar): Registrar {
    const gated: Pick<Registrar, 'handle' | 'unhandle' | 'register' | 'unregister'> = {
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          async (stream, connection) => {
            const refusal = this.#refusal(connection.remotePeer.toString())
            if (refusal) return stream.abort(new Error(refusal))
            boundBytes(stream, REQUEST_BYTES_MAX)
            await handler(stream, connection)
          },
          options,
        ),
      unhandle: (protocols, options) => registrar.unhandle(protocols, options),
      // Members are told of by the peer, not by who says that it speaks the protocol.
      register: async (_, topology) => {
        this.#topology = topology
        return 'members'
      },
      unregister: () => {
        this.#topology = {}
      },
    }
    return gated as Registrar
  }

  #hear({ id, multiaddrs }: PeerInfo): void {
    const sighting = sightingOf(id, multiaddrs)
    this.#heard.delete(sighting.peer)
    this.#heard.set(sighting.peer, sighting)
    if (this.#heard.size > HEARD_MAX) this.#heard.delete(this.#heard.keys().next().value as string)
  }

  async #introduce(peer: PeerId, peerStore: PeerStore): Promise<void> {
    const heard = this.#heard.get(peer.toString())
    if (heard) return this.#gate.introduce(heard)
    const { addresses } = await peerStore.get(peer)
    const kept = addresses.map(({ multiaddr }) => multiaddr)
    await this.#gate.introduce(sightingOf(peer, kept))
  }

  /** Whoever is gone is not waited for as long as a dial takes to fail. */
  async #soon<T>(act: (late: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = this.#clock.after(INTRODUCE_MS_MAX, () => {
      const reason = new Error(`no answer within ${INTRODUCE_MS_MAX} ms`)
      late.abort(reason)
      reject(reason)
    })
    return await Promise.race([act(late.signal), promise]).finally(cancel)
  }

  #refusal(peer: string): string | undefined {
    if (!this.#gate.isMember(peer)) return 'the directory is for members; shake hands first'
    const nowMs = this.#clock.monotonic()
    if (this.#requests.of(peer, nowMs).takeIfThere(nowMs)) return undefined
    return `at most ${REQUESTS.perSecond} requests a second`
  }

  #gatedDials({ connectionManager, peerStore }: Components): ConnectionManager {
    const gated: Pick<ConnectionManager, 'openStream' | 'isDialable'> = {
      openStream: (target, protocol, options = {}) =>
        this.#soon(async (late) => {
          const peer = target as PeerId
          const isNear = connectionManager.getConnections(peer).length > 0
          if (!isNear || !this.#gate.isMember(peer.toString())) await this.#introduce(peer, peerStore)
          if (late.aborted || !this.#gate.isMember(peer.toString())) throw new Error(`${peer} is no member`)
          const signal = AbortSignal.any([late, ...(options.signal ? [options.signal] : [])])
          return boundBytes(
            await connectionManager.openStream(peer, protocol, { ...options, signal }),
            RESPONSE_BYTES_MAX,
          )
        }),
      isDialable: (address, options) => connectionManager.isDialable(address, options),
    }
    return gated as ConnectionManager
  }
}

/** Addresses are kept, and few of each; tags, by which libp2p would dial peers by itself, are not. */
const boundedPeerStore = (store: PeerStore): PeerStore => {
  const bounded: Pick<PeerStore, 'get' | 'getInfo' | 'all' | 'merge'> = {
    get: (peer, options) => store.get(peer, options),
    getInfo: (peer, options) => store.getInfo(peer, options),
    all: (query) => store.all(query),
    merge: (peer, { multiaddrs = [] }, options) =>
      multiaddrs.length > 0
        ? store.merge(peer, { multiaddrs: multiaddrs.slice(0, ADDRESSES_MAX) }, options)
        : store.get(peer, options),
  }
  return bounded as PeerStore
}

/** The directory, and the service by which libp2p hands it what it stands on. */
export const createDht = (clock: Clock) => {
  let components: Components | undefined
  const ground = (given: Components) => {
    components = given
    return {}
  }
  const directory: Directory = new Dht(clock, () => {
    if (!components) throw new Error('the directory belongs to no network yet')
    return components
  })
  return { ground, directory }
}
