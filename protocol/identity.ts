/** Ed25519 PeerIds: the identity multihash of the libp2p public-key record, in base58btc (`12D3KooW…`). */
import { base58btc } from 'multiformats/bases/base58'
import { MeshError } from './errors.ts'

/**
 * What precedes the 32 key bytes: identity multihash of 36 bytes (00 24), then the protobuf of libp2p's PublicKey
 * (type 1 = Ed25519: 08 01; data, 32 bytes: 12 20). Source: libp2p specs, peer-ids/peer-ids.md.
 */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** Text PeerId of a raw 32-byte Ed25519 public key. */
export const peerIdFromPublicKey = (publicKey: Uint8Array): string => {
  if (publicKey.length !== 32)
    throw new MeshError('E_INTERNAL', `an Ed25519 public key has 32 bytes, not ${publicKey.length}`)
  const bytes = new Uint8Array(PREFIX.length + 32)
  bytes.set(PREFIX)
  bytes.set(publicKey, PREFIX.length)
  return base58btc.baseEncode(bytes)
}

/** The key inside `peerId`, or undefined if it is not an Ed25519 PeerId. */
const decodePeerId = (peerId: string): Uint8Array | undefined => {
  let bytes: Uint8Array
  try {
    bytes = base58btc.baseDecode(peerId)
  } catch {
    return undefined
  }
  if (bytes.length !== PREFIX.length + 32 || PREFIX.some((byte, i) => bytes[i] !== byte)) return undefined
  return bytes.subarray(PREFIX.length)
}

export const isPeerId = (text: string): boolean => decodePeerId(text) !== undefined

/** The raw 32-byte Ed25519 public key inside a text PeerId. Throws MeshError E_MESSAGE if there is none. */
export const publicKeyOf = (peerId: string): Uint8Array => {
  const key = decodePeerId(peerId)
  if (!key) throw new MeshError('E_MESSAGE', { message: `not an Ed25519 PeerId: ${peerId}`, peer: peerId })
  return key
}
