/** CIDs: version 1, SHA-256, raw for bytes and dag-cbor for records. */
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { create, Digest } from 'multiformats/hashes/digest'
import { MeshError } from './errors.ts'
import type { Crypto } from './ports.ts'

export { CID } from 'multiformats/cid'

const RAW = 0x55
const DAG_CBOR = 0x71
const SHA2_256 = 0x12
/** Version, codec, hash function and hash length, a byte each, then the hash. */
export const CID_BYTES = 36

/** The CID whose 36 bytes these are (kept, not copied), or undefined if it is none that this protocol uses. */
export const cidFromBytes = (bytes: Uint8Array): CID | undefined => {
  const [version, codec, hashFunction, hashLength] = bytes
  if (bytes.length !== CID_BYTES || version !== 1 || hashFunction !== SHA2_256 || hashLength !== 32) return undefined
  if (codec !== RAW && codec !== DAG_CBOR) return undefined
  return new CID(1, codec, new Digest(SHA2_256, 32, bytes.subarray(4), bytes.subarray(2)), bytes)
}

/** Is `x` a CID of version 1, raw or dag-cbor, SHA-256? No others are in use. */
export const isMeshCid = (x: unknown): x is CID =>
  x instanceof CID &&
  x.version === 1 &&
  (x.code === RAW || x.code === DAG_CBOR) &&
  x.multihash.code === SHA2_256 &&
  x.multihash.size === 32

/** Of bytes as they are: a chunk of code, an input, an outcome. */
export const rawCid = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array): CID =>
  CID.createV1(RAW, create(SHA2_256, crypto.hash(bytes)))

/** Of a record's canonical DAG-CBOR bytes. */
export const recordCid = (crypto: Pick<Crypto, 'hash'>, bytes: Uint8Array): CID =>
  CID.createV1(DAG_CBOR, create(SHA2_256, crypto.hash(bytes)))

/** The 32 bytes of SHA-256 inside. */
export const cidDigest = (cid: CID): Uint8Array => cid.multihash.digest

/** Do `bytes` hash to `cid`? */
export const cidMatches = (crypto: Pick<Crypto, 'hash'>, cid: CID, bytes: Uint8Array): boolean => {
  const digest = crypto.hash(bytes)
  const expected = cid.multihash.digest
  return expected.length === digest.length && expected.every((byte, i) => byte === digest[i])
}

/** Each CID has one text: the base32 of its bytes, without what some decoders forgive. */
const parseCid = (text: string): CID | undefined => {
  try {
    const bytes = base32.decode(text)
    return base32.encode(bytes) === text ? cidFromBytes(bytes) : undefined
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
