/**
 * An image as bytes, to be kept between processes: the same on any machine, and so its hash. Only this machine's own are
 * ever read, by the hash that they had when they were written.
 */
import type { ConsoleLine } from '../protocol/outcome.ts'
import { type Image, imageOf, type Roots } from './image.ts'
import { decodeRegions, encodeRegions, type RegionHead } from './region-file.ts'

/** A function with its image, and what its module printed. */
export interface Initialised {
  image: Image
  console: readonly ConsoleLine[]
}

interface Head extends RegionHead {
  console: readonly ConsoleLine[]
  heap_end: number
  memory_bytes_max: number
  roots: Roots
}

/** Is it an image, and no other frame of a pool, which begins with a list? */
export const isImageFile = (bytes: Uint8Array): boolean => bytes[0] === 0

export const encodeImage = ({ image, console }: Initialised): Uint8Array => {
  const head: Omit<Head, 'regions'> = {
    console: [...console],
    heap_end: image.heapEnd,
    memory_bytes: image.memoryBytes,
    memory_bytes_max: image.memoryBytesMax,
    roots: image.roots,
  }
  return encodeRegions(head, image.copies)
}

/**
 * The image refers to `file` (`ownCopies` ends that). Throws MeshError E_MESSAGE for what does not fit into the memory
 * that it says it has.
 */
export const decodeImage = (file: Uint8Array): Initialised => {
  const { head: read, copies } = decodeRegions(file)
  const head = read as Head
  const image = imageOf(head.roots, {
    memoryBytes: head.memory_bytes,
    memoryBytesMax: head.memory_bytes_max,
    heapEnd: head.heap_end,
    copies,
  })
  return { image, console: head.console }
}
