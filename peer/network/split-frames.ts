import { MeshError } from '../../protocol/errors.ts'

/** 28 bits of length: more than any frame may have. */
const LENGTH_BYTES_MAX = 4

const join = (pieces: readonly Uint8Array[], bytes: number): Uint8Array => {
  const joined = new Uint8Array(bytes)
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}

/** The unsigned varint at the start of `bytes` and the bytes it takes; undefined if it has not come whole. */
const readLength = (bytes: Uint8Array): { length: number; taken: number } | undefined => {
  let length = 0
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] as number
    length |= (byte & 0x7f) << (7 * index)
    const isPadded = byte === 0 && index > 0
    if (isPadded || (byte >= 0x80 && index + 1 === LENGTH_BYTES_MAX))
      throw new MeshError('E_MESSAGE', `the length of a frame is no shortest varint of up to ${LENGTH_BYTES_MAX} bytes`)
    if (byte < 0x80) return { length, taken: index + 1 }
  }
  return undefined
}

/**
 * Turns the chunks of a byte stream into the frames they complete: an unsigned varint length, then as many bytes
 * (it-length-prefixed's format). Frames are copies. Throws MeshError E_MESSAGE_LIMIT for a length above
 * `frameBytesMax`, before any of that frame is kept, and E_MESSAGE for what is no length.
 *
 * All frames of a chunk come at one go. One at a time through async generators, as it-length-prefixed's decoder gives
 * them, takes 4 times the processor time a frame at 128 in flight: the answers no longer share a write.
 */
export const splitFrames = (frameBytesMax: number) => {
  let held: Uint8Array[] = []
  let heldBytes = 0
  /** What must be held before the next frame can be whole. */
  let neededBytes = 0

  const keep = (rest: Uint8Array, needed: number) => {
    held = [rest]
    heldBytes = rest.length
    neededBytes = needed
  }

  function* complete(): Generator<Uint8Array> {
    let bytes = held.length === 1 ? (held[0] as Uint8Array) : join(held, heldBytes)
    for (;;) {
      const header = readLength(bytes)
      if (!header) return keep(bytes, bytes.length + 1)
      const { length, taken } = header
      if (length > frameBytesMax)
        throw new MeshError('E_MESSAGE_LIMIT', `a frame of ${length} bytes; at most ${frameBytesMax} are taken`)
      const end = taken + length
      if (end > bytes.length) return keep(bytes, end)
      yield bytes.slice(taken, end)
      bytes = bytes.subarray(end)
    }
  }

  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Iterable<Uint8Array>> {
    for await (const chunk of chunks) {
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes >= neededBytes) yield complete()
    }
  }
}
