/** The Network port in memory: a hub of peers in one process, deterministic given the clock. */
import { MeshError } from '../../protocol/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../protocol/fail-points.ts'
import type { Log } from '../../protocol/log.ts'
import type { Channel, Clock, Network } from '../../protocol/ports.ts'
import { DIAL_TIMEOUT_MS } from './limits.ts'
import { MemoryChannel } from './memory-channel.ts'
import { MemoryLink } from './memory-link.ts'
import { CLOSED_THERE, CONNECTION_LOST } from './reasons.ts'

export interface MemoryNetworkOptions {
  clock: Clock
  /** One way, asked for each thing sent; 0 is the next microtask. */
  latencyMs?: (from: string, to: string) => number
}

export interface MemberOptions {
  log: Log
  failPoints?: FailPoints
}

export interface MemoryHub {
  /** A network not yet started, for a peer that is not in the hub. */
  join(peerId: string, options: MemberOptions): Network
  /** From now nothing passes between the two; the function returned heals it, and what was sent meanwhile arrives. */
  partition(one: string, other: string): () => void
  /** From now nothing passes from or to it; the function returned heals it, and what was sent meanwhile arrives. */
  isolate(peerId: string): () => void
  /** It is reached at /memory/HOST from now on; its connections are dead, and nobody is told. */
  move(peerId: string, host: string): void
  /** As SIGKILL: the peer hears and says nothing more, and the others find their connections lost. */
  kill(peerId: string): void
}

interface Handler {
  accept(channel: Channel): void
  frameBytesMax: number
}

/** What one member has of a connection. */
interface Connection {
  readonly other: MemoryMember
  readonly channels: Set<MemoryChannel>
}

const ADDRESS = /^\/memory\/(?<host>[^/]+)(?:\/p2p\/(?<peer>[^/]+))?$/

const parseAddress = (address: string): { host: string; peer: string } => {
  const { host, peer } = ADDRESS.exec(address)?.groups ?? {}
  if (host) return { host, peer: peer ?? host }
  throw new MeshError('E_ADDRESS', { message: `${address} is no address in memory; one reads /memory/NAME`, address })
}

const unreachable = (address: string, why: string, cause?: unknown) =>
  new MeshError('E_UNREACHABLE', { message: `${address} could not be reached: ${why}`, address }, { cause })

class Hub implements MemoryHub {
  readonly clock: Clock
  readonly members = new Map<string, MemoryMember>()
  readonly #latencyMs: (from: string, to: string) => number
  readonly #links = new Map<string, MemoryLink>()
  /** By PeerId, the ways that are cut. */
  readonly #isolated = new Map<string, Set<MemoryLink>>()

  constructor({ clock, latencyMs = () => 0 }: MemoryNetworkOptions) {
    this.clock = clock
    this.#latencyMs = latencyMs
  }

  link(from: string, to: string): MemoryLink {
    const name = `${from} ${to}`
    const known = this.#links.get(name)
    if (known) return known
    const link = new MemoryLink(this.clock, () => this.#latencyMs(from, to))
    this.#links.set(name, link)
    for (const end of [from, to]) this.#cut(link, this.#isolated.get(end))
    return link
  }

  join(peerId: string, options: MemberOptions): Network {
    if (this.members.has(peerId)) throw new MeshError('E_INTERNAL', `${peerId} is in this network already`)
    const member = new MemoryMember(this, peerId, options)
    this.members.set(peerId, member)
    return member
  }

  leave(member: MemoryMember): void {
    if (this.members.get(member.peerId) === member) this.members.delete(member.peerId)
  }

  partition(one: string, other: string): () => void {
    const links = [this.link(one, other), this.link(other, one)]
    for (const link of links) link.cut()
    return () => {
      for (const link of links.splice(0)) link.heal()
    }
  }

  isolate(peerId: string): () => void {
    const cut = new Set<MemoryLink>()
    this.#isolated.set(peerId, cut)
    for (const [name, link] of this.#links) if (name.split(' ').includes(peerId)) this.#cut(link, cut)
    return () => {
      this.#isolated.delete(peerId)
      for (const link of cut) link.heal()
    }
  }

  move(peerId: string, host: string): void {
    this.members.get(peerId)?.move(host)
  }

  /** Who listens there. */
  at(host: string): MemoryMember | undefined {
    const named = this.members.get(host)
    return named?.host === host ? named : [...this.members.values()].find((member) => member.host === host)
  }

  #cut(link: MemoryLink, among: Set<MemoryLink> | undefined): void {
    if (!among) return
    link.cut()
    among.add(link)
  }

  kill(peerId: string): void {
    this.members.get(peerId)?.vanish()
    this.members.delete(peerId)
  }
}

class MemoryMember implements Network {
  readonly peerId: string
  host: string
  readonly #hub: Hub
  readonly #log: Log
  readonly #failPoints: FailPoints
  readonly #handlers = new Map<string, Handler>()
  readonly #connections = new Map<string, Connection>()
  #isUp = false

  constructor(hub: Hub, peerId: string, { log, failPoints = NO_FAIL_POINTS }: MemberOptions) {
    this.#hub = hub
    this.peerId = peerId
    this.host = peerId
    this.#log = log
    this.#failPoints = failPoints
  }

  get isUp(): boolean {
    return this.#isUp
  }

  addresses(): string[] {
    return [`/memory/${this.host}/p2p/${this.peerId}`]
  }

  handle(protocol: string, accept: (channel: Channel) => void, { frameBytesMax }: { frameBytesMax: number }): void {
    this.#handlers.set(protocol, { accept, frameBytesMax })
  }

