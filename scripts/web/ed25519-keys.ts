/**
 * `@libp2p/crypto/keys` as pages have it. Identities of peers are Ed25519 keys (protocol/identity.ts), so a page needs no
 * RSA, no secp256k1 and no NIST curve: a peer that shows a key of these is refused in the handshake.
 */
import { type PrivateKey, type PublicKey, UnsupportedKeyTypeError } from '@libp2p/interface'
import {
  generateEd25519KeyPair,
  unmarshalEd25519PublicKey,
} from '../../node_modules/@libp2p/crypto/dist/src/keys/ed25519/utils.js'
import * as wire from '../../node_modules/@libp2p/crypto/dist/src/keys/keys.js'

export { generateEd25519KeyPair as generateKeyPair, unmarshalEd25519PublicKey as publicKeyFromRaw }

export const publicKeyFromProtobuf = (bytes: Uint8Array): PublicKey => {
  const { Type, Data = new Uint8Array() } = wire.PublicKey.decode(bytes)
  if (Type === wire.KeyType.Ed25519) return unmarshalEd25519PublicKey(Data)
  throw new UnsupportedKeyTypeError(`its key is of the kind ${Type}; a page knows peers by Ed25519 keys`)
}

export const publicKeyFromMultihash = ({ digest }: { digest: Uint8Array }): PublicKey => publicKeyFromProtobuf(digest)

export const publicKeyToProtobuf = ({ type, raw }: PublicKey): Uint8Array =>
  wire.PublicKey.encode({ Type: wire.KeyType[type], Data: raw })

export const privateKeyToProtobuf = ({ type, raw }: PrivateKey): Uint8Array =>
  wire.PrivateKey.encode({ Type: wire.KeyType[type], Data: raw })
