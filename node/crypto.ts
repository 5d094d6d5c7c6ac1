import { createPrivateKey, createPublicKey, hash, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { MeshError } from '../protocol/errors.ts'
import type { Crypto, Signer } from '../protocol/ports.ts'

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** What precedes the 32 key bytes in PKCS #8 and in SubjectPublicKeyInfo. Source: RFC 8410, sections 7 and 4. */
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
/** Importing a key costs half as much as a verification; neighbours (64) and the signers of their receipts fit. */
const IMPORTED_KEYS_MAX = 256

const plainBytes = (buffer: Buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

const importPublicKey = (publicKey: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([PUBLIC_KEY_PREFIX, publicKey]), format: 'der', type: 'spki' })

const HASH_BYTES = 32

/**
 * SHA-256. Taken as text and copied: a digest given as a buffer costs an allocation outside the heap, which takes three
 * times as long as the hash of a short record.
 */
const sha256 = (bytes: Uint8Array): Uint8Array => {
  const digest = hash('sha256', bytes, 'binary')
  const copy = new Uint8Array(HASH_BYTES)
  for (let i = 0; i < HASH_BYTES; i++) copy[i] = digest.charCodeAt(i)
  return copy
}

/** Keeps the keys imported last. */
const createKeyCache = () => {
  const imported = new Map<string, KeyObject>()
  return (publicKey: Uint8Array): KeyObject => {
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString('latin1')
    const key = imported.get(name) ?? importPublicKey(publicKey)
    imported.delete(name)
    imported.set(name, key)
    if (imported.size > IMPORTED_KEYS_MAX) imported.delete(imported.keys().next().value as string)
    return key
  }
}

/** SHA-256 and Ed25519 by node:crypto. */
export const createCrypto = (): Crypto => {
  const keyOf = createKeyCache()
  return {
    hash: sha256,
    verify: (publicKey, bytes, signature) =>
      publicKey.length === KEY_BYTES &&
      signature.length === SIGNATURE_BYTES &&
      verify(null, bytes, keyOf(publicKey), signature),
  }
}

/** A fresh private key: 32 bytes, the seed of RFC 8032. */
export const generatePrivateKey = (): Uint8Array => new Uint8Array(randomBytes(KEY_BYTES))

/** Signs with `privateKey`, 32 bytes, the seed of RFC 8032. Throws MeshError E_CONFIG for another length. */
export const createSigner = (privateKey: Uint8Array): Signer => {
  if (privateKey.length !== KEY_BYTES)
    throw new MeshError('E_CONFIG', `an Ed25519 private key has ${KEY_BYTES} bytes, not ${privateKey.length}`)
  const der = Buffer.concat([PRIVATE_KEY_PREFIX, privateKey])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
  return {
    publicKey: new Uint8Array(publicKey),
    sign: (bytes) => plainBytes(sign(null, bytes, key)),
  }
}
