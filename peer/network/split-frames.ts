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
 * (it-length-prefixed's format). Frames are copies. Pushed, not pulled: through async generators a frame that comes alone
 * takes 90 µs longer (docs/decisions/0011-frames-are-pushed.md).
 */
export class FrameSplitter {
  /** May be raised before the next frame is asked for. */
  frameBytesMax: number
  #held: Uint8Array[] = []
  #heldBytes = 0
  /** What must be held before the next frame can be whole. */
  #neededBytes = 1

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
  }

  /**
   * The next frame, if all of it is here. Throws MeshError E_MESSAGE_LIMIT for a length above `frameBytesMax`, before
   * any of that frame is kept, and E_MESSAGE for what is no length.
   */
  next(): Uint8Array | undefined {
    if (this.#heldBytes < this.#neededBytes) return undefined
    const bytes = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : join(this.#held, this.#heldBytes)
    const header = readLength(bytes)
    if (!header) return this.#keep(bytes, bytes.length + 1)
    const { length, taken } = header
    if (length > this.frameBytesMax)
      throw new MeshError('E_MESSAGE_LIMIT', `a frame of ${length} bytes; at most ${this.frameBytesMax} are taken`)
    const end = taken + length
    if (end > bytes.length) return this.#keep(bytes, end)
    this.#keep(bytes.subarray(end), 1)
    return bytes.slice(taken, end)
  }

  #keep(rest: Uint8Array, neededBytes: number): undefined {
    this.#held = rest.length === 0 ? [] : [rest]
    this.#heldBytes = rest.length
    this.#neededBytes = neededBytes
  }
}
