/** Byte arrays as a guest sends them, before the text that names them. */
import { OUTPUT_BYTES_MAX, STATE_VALUE_BYTES_MAX } from '../protocol/limits.ts'
import type { Value } from '../protocol/values.ts'
import { unpack } from './crossing.ts'

export class GuestBuffers {
  /** Of those of one text. */
  readonly bytesMax: number
  #buffers: Uint8Array[] = []
  #bytes = 0

  /** `mayPut`: a value of the state may be among them. */
  constructor(mayPut: boolean) {
    this.bytesMax = mayPut ? STATE_VALUE_BYTES_MAX : OUTPUT_BYTES_MAX
  }

  /** One may be named many times in a text: they are counted as they come, not once they are here. */
  get room(): number {
    return this.bytesMax - this.#bytes
  }

  add(bytes: Uint8Array): void {
    this.#buffers.push(bytes)
    this.#bytes += bytes.length
  }

  /** The Value in a text, with those that were sent before it. */
  unpacked(json: string): Value {
    const unpacked = unpack(json, this.#buffers)
    this.#buffers = []
    this.#bytes = 0
    return unpacked
  }
}
