/** Memberships for tests, from the instant `NOW_MS` on. */
import type { CID } from '../../protocol/cid.ts'
import { type Envelope, signBatch } from '../../protocol/envelope.ts'
import { Membership } from '../../protocol/mesh.ts'
import { crypto, type TestPeer } from './test-keys.ts'

export const NOW_MS = 1_800_000_000_000
export const HOUR_MS = 3_600_000

interface Link {
  by: TestPeer
  of: TestPeer
  own?: boolean
  mesh?: CID
  expiresMs?: number
}

/** Of `mesh`, unless another is named. */
export const membershipsOf = (mesh: CID) => {
  const linkOf = async ({ by, of, expiresMs = NOW_MS + HOUR_MS, own = false, ...given }: Link): Promise<Envelope> => {
    const membership = Membership.encode({ v: 1, mesh, peer: of.id, expires_ms: expiresMs, own, ...given })
    const [signed] = await signBatch(crypto, by.signer, by.id, 'membership', [membership])
    return signed as Envelope
  }
  /** A chain in which each peer was admitted by the next. */
  const chainOf = (...peers: TestPeer[]): Promise<Envelope[]> =>
    Promise.all(peers.slice(0, -1).map((of, i) => linkOf({ by: peers[i + 1] as TestPeer, of })))
  return { linkOf, chainOf }
}
