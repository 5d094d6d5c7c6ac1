/** Canonical DAG-CBOR: one byte string for each thing, and no other accepted. */
import * as dagCbor from '@ipld/dag-cbor'
import { MeshError } from './errors.ts'

export const encodeCanonical = (x: unknown): Uint8Array => dagCbor.encode(x)

const equal = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * The thing that `bytes` encode. Throws MeshError E_MESSAGE if they are no DAG-CBOR, or not the canonical bytes:
 * the decoder alone accepts some (unsorted keys, integers past 2^53), so what it returns is encoded again and compared.
 */
export const decodeCanonical = (bytes: Uint8Array): unknown => {
  let decoded: unknown
  let again: Uint8Array
  try {
    decoded = dagCbor.decode(bytes)
    again = dagCbor.encode(decoded)
  } catch (cause) {
    throw new MeshError('E_MESSAGE', `not DAG-CBOR: ${(cause as Error).message}`, { cause })
  }
  if (!equal(bytes, again)) throw new MeshError('E_MESSAGE', 'not canonical DAG-CBOR: the same content has other bytes')
  return decoded
}
