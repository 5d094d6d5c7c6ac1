/**
 * Finds peers of the mesh on the local network by multicast DNS, each network of the machine on a socket of its own and
 * loopback on none. @libp2p/mdns cannot be told which networks to use, and bounds nothing that it reads.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Log } from '../protocol/log.ts'
import type { Clock, Random, Sighting, Vicinity } from '../protocol/ports.ts'
import { ownAddresses, watchAddresses } from './interfaces.ts'
import { announcementOf, hear, questionFor, serviceOf } from './mdns-packet.ts'

const GROUP = '224.0.0.251'
const PORT = 5353
/** A machine with more is a router or a host of containers, whose networks have nobody to lend. */
const NETWORKS_MAX = 8
/** The first words after 1 s, 2 s, 4 s, … for those who did not hear the ones before; then so often. */
const SAY_MS_MIN = 1000
const SAY_MS_MAX = 60_000
/** RFC 6762, 6: a record is multicast at most once a second, and after 20 to 120 ms, so that not all answer at once. */
const ANSWERS_APART_MS = 1000
const ANSWER_AFTER_MS = 20
const ANSWER_SPREAD_MS = 100
/** A network of a hundred machines that all start in this second. What is above it in any second is not looked at. */
const OURS_PER_S_MAX = 100
/** Of all that is said on the network: telling that a packet is not ours costs some 5 microseconds. */
const PACKETS_PER_S_MAX = 2000
/** Above that the socket is closed for so long, since whatever is read costs. */
const DEAF_MS = 10_000

/** Counts what happens in each second. */
class PerSecond {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #max: number
  #sinceMs = Number.NEGATIVE_INFINITY
  #count = 0

  constructor(clock: Pick<Clock, 'monotonic'>, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /** One more: is it still within the bound? */
  allows(): boolean {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#sinceMs >= 1000) {
      this.#sinceMs = nowMs
      this.#count = 0
    }
    return ++this.#count <= this.#max
  }
}

type Announced = Parameters<Vicinity['start']>

class Mdns implements Vicinity {
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #packets: PerSecond
  readonly #ours: PerSecond
  /** What this socket could not do is logged once. */
  readonly #complaints = new Set<string>()
  #service = ''
  #self: Announced[1] = () => ({ peer: '', addresses: [] })
  #seen: Announced[2] = () => {}
  #ears: Socket | undefined
  #mouths: { address: string; socket: Socket }[] = []
  #cancel = () => {}
  #cancelAnswer: (() => void) | undefined
  #answeredMs = Number.NEGATIVE_INFINITY
  #cancelHearing = () => {}
  #stopWatching = () => {}

  constructor(clock: Clock, random: Random, log: Log) {
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#packets = new PerSecond(clock, PACKETS_PER_S_MAX)
    this.#ours = new PerSecond(clock, OURS_PER_S_MAX)
  }

  start(...[tag, self, seen]: Announced): void {
    this.#service = serviceOf(tag)
    this.#self = self
    this.#seen = seen
    this.#open(ownAddresses())
    this.#stopWatching = watchAddresses(this.#clock, (addresses) => this.#open(addresses))
  }

  stop(): void {
    this.#stopWatching()
    this.#close()
  }

  #open(addresses: readonly string[]): void {
    this.#close()
    const networks = addresses.slice(0, NETWORKS_MAX)
    if (networks.length === 0) return
    this.#listen(networks)
    this.#mouths = networks.map((address) => ({ address, socket: this.#mouthOn(address) }))
    this.#keepSaying(SAY_MS_MIN)
  }

  #close(): void {
    this.#cancel()
    this.#cancelAnswer?.()
    this.#cancelAnswer = undefined
    this.#cancelHearing()
    this.#complaints.clear()
    this.#ears?.close()
    this.#ears = undefined
    for (const { socket } of this.#mouths) socket.close()
    this.#mouths = []
  }

  #listen(networks: readonly string[]): void {
    const ears = createSocket({ type: 'udp4', reuseAddr: true })
    this.#ears = ears
    ears.on('error', (cause) => this.#failed(cause))
    ears.on('message', (bytes, { address }) => this.#onPacket(bytes, address, networks))
    ears.bind(PORT, () => {
      for (const network of networks) this.#try(() => ears.addMembership(GROUP, network))
    })
  }

  #mouthOn(address: string): Socket {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('error', (cause) => this.#failed(cause))
    socket.bind(PORT, address, () => {
      this.#try(() => {
        socket.setMulticastInterface(address)
        socket.setMulticastTTL(255)
      })
      this.#say(address, socket, questionFor(this.#service))
      this.#announceOn(address, socket)
    })
    return socket
  }

  #onPacket(bytes: Buffer, from: string, networks: readonly string[]): void {
    if (!this.#packets.allows()) return this.#goDeaf(networks)
    const heard = hear(bytes, this.#service, from)
    if (!heard || !this.#ours.allows()) return
    if (!heard.asks) return this.#seen(heard.seen)
    this.#answerSoon()
  }

  /** Many questions get one answer. */
  #answerSoon(): void {
    if (this.#cancelAnswer) return
    const nowMs = this.#clock.monotonic()
    const soonMs = ANSWER_AFTER_MS + this.#random.below(ANSWER_SPREAD_MS)
    this.#cancelAnswer = this.#clock.after(Math.max(soonMs, this.#answeredMs + ANSWERS_APART_MS - nowMs), () => {
      this.#cancelAnswer = undefined
      this.#answeredMs = this.#clock.monotonic()
      this.#announce()
    })
  }

  #goDeaf(networks: readonly string[]): void {
    this.#log.event('discovery.flooded', { reason: `more than ${PACKETS_PER_S_MAX} mDNS packets a second` })
    this.#ears?.close()
    this.#ears = undefined
    this.#cancelHearing = this.#clock.after(DEAF_MS, () => this.#listen(networks))
  }

  #keepSaying(delayMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#announce()
      if (delayMs < SAY_MS_MAX) this.#ask()
      this.#keepSaying(Math.min(SAY_MS_MAX, 2 * delayMs))
    })
  }

  #ask(): void {
    for (const { address, socket } of this.#mouths) this.#say(address, socket, questionFor(this.#service))
  }

  #announce(): void {
    for (const { address, socket } of this.#mouths) this.#announceOn(address, socket)
  }

  /** What is said on a network is where this peer is on it. */
  #announceOn(address: string, socket: Socket): void {
    const { peer, addresses } = this.#self()
    const here: Sighting = { peer, addresses: addresses.filter((one) => one.startsWith(`/ip4/${address}/`)) }
    const packet = announcementOf(this.#service, here)
    if (packet) this.#say(address, socket, packet)
  }

  #say(address: string, socket: Socket, packet: Uint8Array): void {
    this.#try(() =>
      socket.send(packet, PORT, GROUP, (cause) => {
        if (cause) this.#failed(cause, address)
      }),
    )
  }

  /** A network can go while it is spoken to, and a machine may allow no multicast: then it is not found this way. */
  #try(act: () => void): void {
    try {
      act()
    } catch (cause) {
      this.#failed(cause as Error)
    }
  }

  #failed({ message }: Error, address?: string): void {
    const complaint = `${address} ${message}`
    if (this.#complaints.has(complaint)) return
    this.#complaints.add(complaint)
    this.#log.event('discovery.failed', { reason: message, ...(address && { address }) })
  }
}

export const createMdns = (clock: Clock, random: Random, log: Log): Vicinity => new Mdns(clock, random, log)
