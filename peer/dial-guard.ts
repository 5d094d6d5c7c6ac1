/**
 * Which addresses that others told of are dialled. Whoever tells may make them up: this peer must not be the one that
 * tries the ports of a third, or reaches into networks where its owner has not sent it.
 */
import { relayOf } from '../protocol/address-kind.ts'
import type { Clock } from '../protocol/ports.ts'

/** Tries at one host and port within FORGET_MS, however many peers are said to be there. */
const TRIES_PER_PORT_MAX = 8
/** Ports of one host at which nobody has been met, within FORGET_MS: a house full of agents has as many, a scan has more. */
const PORTS_PER_HOST_MAX = 32
const FORGET_MS = 10 * 60_000
/** Hosts remembered; the one first tried longest ago is forgotten first. */
const HOSTS_MAX = 1024

interface Place {
  readonly host: string
  readonly port: string
  /** Undefined: the public internet, or a name. */
  readonly network: string | undefined
}

const ADDRESS = /^\/(?<kind>ip4|ip6|dns|dns4|dns6|dnsaddr|memory)\/(?<host>[^/]+)(?:\/(?:tcp|udp)\/(?<port>\d+))?/

/** RFC 1122, 1918, 3927, 4193, 4291, 6598: networks that mean something else in each house. */
const NETWORKS: readonly [RegExp, string][] = [
  [/^127\.|^::1$/, 'this machine'],
  [/^10\./, '10/8'],
  [/^172\.(1[6-9]|2\d|3[01])\./, '172.16/12'],
  [/^192\.168\./, '192.168/16'],
  [/^169\.254\./, '169.254/16'],
  [/^100\.(6[4-9]|[789]\d|1[01]\d|12[0-7])\./, '100.64/10'],
  [/^f[cd]/i, 'fc00::/7'],
  [/^fe[89ab]/i, 'fe80::/10'],
  [/^(0|22[4-9]|23\d|24\d|25[0-5])\.|^::$|^ff/i, 'nowhere'],
]

const MAPPED = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/i

/** Behind a relay, which is dialled by itself before, each peer is a port of it. */
const placeOf = (address: string): Place | undefined => {
  const relay = relayOf(address)
  if (relay) return { host: relay.peer, port: address.slice(address.lastIndexOf('/') + 1), network: undefined }
  const { kind, host: written = '', port = '' } = ADDRESS.exec(address)?.groups ?? {}
  if (kind === undefined) return undefined
  const host = kind === 'ip6' ? (MAPPED.exec(written)?.[1] ?? written) : written
  const isNumeric = kind === 'ip4' || kind === 'ip6'
  return { host, port, network: isNumeric ? NETWORKS.find(([pattern]) => pattern.test(host))?.[1] : undefined }
}

interface Tries {
  /** By port, until somebody is met there. */
  readonly counts: Map<string, number>
  readonly sinceMs: number
}

export class DialGuard {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #own: () => readonly string[]
  /** Private networks in which this peer has reached somebody, or heard. */
  readonly #reached = new Set<string>()
  readonly #tries = new Map<string, Tries>()

  /** `own`: this peer's addresses. */
  constructor(clock: Pick<Clock, 'monotonic'>, own: () => readonly string[]) {
    this.#clock = clock
    this.#own = own
  }

  /** May `address` be dialled, as one of `peer`? */
  allows(peer: string, address: string): boolean {
    if (!address.endsWith(`/p2p/${peer}`)) return false
    const place = placeOf(address)
    if (!place || place.network === 'nowhere') return false
    if (place.network && !this.#isAt(place.network)) return false
    const counts = this.#triesAt(place.host)?.counts
    const tries = counts?.get(place.port)
    if (!counts || tries === undefined) return (counts?.size ?? 0) < PORTS_PER_HOST_MAX
    return tries < TRIES_PER_PORT_MAX
  }

  /** It is about to be dialled. */
  tries(address: string): void {
    const place = placeOf(address)
    if (!place) return
    const { counts } = this.#triesAt(place.host) ?? this.#remember(place.host)
    counts.set(place.port, (counts.get(place.port) ?? 0) + 1)
  }

  /** Somebody there was heard on a network of this machine. */
  heard(address: string): void {
    const network = placeOf(address)?.network
    if (network !== undefined) this.#reached.add(network)
  }

  /** Somebody was met there. */
  reached(address: string): void {
    const place = placeOf(address)
    if (!place) return
    if (place.network) this.#reached.add(place.network)
    this.#tries.get(place.host)?.counts.delete(place.port)
  }

  #isAt(network: string): boolean {
    return this.#reached.has(network) || this.#own().some((address) => placeOf(address)?.network === network)
  }

  #triesAt(host: string): Tries | undefined {
    const tries = this.#tries.get(host)
    if (!tries || this.#clock.monotonic() - tries.sinceMs < FORGET_MS) return tries
    this.#tries.delete(host)
    return undefined
  }

  #remember(host: string): Tries {
    const tries = { counts: new Map<string, number>(), sinceMs: this.#clock.monotonic() }
    this.#tries.set(host, tries)
    if (this.#tries.size > HOSTS_MAX) this.#tries.delete(this.#tries.keys().next().value as string)
    return tries
  }
}
