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

const TEXT = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
/** Base58 digits of equal number sort as the numbers they write, so those of all keys lie between these two. */
const FIRST = peerIdFromPublicKey(new Uint8Array(32))
const LAST = peerIdFromPublicKey(new Uint8Array(32).fill(255))

/** Is `text` the PeerId of some Ed25519 key? */
export const isPeerId = (text: string): boolean => text >= FIRST && text <= LAST && TEXT.test(text)

/** Reading one costs a page some 20 µs, with each signature that it checks; neighbours (64) and the signers of receipts fit. */
const READ_KEYS_MAX = 256
const readKeys = new Map<string, Uint8Array>()

/** The raw 32-byte Ed25519 public key inside a text PeerId, not to be changed. Throws MeshError E_MESSAGE if there is none. */
export const publicKeyOf = (peerId: string): Uint8Array => {
  const read = readKeys.get(peerId)
  if (read) return read
  if (!isPeerId(peerId)) throw new MeshError('E_MESSAGE', { message: `not an Ed25519 PeerId: ${peerId}`, peer: peerId })
  const key = base58btc.baseDecode(peerId).subarray(PREFIX.length)
  if (readKeys.size >= READ_KEYS_MAX) readKeys.clear()
  readKeys.set(peerId, key)
  return key
}
