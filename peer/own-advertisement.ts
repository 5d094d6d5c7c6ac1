/** What this peer offers: signed for whoever comes and once a minute, and its load in a word whenever that is news. */
import type { CID } from '../protocol/cid.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { ADDRESSES_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { Advertisement } from '../protocol/records.ts'
import { type Load, newsDelayMs, SMALL_MS } from './load-news.ts'
import type { Neighbour, NeighbourTable } from './neighbours.ts'

/** A neighbour that has heard nothing for this long stops counting on us. */
const LIFE_MS = 120_000
const REFRESH_MS = LIFE_MS / 2
/** Far neighbours send here only what nobody near takes: they hear of a load this many times later, if it lasts. */
export const FAR_DELAY = 10

export type Offer = Pick<
  Advertisement,
  'engines' | 'effects' | 'slots' | 'free' | 'queued' | 'memory_bytes' | 'speed' | 'protocols'
>

/** Where it stands; not told for its own sake. */
export type Standing = Pick<Advertisement, 'neighbours' | 'coordinate'>

type AdvertisementPorts = Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'log'>

/** Neighbours who are told of the load at the same time. */
class Audience {
  readonly #clock: Ports['clock']
  readonly #slowness: number
  readonly #load: () => Load
  readonly #tell: (frame: FrameOf<'load'>) => void
  #told: Load = { slots: 0, free: 0, queued: 0 }
  #toldMs = Number.NEGATIVE_INFINITY
  /** Some know a later load than that told to all. */
  #isDivided = false
  #scheduled: { dueMs: number; cancel(): void } | undefined

  constructor(clock: Ports['clock'], slowness: number, load: () => Load, tell: (frame: FrameOf<'load'>) => void) {
    this.#clock = clock
    this.#slowness = slowness
    this.#load = load
    this.#tell = tell
  }

  /** Another load may be news; whatever was to be told is looked at anew. */
  consider(now = this.#load()): void {
    const delayMs = Math.min(newsDelayMs(this.#told, now), this.#isDivided ? SMALL_MS : Number.POSITIVE_INFINITY)
    if (delayMs === Number.POSITIVE_INFINITY) return
    const dueMs = this.#toldMs + this.#slowness * delayMs
    if (dueMs > this.#clock.monotonic()) return this.#schedule(dueMs)
    this.stop()
    this.knows(now)
    this.#tell({ t: 'load', ...now })
  }

  /** One set for earlier stays, also where there is no news any more: each task begins and ends, and a timer costs more than a look. */
  #schedule(dueMs: number): void {
    if (this.#scheduled && this.#scheduled.dueMs <= dueMs) return
    this.stop()
    const cancel = this.#clock.after(dueMs - this.#clock.monotonic(), () => {
      this.#scheduled = undefined
      this.consider()
    })
    this.#scheduled = { dueMs, cancel }
  }

  /** All of them do. */
  knows(load: Load): void {
    this.#told = load
    this.#toldMs = this.#clock.monotonic()
    this.#isDivided = false
  }

  /** One who has just come does. */
  isJoined(load: Load): void {
    if (newsDelayMs(this.#told, load) < Number.POSITIVE_INFINITY) this.#isDivided = true
  }

  stop(): void {
    this.#scheduled?.cancel()
    this.#scheduled = undefined
  }
}

export class OwnAdvertisement {
  readonly #ports: AdvertisementPorts
  readonly #mesh: CID
  readonly #offer: () => Offer
  readonly #load: () => Load
  readonly #standing: () => Standing
  readonly #neighbours: Pick<NeighbourTable, 'all'>
  readonly #audiences: readonly Audience[]
  #sequence: number
  #refresh: (() => void) | undefined
  #stopped = false

  constructor(
    ports: AdvertisementPorts,
    mesh: CID,
    own: { offer: () => Offer; load: () => Load; standing: () => Standing },
    neighbours: Pick<NeighbourTable, 'all'>,
  ) {
    this.#ports = ports
    this.#mesh = mesh
    this.#offer = own.offer
    this.#load = own.load
    this.#standing = own.standing
    this.#neighbours = neighbours
    const audience = (near: boolean) => {
      const tell = (frame: FrameOf<'load'>) => {
        for (const { link, place } of neighbours.all()) if ((place === 'near') === near) link.send(frame)
      }
      return new Audience(ports.clock, near ? 1 : FAR_DELAY, own.load, tell)
    }
    this.#audiences = [audience(true), audience(false)]
    // A restarted peer must not repeat numbers that others remember.
    this.#sequence = ports.clock.now()
  }

  /** Hands it, signed as it stands now, to one who has just come. */
  async tell({ link }: Neighbour): Promise<void> {
    const load = this.#load()
    const signed = await this.#sign()
    if (!signed) return
    link.send({ t: 'advertise', signed })
    for (const audience of this.#audiences) audience.isJoined(load)
    this.#refresh ??= this.#later()
  }

  /** Load or limits may have changed. */
  changed(): void {
    if (this.#stopped) return
    const load = this.#load()
    for (const audience of this.#audiences) audience.consider(load)
  }

  /** It is somewhere else now. */
  moved(): void {
    this.#refresh?.()
    void this.#tellAll()
  }

  stop(): void {
    this.#stopped = true
    this.#refresh?.()
    for (const audience of this.#audiences) audience.stop()
  }

  #later(): () => void {
    return this.#ports.clock.after(REFRESH_MS, () => this.#tellAll())
  }

  async #tellAll(): Promise<void> {
    if (this.#stopped) return
    this.#refresh = this.#later()
    const load = this.#load()
    const signed = await this.#sign()
    if (!signed) return
    for (const { link } of this.#neighbours.all()) link.send({ t: 'advertise', signed })
    for (const audience of this.#audiences) audience.knows(load)
    this.changed()
  }

  async #sign(): Promise<Envelope | undefined> {
    const { clock, crypto, signer, network, log } = this.#ports
    try {
      const payload = Advertisement.encode({
        v: 1,
        mesh: this.#mesh,
        peer: network.peerId,
        sequence: ++this.#sequence,
        expires_ms: clock.now() + LIFE_MS,
        addresses: network.addresses().slice(0, ADDRESSES_MAX),
        ...this.#offer(),
        ...this.#standing(),
      })
      const [signed] = await signBatch(crypto, signer, network.peerId, 'advertisement', [payload])
      return signed
    } catch (cause) {
      log.event('internal.error', { reason: `no advertisement could be made: ${cause}` })
      return undefined
    }
  }
}
