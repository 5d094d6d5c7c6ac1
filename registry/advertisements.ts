/** Verified advertisements, the newest of each peer, while they last. */
import type { CID } from '../protocol/cid.ts'
import { type Envelope, verifyEnvelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Ports } from '../protocol/ports.ts'
import { Advertisement } from '../protocol/records.ts'

/** With sessions of 2 h, 96 % of advertisements that live 10 min are true; of those that live 48 h, 4 %. */
export const ADVERTISEMENT_MS_MAX = 10 * 60_000
/** How far a peer's wall clock may be ahead. Machines without a time service drift by seconds a day. */
export const CLOCK_SKEW_MS_MAX = 2 * 60_000

/**
 * How long one that was told just now counts. By whose clock it has expired, or lasts too long, that clock is off, and
 * perhaps ours: whoever told it is here, so it counts all the same, as long as any may.
 */
const lifeMs = ({ expires_ms }: Advertisement, nowMs: number): number => {
  const leftMs = expires_ms - nowMs
  return leftMs > 0 && leftMs <= ADVERTISEMENT_MS_MAX + CLOCK_SKEW_MS_MAX ? leftMs : ADVERTISEMENT_MS_MAX
}

export interface AdvertisementTable {
  /**
   * The advertisement, if it is verified, of this mesh, newer than the one held, and there is room; now held.
   * Else undefined, and nothing changes. A newcomer never displaces a live one.
   */
  accept(signed: Envelope): Promise<Advertisement | undefined>
  get(peer: string): Advertisement | undefined
  live(): Advertisement[]
  remove(peer: string): void
  /** The live ones as they were signed, to be passed on. */
  signed(): Envelope[]
  signedOf(peer: string): Envelope | undefined
}

interface Held {
  readonly advertisement: Advertisement
  readonly signed: Envelope
  /** Monotonic: it counts also while the wall clock is set. */
  readonly untilMs: number
}

export const createAdvertisementTable = (
  ports: Pick<Ports, 'clock' | 'crypto'>,
  /** `wants`: whether one is worth to be checked at all. */
  options: { mesh: CID; limit: number; wants?: (advertisement: Advertisement) => boolean },
): AdvertisementTable => {
  const byPeer = new Map<string, Held>()

  const held = (): Held[] => {
    const nowMs = ports.clock.monotonic()
    for (const [peer, { untilMs }] of byPeer) if (untilMs <= nowMs) byPeer.delete(peer)
    return [...byPeer.values()]
  }

  const isWanted = ({ mesh, peer, sequence }: Advertisement): boolean => {
    const room = held().length < options.limit
    const before = byPeer.get(peer)
    const isNewer = before ? sequence > before.advertisement.sequence : room
    return mesh.equals(options.mesh) && isNewer
  }

  const accept = async (signed: Envelope) => {
    const advertisement = Advertisement.decode(signed.payload)
    const { peer } = advertisement
    if (signed.signer !== peer || !isWanted(advertisement) || options.wants?.(advertisement) === false) return undefined
    await verifyEnvelope(ports.crypto, 'advertisement', signed)
    // Another may have come in while the signature was checked.
    if (!isWanted(advertisement)) return undefined
    const { clock } = ports
    byPeer.set(peer, { advertisement, signed, untilMs: clock.monotonic() + lifeMs(advertisement, clock.now()) })
    return advertisement
  }

  return {
    accept: (signed) =>
      accept(signed).catch((error) => {
        if (error instanceof MeshError) return undefined
        throw error
      }),
    get: (peer) => {
      const found = byPeer.get(peer)
      return found && found.untilMs > ports.clock.monotonic() ? found.advertisement : undefined
    },
    live: () => held().map(({ advertisement }) => advertisement),
    remove: (peer) => void byPeer.delete(peer),
    signed: () => held().map(({ signed }) => signed),
    signedOf: (peer) => held().find(({ advertisement }) => advertisement.peer === peer)?.signed,
  }
}