  async start(): Promise<void> {
    this.#isUp = true
  }

  async connect(address: string, signal?: AbortSignal): Promise<string> {
    const { host, peer } = parseAddress(address)
    this.#failPoints.hit('network.connect')
    const other = await this.#ask(host, signal, () => {
      const member = this.#hub.at(host)
      if (!member?.isUp) throw unreachable(address, 'nobody listens there')
      if (member === this) throw unreachable(address, 'it is our own')
      if (member.peerId !== peer) throw unreachable(address, `${member.peerId} answers there`)
      member.#connectionTo(this)
      return member
    })
    this.#connectionTo(other)
    return peer
  }

  async open(
    peer: string,
    protocol: string,
    { frameBytesMax }: { frameBytesMax: number },
    signal?: AbortSignal,
  ): Promise<Channel> {
    this.#failPoints.hit('network.open')
    const other = this.#connections.get(peer)?.other
    if (!other) throw unreachable(peer, 'there is no connection; connect to it first')
    const here = this.#createChannel(other, { protocol, outbound: true, frameBytesMax })
    try {
      await this.#ask(peer, signal, () => {
        if (!here.isOpen) return
        if (!other.isUp) throw unreachable(peer, 'it has left')
        other.#accept(this, here)
      })
      return here
    } catch (cause) {
      here.close({ abort: 'not opened' })
      throw cause
    }
  }

  async disconnect(peer: string): Promise<void> {
    const connection = this.#connections.get(peer)
    if (!connection) return
    this.#connections.delete(peer)
    for (const channel of connection.channels) channel.close()
    this.#hub.link(this.peerId, peer).send(() => connection.other.#lose(this, CLOSED_THERE))
  }

  async stop(): Promise<void> {
    for (const peer of this.#connections.keys()) await this.disconnect(peer)
    this.#isUp = false
    this.#hub.leave(this)
  }

  move(host: string): void {
    this.host = host
    for (const { other, channels } of this.#connections.values()) {
      const theirs = other.#connections.get(this.peerId)?.channels ?? []
      for (const channel of [...channels, ...theirs]) channel.vanish()
    }
  }

  vanish(): void {
    this.#isUp = false
    for (const { other, channels } of this.#connections.values()) {
      for (const channel of channels) channel.vanish()
      this.#hub.link(this.peerId, other.peerId).send(() => other.#lose(this, CONNECTION_LOST))
    }
    this.#connections.clear()
  }

  /** Does `there` at `host`, and settles with what it returned or threw once word of it is back. */
  #ask<T>(host: string, signal: AbortSignal | undefined, there: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#isUp) return reject(unreachable(host, 'this network is not started'))
      const giveUp = () => reject(unreachable(host, 'cancelled', signal?.reason))
      if (signal?.aborted) return giveUp()
      signal?.addEventListener('abort', giveUp)
      const timedOut = () => reject(unreachable(host, `no answer in ${DIAL_TIMEOUT_MS} ms`))
      const cancelTimeout = this.#hub.clock.after(DIAL_TIMEOUT_MS, timedOut)
      const back = (settle: () => void) =>
        this.#hub.link(host, this.peerId).send(() => {
          cancelTimeout()
          signal?.removeEventListener('abort', giveUp)
          settle()
        })
      this.#hub.link(this.peerId, host).send(() => {
        try {
          const answer = there()
          back(() => resolve(answer))
        } catch (cause) {
          back(() => reject(cause))
        }
      })
    })
  }

  #accept(from: MemoryMember, opened: MemoryChannel): void {
    const { protocol } = opened
    const handler = this.#handlers.get(protocol)
    if (!handler) {
      const message = `${this.peerId} does not speak ${protocol}; one of the two needs another version of wayside`
      throw new MeshError('E_PROTOCOL_VERSION', { message, peer: this.peerId, protocol })
    }
    const { accept, frameBytesMax } = handler
    const channel = this.#createChannel(from, { protocol, outbound: false, frameBytesMax })
    MemoryChannel.join(opened, channel)
    try {
      accept(channel)
      if (!channel.hasReceivers) throw new MeshError('E_INTERNAL', `a channel of ${protocol} was given no receivers`)
    } catch (cause) {
      this.#log.event('internal.error', { peer: from.peerId, code: 'E_INTERNAL', reason: String(cause) })
      channel.close({ abort: 'E_INTERNAL: not accepted' })
    }
  }

  #createChannel(other: MemoryMember, given: { protocol: string; outbound: boolean; frameBytesMax: number }) {
    const { channels } = this.#connectionTo(other)
    const channel = new MemoryChannel({
      ...given,
      peer: other.peerId,
      link: this.#hub.link(this.peerId, other.peerId),
      clock: this.#hub.clock,
      log: this.#log,
      failPoints: this.#failPoints,
      ended: () => channels.delete(channel),
    })
    channels.add(channel)
    return channel
  }

  #connectionTo(other: MemoryMember): Connection {
    const known = this.#connections.get(other.peerId)
    if (known?.other === other) return known
    const connection = { other, channels: new Set<MemoryChannel>() }
    this.#connections.set(other.peerId, connection)
    return connection
  }

  #lose(other: MemoryMember, reason: string): void {
    const connection = this.#connections.get(other.peerId)
    if (connection?.other !== other) return
    this.#connections.delete(other.peerId)
    for (const channel of connection.channels) channel.arrive(reason)
  }
}

/** A hub without members. */
export const createMemoryNetwork = (options: MemoryNetworkOptions): MemoryHub => new Hub(options)
