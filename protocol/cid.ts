/** CIDs: version 1, SHA-256, raw for bytes and dag-cbor for records. */
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { MeshError } from './errors.ts'
import type { Crypto } from './ports.ts'

export { CID } from 'multiformats/cid'

const RAW = 0x55
const DAG_CBOR = 0x71
const SHA2_256 = 0x12

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

export const isCidText = (text: string): boolean => /^b[a-z2-7]{58}$/.test(text)

/** Throws MeshError E_USAGE if `text` is no CIDv1 in base32. */
export const ensureCid = (text: string): CID => {
  try {
    if (isCidText(text)) return CID.parse(text)
  } catch (cause) {
    throw new MeshError('E_USAGE', { message: `not a CID: ${text}`, text }, { cause })
  }
  throw new MeshError('E_USAGE', { message: `not a CID: ${text}; expected 59 characters beginning with b`, text })
}
