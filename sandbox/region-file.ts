/**
 * Parts of a memory as bytes, the same on any machine: four zero bytes; the length of the head, 32 bits, little-endian; the
 * head, canonical DAG-CBOR; zeros up to a multiple of eight; the bytes of the regions that the head names, in order.
 */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'

export interface RegionHead {
  memory_bytes: number
  /** Address and length of each, in order. */
  regions: readonly (readonly [number, number])[]
}

interface Copy {
  at: number
  bytes: Uint8Array
}

const LENGTHS_BYTES = 8

/** Where the regions begin. */
const bodyAt = (headBytes: number): number => LENGTHS_BYTES + 8 * Math.ceil(headBytes / 8)

export const encodeRegions = (head: Omit<RegionHead, 'regions'>, copies: readonly Copy[]): Uint8Array => {
  const encoded = encodeCanonical({ ...head, regions: copies.map(({ at, bytes }) => [at, bytes.length]) })
  let to = bodyAt(encoded.length)
  const file = new Uint8Array(copies.reduce((sum, { bytes }) => sum + bytes.length, to))
  new DataView(file.buffer).setUint32(4, encoded.length, true)
  file.set(encoded, LENGTHS_BYTES)
  for (const { bytes } of copies) {
    file.set(bytes, to)
    to += bytes.length
  }
  return file
}

/**
 * The copies refer to `file`. Throws MeshError E_MESSAGE for regions that do not fit into the memory that it says it has; what
 * else stands in the head is as it came.
 */
export const decodeRegions = (file: Uint8Array): { head: RegionHead; copies: Copy[] } => {
  const headBytes = new DataView(file.buffer, file.byteOffset).getUint32(4, true)
  const head = decodeCanonical(file.subarray(LENGTHS_BYTES, LENGTHS_BYTES + headBytes), 'image') as RegionHead
  let from = bodyAt(headBytes)
  let end = 0
  const copies = head.regions.map(([at, length]) => {
    if (!(at >= end && length > 0 && at + length <= head.memory_bytes && from + length <= file.length))
      throw new MeshError('E_MESSAGE', `the image has ${length} bytes at ${at}, of ${head.memory_bytes}`)
    const bytes = file.subarray(from, from + length)
    from += length
    end = at + length
    return { at, bytes }
  })
  return { head, copies }
}
