/**
 * An image as bytes, to be kept between processes: the same on any machine, and so its hash. Only this machine's own are
 * ever read, by the hash that they had when they were written.
 *
 * Four zero bytes; the length of the head, 32 bits, little-endian; the head, canonical DAG-CBOR; zeros up to a multiple of
 * eight; the bytes of the regions that the head names, in order.
 */
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import { MeshError } from '../protocol/errors.ts'
import type { ConsoleLine } from '../protocol/outcome.ts'
import { type Image, imageOf, type Roots } from './image.ts'

/** A function with its image, and what its module printed. */
export interface Initialised {
  image: Image
  console: readonly ConsoleLine[]
}

interface Head {
  console: readonly ConsoleLine[]
  heap_end: number
  memory_bytes: number
  memory_bytes_max: number
  /** Address and length of each, in order. */
  regions: readonly (readonly [number, number])[]
  roots: Roots
}

const LENGTHS_BYTES = 8

/** Where the regions begin. */
const bodyAt = (headBytes: number): number => LENGTHS_BYTES + 8 * Math.ceil(headBytes / 8)

/** Is it an image, and no other frame of a pool, which begins with a list? */
export const isImageFile = (bytes: Uint8Array): boolean => bytes[0] === 0

export const encodeImage = ({ image, console }: Initialised): Uint8Array => {
  const head: Head = {
    console: [...console],
    heap_end: image.heapEnd,
    memory_bytes: image.memoryBytes,
    memory_bytes_max: image.memoryBytesMax,
    regions: image.copies.map(({ at, bytes }) => [at, bytes.length]),
    roots: image.roots,
  }
  const encoded = encodeCanonical(head)
  let to = bodyAt(encoded.length)
  const file = new Uint8Array(to + image.dataBytes)
  new DataView(file.buffer).setUint32(4, encoded.length, true)
  file.set(encoded, LENGTHS_BYTES)
  for (const { bytes } of image.copies) {
    file.set(bytes, to)
    to += bytes.length
  }
  return file
}

/**
 * The image refers to `file` (`ownCopies` ends that). Throws MeshError E_MESSAGE for what does not fit into the memory
 * that it says it has.
 */
export const decodeImage = (file: Uint8Array): Initialised => {
  const headBytes = new DataView(file.buffer, file.byteOffset).getUint32(4, true)
  const head = decodeCanonical(file.subarray(LENGTHS_BYTES, LENGTHS_BYTES + headBytes), 'image') as Head
  let from = bodyAt(headBytes)
  let end = 0
  const copies = head.regions.map(([at, length]) => {
    if (!(at >= end && at + length <= head.memory_bytes && from + length <= file.length))
      throw new MeshError('E_MESSAGE', `the image has ${length} bytes at ${at}, of ${head.memory_bytes}`)
    const bytes = file.subarray(from, from + length)
    from += length
    end = at + length
    return { at, bytes }
  })
  const image = imageOf(head.roots, {
    memoryBytes: head.memory_bytes,
    memoryBytesMax: head.memory_bytes_max,
    heapEnd: head.heap_end,
    copies,
  })
  return { image, console: head.console }
}
