import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Crypto } from '../protocol/ports.ts'

export const ED25519 = 'Ed25519'
export const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** Importing a key is a task of its own; neighbours (16) and the signers of their receipts fit. */
const IMPORTED_KEYS_MAX = 256

/** What WebCrypto takes: bytes that nobody else can change meanwhile. */
export const exclusive = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)

/** Keeps the keys imported last. */
const createKeyCache = (subtle: SubtleCrypto) => {
  const imported = new Map<string, Promise<CryptoKey>>()
  return (publicKey: Uint8Array): Promise<CryptoKey> => {
    const name = String.fromCharCode(...publicKey)
    const key = imported.get(name) ?? subtle.importKey('raw', exclusive(publicKey), ED25519, false, ['verify'])
    imported.delete(name)
    imported.set(name, key)
    if (imported.size > IMPORTED_KEYS_MAX) imported.delete(imported.keys().next().value as string)
    return key
  }
}

const isWellFormed = (publicKey: Uint8Array, signature: Uint8Array): boolean =>
  publicKey.length === KEY_BYTES && signature.length === SIGNATURE_BYTES

/** RFC 8032, as strict as WebCrypto: noble's own default is the laxer rule of ZIP 215. */
const verifyHere = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return ed25519.verify(signature, bytes, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** Has this browser Ed25519 in WebCrypto? Chromium has since 137, Firefox since 129, Safari since 17. */
export const hasNativeEd25519 = async (subtle: SubtleCrypto): Promise<boolean> => {
  try {
    await subtle.generateKey(ED25519, false, ['sign', 'verify'])
    return true
  } catch {
    return false
  }
}

/** SHA-256 in JavaScript, because WebCrypto's is asynchronous; Ed25519 by WebCrypto if `native`, else in JavaScript too. */
export const createPageCrypto = (native: boolean): Crypto => {
  if (!native) {
    return {
      hash: sha256,
      verify: (publicKey, bytes, signature) =>
        isWellFormed(publicKey, signature) && verifyHere(publicKey, bytes, signature),
    }
  }
  const { subtle } = crypto
  const keyOf = createKeyCache(subtle)
  return {
    hash: sha256,
    verify: async (publicKey, bytes, signature) => {
      if (!isWellFormed(publicKey, signature)) return false
      try {
        return await subtle.verify(ED25519, await keyOf(publicKey), exclusive(signature), exclusive(bytes))
      } catch {
        return false
      }
    },
  }
}
