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

export class OwnAdvertisement {
  readonly #ports: Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network'>
  readonly #mesh: CID
  readonly #offer: () => Offer
  readonly #tell: (signed: Envelope) => void
  #last = ''
  #sequence: number
  #scheduled: (() => void) | undefined
  #refresh: (() => void) | undefined
  #stopped = false

  constructor(
    ports: Pick<Ports, 'clock' | 'crypto' | 'signer' | 'network'>,
    mesh: CID,
    offer: () => Offer,
    tell: (signed: Envelope) => void,
  ) {
    this.#ports = ports
    this.#mesh = mesh
    this.#offer = offer
    this.#tell = tell
    // A restarted peer must not repeat numbers that others remember.
    this.#sequence = ports.clock.now()
  }

  async sign(): Promise<Envelope> {
    const { clock, crypto, signer, network } = this.#ports
    const payload = Advertisement.encode({
      v: 1,
      mesh: this.#mesh,
      peer: network.peerId,
      sequence: ++this.#sequence,
      expires_ms: clock.now() + LIFE_MS,
      addresses: network.addresses().slice(0, ADDRESSES_MAX),
      ...this.#offer(),
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
      if (now !== this.#last) this.#tellNow(now)
    })
  }

  stop(): void {
    this.#stopped = true
    this.#scheduled?.()
    this.#refresh?.()
  }

  async #tellNow(offer: string): Promise<void> {
    this.#last = offer
    this.#refresh?.()
    this.#refresh = this.#ports.clock.after(REFRESH_MS, () => this.#tellNow(this.#last))
    this.#tell(await this.sign())
  }
}
