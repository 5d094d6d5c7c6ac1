/** CIDs: version 1, SHA-256, raw for bytes and dag-cbor for records. */
import { fromBase32, toBase32 } from './base32.ts'
import { MeshError } from './errors.ts'
import type { Crypto } from './ports.ts'

const RAW = 0x55
const DAG_CBOR = 0x71
const SHA2_256 = 0x12
/** Version, codec, hash function and hash length, a byte each, then the hash. */
export const CID_BYTES = 36
const HASH_AT = 4
/** Before the digits: that they are base32. */
const BASE = 'b'

/**
 * One that is in use here, and nothing else. Of our own making: an item of a map makes a dozen, the library's constructor
 * takes 600 ns, and a page's sandboxes would load all that it can do besides. Libraries know it by `version`, `code`,
 * `multihash`, `bytes` and `/`.
 */
export class CID {
  readonly code: number
  readonly bytes: Uint8Array
  #text: string | undefined

  /** `bytes`: all 36, kept, not copied. */
  constructor(code: number, bytes: Uint8Array) {
    this.code = code
    this.bytes = bytes
  }

  get version(): 1 {
    return 1
  }

  get '/'(): Uint8Array {
    return this.bytes
  }

  get [Symbol.toStringTag](): string {
    return 'CID'
  }

  get multihash() {
    return { code: SHA2_256, size: 32, digest: this.bytes.slice(HASH_AT), bytes: this.bytes.slice(HASH_AT - 2) }
  }

  equals(other: unknown): boolean {
    if (this === other) return true
    if (!(other instanceof CID)) return false
    // From the end: hashes differ there as well as anywhere, and what is before them hardly ever.
    for (let i = CID_BYTES - 1; i >= 0; i--) if (this.bytes[i] !== other.bytes[i]) return false
    return true
  }

  toString(): string {
    this.#text ??= BASE + toBase32(this.bytes)
    return this.#text
  }

  toJSON() {
    return { '/': this.toString() }
  }
}

/** The CID whose 36 bytes these are (kept, not copied), or undefined if it is none that this protocol uses. */
export const cidFromBytes = (bytes: Uint8Array): CID | undefined => {
  if (bytes.length !== CID_BYTES || bytes[0] !== 1 || bytes[2] !== SHA2_256 || bytes[3] !== 32) return undefined
  const codec = bytes[1]
  return codec === RAW || codec === DAG_CBOR ? new CID(codec, bytes) : undefined
}

/** Is `x` a CID of version 1, raw or dag-cbor, SHA-256? No others are in use. */
export const isMeshCid = (x: unknown): x is CID => x instanceof CID

const cidOfHash = (codec: number, digest: Uint8Array): CID => {
  const bytes = new Uint8Array(CID_BYTES)
  bytes[0] = 1
  bytes[1] = codec
  bytes[2] = SHA2_256
  bytes[3] = 32
  bytes.set(digest, HASH_AT)
  return new CID(codec, bytes)
}

/** Of bytes as they are: a chunk of code, an input, an outcome. */
export const rawCid = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array): CID => cidOfHash(RAW, crypto.hash(bytes))

/** Of a record's canonical DAG-CBOR bytes. */
export const recordCid = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array): CID =>
  cidOfHash(DAG_CBOR, crypto.hash(bytes))

/** The 32 bytes of SHA-256 inside. */
export const cidDigest = (cid: CID): Uint8Array => cid.bytes.slice(HASH_AT)

/** Do `bytes` hash to `cid`? */
export const cidMatches = (crypto: Pick<Crypto, 'hash'>, cid: CID, bytes: Uint8Array): boolean => {
  const digest = crypto.hash(bytes)
  return digest.every((byte, i) => byte === cid.bytes[HASH_AT + i])
}

/** The calls of a map all name one function. */
let lastParsed: { readonly text: string; readonly cid: CID } | undefined

/** Each CID has one text: the base32 of its bytes, without what some decoders forgive. */
const parseCid = (text: string): CID | undefined => {
  if (text === lastParsed?.text) return lastParsed.cid
  try {
    const cid = cidFromBytes(fromBase32(text.slice(BASE.length)))
    if (cid?.toString() !== text) return undefined
    lastParsed = { text, cid }
    return cid
  } catch {
    return undefined
  }
}

export const isCidText = (text: string): boolean => parseCid(text) !== undefined

/** Throws MeshError E_USAGE if `text` is no CID in base32, or none that is in use here. */
export const ensureCid = (text: string): CID => {
  const cid = parseCid(text)
  if (cid) return cid
  const message = `not a CID: ${text}; expected 59 characters beginning with bafk (bytes) or bafy (a record)`
  throw new MeshError('E_USAGE', { message, text })
}
