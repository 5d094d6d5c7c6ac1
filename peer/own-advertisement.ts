/** What this peer offers, told to its neighbours whenever it changes. */
import type { CID } from '../protocol/cid.ts'
import { type Envelope, signBatch } from '../protocol/envelope.ts'
import { ADDRESSES_MAX } from '../protocol/limits.ts'
import type { Ports } from '../protocol/ports.ts'
import { Advertisement } from '../protocol/records.ts'

/** Many changes within it are told once. */
const CHANGE_DELAY_MS = 100
/** A neighbour that has heard nothing for this long stops counting on us. */
const LIFE_MS = 120_000
const REFRESH_MS = LIFE_MS / 2

export type Offer = Pick<
  Advertisement,
  'engines' | 'effects' | 'slots' | 'free' | 'queued' | 'memory_bytes' | 'speed' | 'protocols'
>

/** Where it stands; not told for its own sake. */
export type Standing = Pick<Advertisement, 'neighbours' | 'coordinate'>

export class OwnAdvertisement {
  readonly #ports: Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'log'>
  readonly #mesh: CID
  readonly #offer: () => Offer
  readonly #standing: () => Standing
  readonly #all: (signed: Envelope) => void
  #last = ''
  #sequence: number
  #scheduled: (() => void) | undefined
  #refresh: (() => void) | undefined
  #stopped = false

  constructor(
    ports: Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network' | 'log'>,
    mesh: CID,
    offer: () => Offer,
    standing: () => Standing,
    all: (signed: Envelope) => void,
  ) {
    this.#ports = ports
    this.#mesh = mesh
    this.#offer = offer
    this.#standing = standing
    this.#all = all
    // A restarted peer must not repeat numbers that others remember.
    this.#sequence = ports.clock.now()
  }

  /** Hands it to `whom`, signed as it stands now. */
  async tell(whom: (signed: Envelope) => void): Promise<void> {
    try {
      whom(await this.#sign())
    } catch (cause) {
      this.#ports.log.event('internal.error', { reason: `no advertisement could be made: ${cause}` })
    }
  }

  async #sign(): Promise<Envelope> {
    const { clock, crypto, signer, network } = this.#ports
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
    return signed as Envelope
  }

  /** Load or limits may have changed. */
  changed(): void {
    if (this.#stopped) return
    this.#scheduled ??= this.#ports.clock.after(CHANGE_DELAY_MS, () => {
      this.#scheduled = undefined
      const now = JSON.stringify(this.#offer())
      if (now !== this.#last) this.#tellAll(now)
    })
  }

  stop(): void {
    this.#stopped = true
    this.#scheduled?.()
    this.#refresh?.()
  }

  #tellAll(offer: string): void {
    this.#last = offer
    this.#refresh?.()
    this.#refresh = this.#ports.clock.after(REFRESH_MS, () => this.#tellAll(this.#last))
    this.tell(this.#all)
  }
}
