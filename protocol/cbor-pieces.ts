/** Reading the two kinds of content that have a length: text and byte strings. */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to here a loop over ASCII beats TextDecoder, whose call costs as much as a dozen characters. */
const LOOP_CHARS_MAX = 11

/** The text that `bytes` hold from `from` to before `to`; undefined if that is not UTF-8. */
export const textAt = (bytes: Uint8Array, from: number, to: number): string | undefined => {
  if (to - from <= LOOP_CHARS_MAX) {
    let text = ''
    let i = from
    for (; i < to && (bytes[i] as number) < 128; i++) text += String.fromCharCode(bytes[i] as number)
    if (i === to) return text
  }
  try {
    return utf8.decode(bytes.subarray(from, to))
  } catch {
    return undefined
  }
}

/** Up to here the engine keeps the bytes within the object: a copy costs little, and nothing else is kept alive. */
const OBJECT_BYTES_MAX = 64
/** From here on a buffer of its own costs little beside the bytes. */
const PART_BYTES_MAX = 1024
const SLAB_BYTES = 8192

/**
 * Copies byte strings out of a message. Those of middling length are views of slabs, copies of stretches of the message:
 * a buffer for each would cost more than all the rest. Who keeps one keeps a slab alive, and no more.
 */
export class Copier {
  readonly #bytes: Uint8Array
  #slab: Uint8Array | undefined
  /** Where in the message the slab begins. */
  #slabFrom = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  copy(from: number, to: number): Uint8Array {
    const length = to - from
    if (length <= OBJECT_BYTES_MAX || length > PART_BYTES_MAX) return this.#bytes.slice(from, to)
    if (!this.#slab || to - this.#slabFrom > this.#slab.length) {
      this.#slab = this.#bytes.slice(from, from + SLAB_BYTES)
      this.#slabFrom = from
    }
    return this.#slab.subarray(from - this.#slabFrom, to - this.#slabFrom)
  }
}

/** Gives what was written into a buffer that is used again bytes of its own, in the same manner. */
export class Pool {
  #slab: Uint8Array = new Uint8Array(0)
  #at = 0

  keep(buffer: Uint8Array, length: number): Uint8Array {
    if (length <= OBJECT_BYTES_MAX || length > PART_BYTES_MAX) return buffer.slice(0, length)
    if (length > this.#slab.length - this.#at) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#at = 0
    }
    const from = this.#at
    this.#at += length
    this.#slab.set(buffer.subarray(0, length), from)
    return this.#slab.subarray(from, this.#at)
  }
}
