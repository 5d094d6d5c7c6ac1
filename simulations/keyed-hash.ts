/** Signatures for large worlds: a hash with the signer's key, which costs a fiftieth of Ed25519. */
import type { Signer } from '../protocol/ports.ts'
import type { Machine } from './world.ts'

const HASH_BYTES = 32
const SIGNATURE_BYTES = 2 * HASH_BYTES

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/**
 * `machine`, whose signers and verifier share a table of keys. Whoever has a signer can sign as that one and as nobody
 * else: the keys themselves leave the table as little as Ed25519's leave their port. Good within one world only.
 */
export const withKeyedHashes = (machine: Machine): Machine => {
  const { hash } = machine.crypto
  const privateKeys = new Map<string, Uint8Array>()
  const nameOf = (publicKey: Uint8Array) => String.fromCharCode(...publicKey)
  const sign = (privateKey: Uint8Array, bytes: Uint8Array): Uint8Array => {
    const signature = new Uint8Array(SIGNATURE_BYTES)
    // The inner hash keeps a signature from being continued to one on longer bytes.
    signature.set(hash(joined(privateKey, hash(bytes))))
    return signature
  }
  return {
    ...machine,
    crypto: {
      hash,
      verify: (publicKey, bytes, signature) => {
        const privateKey = privateKeys.get(nameOf(publicKey))
        if (!privateKey || signature.length !== SIGNATURE_BYTES) return false
        return sign(privateKey, bytes).every((byte, i) => byte === signature[i])
      },
    },
    createSigner: (privateKey): Signer => {
      const publicKey = hash(privateKey)
      privateKeys.set(nameOf(publicKey), privateKey)
      return { publicKey, sign: (bytes) => sign(privateKey, bytes) }
    },
  }
}
