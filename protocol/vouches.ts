/** On a public mesh, where nobody is let in, a membership vouches for its holder. */
import { type Envelope, verifyEnvelope } from './envelope.ts'
import { CHAIN_MAX } from './limits.ts'
import { type ChainFor, Membership } from './mesh.ts'
import type { Crypto } from './ports.ts'

/**
 * Those of `chain` that hold: each is for the peer, or for somebody who vouches by an earlier one, so that several may vouch
 * for one. What has expired, was withdrawn, says nothing new, or is by the operator or one whom it put out, is passed over.
 * Throws MeshError E_MESSAGE or E_SIGNATURE for what nobody honest shows.
 */
export const vouchesIn = async (crypto: Crypto, chain: readonly Envelope[], to: ChainFor): Promise<Envelope[]> => {
  const line = [to.peer]
  const held: Envelope[] = []
  for (const signed of chain.slice(0, CHAIN_MAX)) {
    const { signer, payload } = signed
    if (!line.includes(Membership.decode(payload).peer) || line.includes(signer) || !vouches(signed, to)) continue
    await verifyEnvelope(crypto, 'membership', signed)
    line.push(signer)
    held.push(signed)
  }
  return held
}

/** Does one who vouches so do so still? Its signature is not looked at. */
export const vouches = (
  { payload, signer }: Envelope,
  { mesh, operator, nowMs, isRevoked }: Omit<ChainFor, 'peer'>,
): boolean => {
  const said = Membership.decode(payload)
  if (signer === operator || !said.mesh.equals(mesh) || said.expires_ms <= nowMs) return false
  return !isRevoked(said.peer, signer) && !isRevoked(signer, operator)
}
