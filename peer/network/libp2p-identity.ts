import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, Ed25519PublicKey } from '@libp2p/interface'
import { MeshError } from '../../protocol/errors.ts'
import type { Signer } from '../../protocol/ports.ts'

/** The key that libp2p proves its PeerId with, while the private half stays behind the signer. */
export const privateKeyOf = (signer: Signer): Ed25519PrivateKey => {
  const publicKey = publicKeyFromRaw(signer.publicKey) as Ed25519PublicKey
  return {
    type: 'Ed25519',
    publicKey,
    get raw(): Uint8Array {
      throw new MeshError('E_INTERNAL', 'the private key cannot be read out of its signer')
    },
    equals: (key) => publicKey.equals(key?.publicKey),
    sign: (data) => signer.sign(data.subarray()),
  }
}
