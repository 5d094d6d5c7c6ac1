/** Peers with keys that are the same in every run: key n is the SHA-256 of `wayside test key n`. */
import { createHash } from 'node:crypto'
import { createCrypto, createSigner } from '../../node/crypto.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import type { Crypto, Signer } from '../../protocol/ports.ts'

export const crypto: Crypto = createCrypto()

export interface TestPeer {
  readonly id: string
  readonly signer: Signer
}

export const testPeer = (n: number): TestPeer => {
  const secret = createHash('sha256').update(`wayside test key ${n}`).digest()
  const signer = createSigner(new Uint8Array(secret))
  return { id: peerIdFromPublicKey(signer.publicKey), signer }
}
