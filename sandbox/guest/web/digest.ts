/** The hashes of Web Crypto, by @noble/hashes. */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'

type Hash = (bytes: Uint8Array) => Uint8Array

const HASHES = new Map<string, Hash>([
  ['SHA-1', sha1],
  ['SHA-256', sha256],
  ['SHA-384', sha384],
  ['SHA-512', sha512],
])

export const hashOf = (name: string): Hash | undefined => HASHES.get(name)
