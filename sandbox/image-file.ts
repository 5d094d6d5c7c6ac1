/**
 * An image as bytes, to be kept between processes: canonical, so that its hash is the same on any machine. Only this
 * machine's own are ever read, by the hash that they had when they were written.
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

interface ImageFile {
  console: readonly ConsoleLine[]
  heap_end: number
  memory_bytes: number
  memory_bytes_max: number
  regions: { at: number; bytes: Uint8Array }[]
  roots: Roots
}

export const encodeImage = ({ image, console }: Initialised): Uint8Array => {
  const file: ImageFile = {
    console: [...console],
    heap_end: image.heapEnd,
    memory_bytes: image.memoryBytes,
    memory_bytes_max: image.memoryBytesMax,
    regions: [...image.copies],
    roots: image.roots,
  }
  return encodeCanonical(file)
}

/** Throws MeshError E_MESSAGE for what does not fit into the memory that it says it has. */
export const decodeImage = (bytes: Uint8Array): Initialised => {
  const file = decodeCanonical(bytes, 'image') as ImageFile
  let end = 0
  for (const { at, bytes: region } of file.regions) {
    if (!(at >= end && at + region.length <= file.memory_bytes))
      throw new MeshError('E_MESSAGE', `the image has ${region.length} bytes at ${at}, of ${file.memory_bytes}`)
    end = at + region.length
  }
  const copies = file.regions.map(({ at, bytes: region }) => ({ at, bytes: region.slice() }))
  const image = imageOf(file.roots, {
    memoryBytes: file.memory_bytes,
    memoryBytesMax: file.memory_bytes_max,
    heapEnd: file.heap_end,
    copies,
  })
  return { image, console: file.console }
}
